package training

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The short way must say of no score what the exact one does not.
func TestPlainDecimalsAreJudgedAsRationalsAre(t *testing.T) {
	decimals := rapid.OneOf(
		rapid.StringMatching(`[0-9]{1,16}`), rapid.StringMatching(`[0-9]{0,9}\.[0-9]{0,9}`),
		rapid.StringMatching(`-?[0-9]{1,3}([eE.][-+]?[0-9]{1,2})?`),
		rapid.Map(rapid.IntRange(0, 100), func(n int) string { return fmt.Sprint(n) }), rapid.Just(""))
	rapid.Check(t, func(t *rapid.T) {
		a, b := decimals.Draw(t, "a"), decimals.Draw(t, "b")
		x, plainA := plainDecimal(a)
		y, plainB := plainDecimal(b)
		if !plainA || !plainB {
			return
		}
		p, ok := new(big.Rat).SetString(a)
		require.True(t, ok)
		q, ok := new(big.Rat).SetString(b)
		require.True(t, ok)
		switch p.Cmp(q) {
		case -1:
			require.Less(t, x, y)
		case 0:
			require.Equal(t, x, y)
		default:
			require.Greater(t, x, y)
		}
	})
}

func TestScoreIsJudgedAlikeBothWays(t *testing.T) {
	for _, test := range []struct {
		raw, limit string
		valid      bool
	}{
		{"0", "100", true}, {"91.5", "100", true}, {"100", "100", true}, {"100.0", "100", true}, {"007", "10", true},
		{"100.1", "100", false}, {"1", "0", false}, {"0", "0", false}, {"-1", "100", false}, {"1.", "2", true},
		{".5", "1", true}, {"", "1", false}, {".", "1", false}, {"1", ".", false},
		{"123456789012345", "123456789012345", true}, {"1234567890123456", "1234567890123457", false},
		{"0.00000000000000001", "1", false}, {"9e2", "1e3", true},
	} {
		err := Score{Raw: test.raw, Max: test.limit}.validate()
		require.Equal(t, test.valid, err == nil, "%s of %s: %v", test.raw, test.limit, err)
	}
}
