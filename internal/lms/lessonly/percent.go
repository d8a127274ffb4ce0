package lessonly

import (
	"errors"
	"math/big"
	"regexp"
	"strings"

	"countersign/internal/lms/strictjson"
)

// modest is a JSON number that costs no memory to compute with exactly: "1e999999999" would.
var modest = regexp.MustCompile(`^-?\d{1,18}(\.\d{1,18})?([eE][+-]?\d{1,2})?$`)

func hundred() *big.Rat { return big.NewRat(100, 1) }

// number reads the number at path exactly, nil where there is none or it cannot be used.
func number(report *strictjson.Picker, path string) *big.Rat {
	text := report.Number(path)
	if text == "" {
		return nil
	}
	if !modest.MatchString(text) {
		report.Problem(path, errors.New("has more digits than a percentage"))
		return nil
	}
	value, _ := new(big.Rat).SetString(text)
	return value
}

// result is the learner's score from 0 to 100, as text and exactly. Where the vendor's older member,
// a fraction of 1, comes alone, it is taken times 100 and to six decimals: 0.57 is 57.
func result(report *strictjson.Picker) (raw string, percent *big.Rat) {
	if stated := number(report, "score_percent"); stated != nil {
		return report.Number("score_percent"), stated
	}
	fraction := number(report, "score")
	if fraction == nil {
		return "", nil
	}
	percent = new(big.Rat).Mul(fraction, hundred())
	raw = strings.TrimSuffix(strings.TrimRight(percent.FloatString(6), "0"), ".")
	percent, _ = new(big.Rat).SetString(raw)
	return raw, percent
}
