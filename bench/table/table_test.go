package table_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/bench/figure"
	"countersign/bench/table"
)

func spread(t *testing.T, rounds ...float64) figure.Spread {
	t.Helper()
	s, err := figure.Over(rounds)
	require.NoError(t, err)
	return s
}

func TestBound(t *testing.T) {
	for name, test := range map[string]struct {
		bound table.Bound
		value float64
		holds bool
		text  string
	}{
		"at least, reached":  {table.Bound{AtLeast: 0.25}, 0.25, true, ">= 0.25"},
		"at least, missed":   {table.Bound{AtLeast: 0.25}, 0.249, false, ">= 0.25"},
		"at most, kept":      {table.Bound{AtMost: 29}, 29, true, "<= 29"},
		"at most, exceeded":  {table.Bound{AtMost: 1.3}, 1.31, false, "<= 1.3"},
		"nothing to hold to": {table.Bound{}, 5, true, "-"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.holds, test.bound.Holds(test.value))
			require.Equal(t, test.text, test.bound.String())
		})
	}
}

func TestShow(t *testing.T) {
	for want, s := range map[string]figure.Spread{
		"0.36 (0.31..0.4)":    spread(t, 0.36, 0.31, 0.40),
		"0.123 (0.101..1.99)": spread(t, 0.1011, 0.12345, 1.987),
		"1235 (1000..2000)":   spread(t, 1000, 1234.6, 2000),
		"27":                  spread(t, 27),
		"24.5 (24..25)":       spread(t, 24, 25),
	} {
		require.Equal(t, want, table.Show(s))
	}
}

func run(t *testing.T) table.Run {
	t.Helper()
	return table.Run{
		Date: time.Date(2026, 11, 21, 3, 4, 0, 0, time.FixedZone("", 3600)), Commit: "abc1234", Machine: "2 cores", Rounds: 3,
		Rows: []table.Row{
			{Name: "acks", Measure: "a:b", Database: "SQLite", Figure: spread(t, 0.3, 0.2, 0.4), Bound: table.Bound{AtLeast: 0.25}, Record: "5|6"},
			{Name: "acks", Measure: "a:b", Database: "PostgreSQL", Figure: spread(t, 0.2, 0.2, 0.3), Bound: table.Bound{AtLeast: 0.25}},
			{Name: "engines", Measure: "c", NotMeasured: "because", Bound: table.Bound{AtLeast: 1}},
			{Name: "waiting", Measure: "d", Figure: spread(t, 12), Record: "x\ny"},
		},
	}
}

func TestMarkdown(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(t).Markdown(&out))
	require.Equal(t, "Measured on 2026-11-21 02:04 UTC at commit `abc1234`: 2 cores. Median of 3 rounds, and (min..max).\n\n"+
		"| Measure | Database | Figure | Hold to | Held | For the record |\n"+
		"|---|---|---|---|---|---|\n"+
		"| a:b | SQLite | 0.3 (0.2..0.4) | >= 0.25 | yes | 5\\|6 |\n"+
		"| a:b | PostgreSQL | 0.2 (0.2..0.3) | >= 0.25 | **no** |  |\n"+
		"| c |  | not measured: because | >= 1 | - |  |\n"+
		"| d |  | 12 | - | - | x y |\n", out.String())
}

func TestShortRunsSaySo(t *testing.T) {
	r := run(t)
	r.Short = true
	var out strings.Builder
	require.NoError(t, r.Markdown(&out))
	require.Contains(t, out.String(), "**A short run")
}

func TestJSONHoldsEveryRound(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(t).JSON(&out))
	var back table.Run
	require.NoError(t, json.Unmarshal([]byte(out.String()), &back))
	require.Equal(t, run(t).Rows, back.Rows)
	require.Equal(t, []float64{0.3, 0.2, 0.4}, back.Rows[0].Figure.Rounds)
}
