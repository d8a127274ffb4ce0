package training

import (
	"errors"
	"math/big"
	"strconv"
	"strings"
)

// Score is a result on a scale from 0 to Max. Numbers are kept as the sender
// wrote them ("91.5"), because a binary fraction is not what was sent; "" means
// that the sender stated none. A score of 0 is a score.
type Score struct {
	Raw string `json:"raw,omitempty"`
	Max string `json:"max,omitempty"`
	// Passed is nil when the sender does not say; it is never guessed from
	// "completed" (R72).
	Passed *bool `json:"passed,omitempty"`
}

// Known reports whether the sender stated a score.
func (s Score) Known() bool { return s.Raw != "" }

// Failed reports whether the sender said that the learner did not pass.
func (s Score) Failed() bool { return s.Passed != nil && !*s.Passed }

// Scaled is raw ÷ max in −1…1 as xAPI wants it (R154), computed exactly and
// rounded once. ok is false when the score or its scale is unknown, or when
// the result lies outside −1…1.
func (s Score) Scaled() (scaled float64, ok bool) {
	raw, rawOK := decimal(s.Raw)
	limit, maxOK := decimal(s.Max)
	if !rawOK || !maxOK || limit.Sign() <= 0 {
		return 0, false
	}
	ratio := new(big.Rat).Quo(raw, limit)
	if ratio.Cmp(big.NewRat(1, 1)) > 0 || ratio.Cmp(big.NewRat(-1, 1)) < 0 {
		return 0, false
	}
	scaled, _ = ratio.Float64()
	return scaled, true
}

// RawNumber is the raw score as a float64; ok is false when it is unknown.
func (s Score) RawNumber() (float64, bool) { return number(s.Raw) }

// MaxNumber is the scale's upper end as a float64; ok is false when it is unknown.
func (s Score) MaxNumber() (float64, bool) { return number(s.Max) }

func (s Score) validate() error {
	if s.Raw == "" {
		if s.Max != "" {
			return errors.New("a maximum score without a score")
		}
		return nil
	}
	if raw, plain := plainDecimal(s.Raw); plain {
		if limit, plain := plainDecimal(s.Max); plain && raw <= limit && limit > 0 {
			return nil // nearly every score; no rational number is made for it
		}
	}
	raw, ok := decimal(s.Raw)
	if !ok {
		return errors.New("score is not a number")
	}
	if s.Max == "" {
		return nil
	}
	limit, ok := decimal(s.Max)
	switch {
	case !ok || limit.Sign() <= 0:
		return errors.New("maximum score is not a positive number")
	case raw.Sign() < 0 || raw.Cmp(limit) > 0:
		return errors.New("score lies outside 0 to its maximum")
	}
	return nil
}

// decimal reads a JSON number of at most 32 bytes and a modest exponent; the bounds keep a
// hostile "1e999999999" from costing memory.
func decimal(text string) (*big.Rat, bool) {
	f, ok := number(text)
	if !ok || f > 1e15 || f < -1e15 || (f != 0 && f < 1e-15 && f > -1e-15) {
		return nil, false
	}
	if f == 0 { // a zero, or too small for a float64: "1e-999999" costs as much as its opposite
		mantissa, _, _ := strings.Cut(strings.ToLower(text), "e")
		return new(big.Rat), !strings.ContainsAny(mantissa, "123456789")
	}
	return new(big.Rat).SetString(text)
}

// plainDecimal reads at most 15 digits with at most one point between them. Of such numbers float64 keeps
// which is the larger and which are equal.
func plainDecimal(text string) (float64, bool) {
	point := strings.IndexByte(text, '.')
	digits := len(text)
	if point >= 0 {
		digits--
	}
	if digits == 0 || digits > 15 || point == 0 || point == len(text)-1 {
		return 0, false
	}
	for i := range len(text) {
		if i != point && (text[i] < '0' || text[i] > '9') {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil
}

func number(text string) (float64, bool) {
	if text == "" || len(text) > 32 {
		return 0, false
	}
	for _, r := range text {
		if (r < '0' || r > '9') && r != '.' && r != '-' && r != '+' && r != 'e' && r != 'E' {
			return 0, false // "Inf", "NaN", "0x1p4" and "1_0" are no JSON numbers
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil
}

// Percent is the score on the scale from 0 to 100 that the QMS keeps (R103), exact to four
// decimals, "" when score or scale is unknown.
func (s Score) Percent() string {
	raw, rawOK := decimal(s.Raw)
	limit, maxOK := decimal(s.Max)
	if !rawOK || !maxOK || limit.Sign() <= 0 {
		return ""
	}
	percent := new(big.Rat).Mul(new(big.Rat).Quo(raw, limit), big.NewRat(100, 1))
	text := percent.FloatString(4)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
