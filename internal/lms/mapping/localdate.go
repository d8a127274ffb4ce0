package mapping

import (
	"errors"
	"strings"
	"time"

	"countersign/internal/training"
)

// Notes about a local time that its zone does not have exactly once.
const (
	noteGap   = "the zone has no such local time, its clocks went forward over it: shifted forward by as much"
	noteTwice = "the zone has this local time twice, its clocks went back: the earlier instant was taken"
)

// kindOf is what a token says; two tokens of one kind would say it twice.
func kindOf(token string) string {
	switch token[0] {
	case 'y':
		return "year"
	case 'M':
		return "month"
	case 'd':
		return "day"
	case 'H', 'h':
		return "hour"
	case 'm':
		return "minute"
	case 's':
		return "second"
	case 'f':
		return "fraction"
	default:
		return "half of the day"
	}
}

// checkReadable refuses a pattern that can write a date but not read one: with a part missing or said twice, or
// with a number whose end cannot be seen.
func (p pattern) checkReadable() *Mistake {
	found := map[string]string{}
	for i, e := range p {
		if e.token == "" {
			continue
		}
		kind := kindOf(e.token)
		if found[kind] != "" {
			return badPattern(e.offset, "the "+kind+" stands here for the second time")
		}
		found[kind] = e.token
		if len(e.token) == 1 && i+1 < len(p) && p[i+1].startsWithDigit() {
			return badPattern(e.offset, "one letter is one digit or two, so no digit may follow; want "+e.token+e.token)
		}
	}
	for _, kind := range []string{"year", "month", "day"} {
		if found[kind] == "" {
			return badPattern(-1, "the "+kind+" is missing")
		}
	}
	for _, pair := range [][2]string{{"minute", "hour"}, {"second", "minute"}, {"fraction", "second"}} {
		if found[pair[0]] != "" && found[pair[1]] == "" {
			return badPattern(-1, "the "+pair[0]+" stands there without the "+pair[1])
		}
	}
	if twelve := strings.HasPrefix(found["hour"], "h"); twelve != (found["half of the day"] != "") {
		return badPattern(-1, "hh and tt stand together; HH stands alone")
	}
	return nil
}

// startsWithDigit reports whether what e reads begins with a digit.
func (e element) startsWithDigit() bool {
	if e.token == "" {
		return e.literal[0] >= '0' && e.literal[0] <= '9'
	}
	return e.token != "MMM" && e.token != "tt"
}

// readLocal reads a local date and time in zone. Without an hour in the pattern it is a day, the same in every
// zone. note is "" where the zone has the local time exactly once. The error never holds the text.
func (p pattern) readLocal(text string, zone *time.Location) (instant time.Time, precision training.Precision, note string, err error) {
	s := scanner{rest: text}
	var d date
	hasHour, half := false, ""
	for _, e := range p {
		switch e.token {
		case "":
			rest, found := strings.CutPrefix(s.rest, e.literal)
			s.rest, s.failed = rest, s.failed || !found
		case "yyyy":
			d.year = s.digits(4)
		case "yy":
			if d.year = 2000 + s.digits(2); d.year > 2068 { // POSIX: 69 to 99 are of the last century
				d.year -= 100
			}
		case "MMM":
			d.month = s.month()
		case "MM", "M":
			d.month = s.number(e.token)
		case "dd", "d":
			d.day = s.number(e.token)
		case "HH", "H", "hh", "h":
			d.hour, hasHour = s.number(e.token), true
		case "mm", "m":
			d.minute = s.number(e.token)
		case "ss", "s":
			d.second = s.number(e.token)
		case "fff":
			d.nanosecond = s.digits(3) * int(time.Millisecond)
		case "tt":
			half = s.half()
		}
	}
	if half != "" {
		if d.hour < 1 || d.hour > 12 {
			s.failed = true
		}
		d.hour %= 12
		if half == "PM" {
			d.hour += 12
		}
	}
	local, ok := d.in(0)
	switch {
	case s.failed || s.rest != "":
		return time.Time{}, "", "", errors.New("is not written as the pattern says")
	case !ok:
		return time.Time{}, "", "", errors.New("there is no such day or time")
	case !hasHour:
		return local, training.PrecisionDay, "", nil
	}
	instant, note = inZone(local, zone)
	return instant, training.PrecisionMillisecond, note, nil
}

// inZone is the instant at which the clocks of zone show local, whose own zone does not count.
func inZone(local time.Time, zone *time.Location) (instant time.Time, note string) {
	// No zone is a day away from UTC, so these lie before and after any change of the clocks that concerns local.
	_, before := local.Add(-24 * time.Hour).In(zone).Zone()
	_, after := local.Add(24 * time.Hour).In(zone).Zone()
	first := local.Add(-time.Duration(before) * time.Second)
	second := local.Add(-time.Duration(after) * time.Second)
	shows := func(t time.Time, offset int) bool {
		_, actual := t.In(zone).Zone()
		return actual == offset
	}
	switch firstShows, secondShows := shows(first, before), shows(second, after); {
	case firstShows && secondShows && !first.Equal(second):
		return first, noteTwice // before the clocks go back they are further east
	case firstShows:
		return first, ""
	case secondShows:
		return second, ""
	default:
		return first, noteGap // with the old offset: later by as much as the clocks skipped
	}
}

// number reads a token of two letters as two digits and of one letter as one or two.
func (s *scanner) number(token string) int {
	if len(token) == 2 || (len(s.rest) > 1 && s.rest[1] >= '0' && s.rest[1] <= '9') {
		return s.digits(2)
	}
	return s.digits(1)
}

// month reads Jan to Dec in any case.
func (s *scanner) month() int {
	for month := time.January; month <= time.December; month++ {
		if s.word(month.String()[:3]) {
			return int(month)
		}
	}
	s.failed = true
	return 0
}

// half reads AM or PM in any case.
func (s *scanner) half() string {
	for _, half := range []string{"AM", "PM"} {
		if s.word(half) {
			return half
		}
	}
	s.failed = true
	return ""
}

// word takes an ASCII word in any case.
func (s *scanner) word(word string) bool {
	if len(s.rest) < len(word) || !strings.EqualFold(s.rest[:len(word)], word) {
		return false
	}
	s.rest = s.rest[len(word):]
	return true
}
