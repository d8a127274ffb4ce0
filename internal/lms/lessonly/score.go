package lessonly

import (
	"errors"
	"math/big"
	"regexp"
	"strings"

	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// modest is a JSON number that costs no memory to compute with exactly: "1e999999999" would.
var modest = regexp.MustCompile(`^-?\d{1,18}(\.\d{1,18})?([eE][+-]?\d{1,2})?$`)

func hundred() *big.Rat { return big.NewRat(100, 1) }

// passed holds the score against the pass mark that came with it: the vendor's changes of a pass mark
// are not retroactive. There is no tolerance: 79.99 against 80 is failed. Without a pass mark nothing is
// said (R72).
func (a *Adapter) passed(r *mapping.Reader, report strictjson.Value, score training.Score) *bool {
	const path = "lesson.retake_score"
	text, err := report.Member("lesson").Member("retake_score").Number()
	if err != nil {
		r.Problem(path, err)
	}
	mark := exactly(r, path, text)
	if mark != nil && (mark.Sign() < 0 || mark.Cmp(hundred()) > 0) {
		r.Problem(path, errors.New("lies outside 0 to 100"))
	}
	from := "score_percent"
	if a.mapping.Overridden(mapping.ScoreRaw) {
		from = string(mapping.ScoreRaw)
	}
	percent := exactly(r, from, score.Raw)
	if mark == nil || mark.Sign() == 0 {
		return nil
	}
	if score.Raw == "" {
		r.Problem(from, errors.New("is missing although lesson.retake_score asks for a score: not graded yet"))
		return nil
	}
	// The mark is a percentage, the score is on the mapping's scale.
	scale := exactly(r, string(mapping.ScoreMax), score.Max)
	if percent == nil || scale == nil || scale.Sign() <= 0 {
		return nil
	}
	percent.Mul(percent, hundred()).Quo(percent, scale)
	passed := percent.Cmp(mark) >= 0
	return &passed
}

// exactly is the number that digits spell, nil where there is none or it cannot be used.
func exactly(r *mapping.Reader, where, digits string) *big.Rat {
	if digits == "" {
		return nil
	}
	if !modest.MatchString(digits) {
		r.Problem(where, errors.New("has more digits than a percentage"))
		return nil
	}
	number, _ := new(big.Rat).SetString(digits)
	return number
}

// fromFraction reads the vendor's older member score, a fraction of 1, where it comes alone: as a percentage, to
// six decimals. 0.57 is 57.
func fromFraction(r *mapping.Reader, report strictjson.Value) string {
	text, err := report.Member("score").Number()
	if err != nil {
		r.Problem("score", err)
	}
	fraction := exactly(r, "score", text)
	if fraction == nil {
		return ""
	}
	percent := fraction.Mul(fraction, hundred()).FloatString(6)
	return strings.TrimSuffix(strings.TrimRight(percent, "0"), ".")
}
