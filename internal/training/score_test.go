package training_test

import (
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"countersign/internal/training"
)

func TestScoreScaledAndPercent_R154_R103(t *testing.T) {
	for _, test := range []struct {
		raw, max string
		scaled   float64
		ok       bool
		percent  string
	}{
		{"91.5", "100", 0.915, true, "91.5"},
		{"9.15e1", "1E2", 0.915, true, "91.5"},
		{"0", "100", 0, true, "0"},
		{"-0", "100", 0, true, "0"},
		{"0e5", "100", 0, true, "0"},
		{"100", "100", 1, true, "100"},
		{"100.00", "100", 1, true, "100"},
		{"10", "30", 1.0 / 3, true, "33.3333"},
		{"20", "30", 2.0 / 3, true, "66.6667"},
		{"0.1", "0.3", 1.0 / 3, true, "33.3333"}, // 0.1/0.3 in float64 is 0.33333333333333337
		{"7", "8", 0.875, true, "87.5"},
		{"1", "1000000", 1e-6, true, "0.0001"},
		{"-50", "100", -0.5, true, "-50"},

		// Outside −1…1 there is no scaled score; the percentage still says what was sent.
		{"101", "100", 0, false, "101"},
		{"-101", "100", 0, false, "-101"},

		{"", "", 0, false, ""},
		{"91.5", "", 0, false, ""},
		{"", "100", 0, false, ""},
		{"91.5", "0", 0, false, ""},
		{"91.5", "-100", 0, false, ""},
	} {
		s := training.Score{Raw: test.raw, Max: test.max}
		scaled, ok := s.Scaled()
		require.Equal(t, test.ok, ok, "%+v", s)
		require.Equal(t, test.scaled, scaled, "%+v", s)
		require.Equal(t, test.percent, s.Percent(), "%+v", s)
	}
}

// Numbers that are none, or that cost more to read than they are worth.
func hostileNumbers() []string {
	return []string{
		"1e999999999", "-1e999999999", "1e-999999999", "1e-999999", "0.000001e-400", "1e16", "-1e16", "1e-16",
		"0x10", "0x1p4", "0b1", "0o7", "1_000", "NaN", "nan", "Inf", "-Infinity", "1/3", "1,5", "９", "٣",
		"ninety", "", " ", "1 ", " 1", "1e", "e1", ".", "-", "--1", "1.2.3", "5%", "1\x00",
		strings.Repeat("9", 33), "0." + strings.Repeat("0", 31), strings.Repeat("1", 1<<20),
	}
}

func TestScoreRefusesHostileNumbers(t *testing.T) {
	for _, text := range hostileNumbers() {
		for _, s := range []training.Score{{Raw: text, Max: "100"}, {Raw: "1", Max: text}} {
			_, ok := s.Scaled()
			require.False(t, ok, "%.40q of %.40q", s.Raw, s.Max)
			require.Empty(t, s.Percent(), "%.40q of %.40q", s.Raw, s.Max)
			if s.Raw != "" && s.Max != "" { // "" means that none was stated, which is no fault
				c := completion()
				c.Score = s
				require.ErrorIs(t, c.Validate(), training.ErrIncomplete, "%.40q of %.40q", s.Raw, s.Max)
			}
		}
	}
}

func TestScoreIsExact(t *testing.T) {
	decimals := rapid.StringMatching(`(0|[1-9][0-9]{0,5})(\.[0-9]{1,6})?`)
	rapid.Check(t, func(t *rapid.T) {
		s := training.Score{Raw: decimals.Draw(t, "raw"), Max: decimals.Draw(t, "max")}
		raw, _ := new(big.Rat).SetString(s.Raw)
		limit, _ := new(big.Rat).SetString(s.Max)
		if limit.Sign() == 0 || raw.Cmp(limit) > 0 {
			_, ok := s.Scaled()
			require.False(t, ok)
			return
		}
		ratio := new(big.Rat).Quo(raw, limit)
		want, _ := ratio.Float64()
		scaled, ok := s.Scaled()
		require.True(t, ok)
		require.Equal(t, want, scaled, "the nearest float64 to the true ratio: rounded once")

		percent, ok := new(big.Rat).SetString(s.Percent())
		require.True(t, ok, s.Percent())
		off := new(big.Rat).Sub(percent, ratio.Mul(ratio, big.NewRat(100, 1)))
		require.LessOrEqual(t, off.Abs(off).Cmp(big.NewRat(1, 20000)), 0, "at most half of the fourth decimal")
		require.NotRegexp(t, `\.$|\.\d*0$|e`, s.Percent())
	})
}

// A whole per cent must come out as it went in: 91.5 is never 91.49999999999999.
func TestScorePercentOfAHundredIsTheRawScore_R103(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hundredths := rapid.IntRange(0, 10000).Draw(t, "hundredths")
		raw := strconv.FormatFloat(float64(hundredths)/100, 'f', -1, 64)
		require.Equal(t, raw, training.Score{Raw: raw, Max: "100"}.Percent())
	})
}

func TestScoreNumbers(t *testing.T) {
	raw, ok := training.Score{Raw: "91.5", Max: "100"}.RawNumber()
	require.True(t, ok)
	require.Equal(t, 91.5, raw)
	limit, ok := training.Score{Raw: "91.5", Max: "100"}.MaxNumber()
	require.True(t, ok)
	require.Equal(t, 100.0, limit)
	for _, s := range []training.Score{{}, {Raw: "NaN", Max: "Inf"}, {Raw: "0x10", Max: "1e999"}} {
		_, ok = s.RawNumber()
		require.False(t, ok, "%+v", s)
		_, ok = s.MaxNumber()
		require.False(t, ok, "%+v", s)
	}
}

// "completed" never becomes "passed" by guessing: unknown is neither passed nor failed (R72).
func TestScoreKnownAndFailed_R72(t *testing.T) {
	yes, no := true, false
	for _, test := range []struct {
		score         training.Score
		known, failed bool
	}{
		{training.Score{}, false, false},
		{training.Score{Raw: "0"}, true, false},
		{training.Score{Passed: &yes}, false, false},
		{training.Score{Passed: &no}, false, true},
		{training.Score{Raw: "100", Max: "100", Passed: &no}, true, true},
	} {
		require.Equal(t, test.known, test.score.Known(), "%+v", test.score)
		require.Equal(t, test.failed, test.score.Failed(), "%+v", test.score)
	}
}
