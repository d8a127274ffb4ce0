package mapping

import (
	"math/big"
	"strconv"
	"strings"
	"time"

	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// Dates reads a date by the input rules of dateFormat, for platforms that take them all: RFC 3339 with
// any offset; the same without one, which is UTC; a blank for the T; seconds optional; a day alone; eight
// digits yyyyMMdd; a number of seconds since 1970, or of milliseconds where its size is 100,000,000,000 or
// more. Blanks around a text are dropped. Fractions below a millisecond are cut off. The error never holds
// the value.
//
// That a date without an offset is UTC is what Activate's vendor says of its own field; for any other
// platform it is a guess, so its adapter reads its dates itself.
func Dates(v strictjson.Value) (time.Time, training.Precision, error) {
	if v.Kind() == strictjson.String {
		v = strictjson.StringOf(strings.TrimSpace(v.Raw()))
	}
	instant, precision, err := readDate(v)
	if err != nil {
		return time.Time{}, "", err
	}
	return precision.Truncate(instant), precision, nil
}

// invalidDate is what readDate says about a value it cannot take.
func invalidDate(text string) refusal { return refusal{"invalid_date", text} }

// readDate is Dates with the whole fraction and without the dropping of blanks. The instant is in UTC.
func readDate(v strictjson.Value) (time.Time, training.Precision, error) {
	switch v.Kind() {
	case strictjson.Number:
		instant, err := fromEpoch(v.Raw())
		return instant, training.PrecisionMillisecond, err
	case strictjson.String:
	default:
		return time.Time{}, "", refusal{"bad_type", "want a date, is " + v.Kind().String()}
	}
	s := scanner{rest: v.Raw()}
	if len(s.rest) == 8 && !strings.Contains(s.rest, "-") {
		day := date{year: s.digits(4), month: s.digits(2), day: s.digits(2)}
		instant, ok := day.in(0)
		if !ok || s.failed {
			return time.Time{}, "", invalidDate("eight digits that are no day")
		}
		return instant, training.PrecisionDay, nil
	}
	d := date{year: s.digits(4)}
	s.take("-")
	d.month = s.digits(2)
	s.take("-")
	d.day = s.digits(2)
	if s.rest == "" && !s.failed {
		if instant, ok := d.in(0); ok {
			return instant, training.PrecisionDay, nil
		}
		return time.Time{}, "", invalidDate("there is no such day")
	}
	s.take("Tt ")
	d.hour = s.digits(2)
	s.take(":")
	d.minute = s.digits(2)
	if s.has(":") {
		d.second = s.digits(2)
		d.nanosecond = s.fraction()
	}
	offset := s.offset()
	instant, ok := d.in(offset)
	switch {
	case s.failed || s.rest != "":
		return time.Time{}, "", invalidDate("neither an RFC 3339 date-time, nor a day, nor a number of seconds or milliseconds")
	case !ok:
		return time.Time{}, "", invalidDate("there is no such day or time")
	}
	return instant, training.PrecisionMillisecond, nil
}

// fromEpoch reads seconds or milliseconds since 1970, with a fraction if there is one.
func fromEpoch(digits string) (time.Time, error) {
	const milliseconds = 100_000_000_000 // as seconds that is the year 5138, as milliseconds 1973
	text, ok := shortest(digits)
	if !ok || len(text) > 60 {
		return time.Time{}, invalidDate("a number far outside the years 0 to 9999")
	}
	number, ok := new(big.Rat).SetString(text)
	if !ok {
		return time.Time{}, invalidDate("a number that is no date")
	}
	scale := int64(time.Second)
	if new(big.Rat).Abs(number).Cmp(big.NewRat(milliseconds, 1)) >= 0 {
		scale = int64(time.Millisecond)
	}
	number.Mul(number, big.NewRat(scale, 1))
	// Euclid's division rounds down for a positive divisor, and leaves a remainder from 0 on.
	nanoseconds := new(big.Int).Div(number.Num(), number.Denom())
	seconds, rest := new(big.Int).DivMod(nanoseconds, big.NewInt(int64(time.Second)), new(big.Int))
	if seconds.BitLen() > 40 {
		return time.Time{}, invalidDate("a number outside the years 0 to 9999")
	}
	instant := time.Unix(seconds.Int64(), rest.Int64()).UTC()
	if instant.Year() < 0 || instant.Year() > 9999 {
		return time.Time{}, invalidDate("a number outside the years 0 to 9999")
	}
	return instant, nil
}

// date is what a text says, before anybody knows whether there is such a day.
type date struct{ year, month, day, hour, minute, second, nanosecond int }

// in is the instant at an offset in seconds east of UTC; ok is false where there is no such day or time, or where it
// lies outside the years 0 to 9999 in UTC.
func (d date) in(offset int) (instant time.Time, ok bool) {
	if d.month < 1 || d.month > 12 || d.day < 1 || d.hour > 23 || d.minute > 59 || d.second > 59 {
		return time.Time{}, false
	}
	local := time.Date(d.year, time.Month(d.month), d.day, d.hour, d.minute, d.second, d.nanosecond, time.UTC)
	if local.Day() != d.day { // the 30th of February becomes the 1st or 2nd of March
		return time.Time{}, false
	}
	instant = local.Add(-time.Duration(offset) * time.Second)
	return instant, instant.Year() >= 0 && instant.Year() <= 9999
}

// scanner reads a date from left to right; failed says that something else stood there.
type scanner struct {
	rest   string
	failed bool
}

// digits reads exactly n digits.
func (s *scanner) digits(n int) int {
	if len(s.rest) < n || strings.Trim(s.rest[:n], "0123456789") != "" {
		s.failed = true
		return 0
	}
	number, _ := strconv.Atoi(s.rest[:n])
	s.rest = s.rest[n:]
	return number
}

// has takes the next byte where it is one of these.
func (s *scanner) has(these string) bool {
	if s.rest == "" || strings.IndexByte(these, s.rest[0]) < 0 {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

func (s *scanner) take(these string) { s.failed = !s.has(these) || s.failed }

// fraction reads a point and digits as nanoseconds, what is finer is cut off; 0 where there is no point.
func (s *scanner) fraction() int {
	if !s.has(".") {
		return 0
	}
	length := len(s.rest) - len(strings.TrimLeft(s.rest, "0123456789"))
	s.failed = s.failed || length == 0
	nine := (s.rest[:length] + "000000000")[:9]
	s.rest = s.rest[length:]
	number, _ := strconv.Atoi(nine)
	return number
}

// offset reads Z, +hh:mm or -hh:mm in seconds east; the end of the text is UTC.
func (s *scanner) offset() int {
	if s.rest == "" || s.has("Zz") {
		return 0
	}
	sign := 1
	if s.has("-") {
		sign = -1
	} else {
		s.take("+")
	}
	hours := s.digits(2)
	s.take(":")
	minutes := s.digits(2)
	s.failed = s.failed || hours > 23 || minutes > 59
	return sign * (hours*3600 + minutes*60)
}
