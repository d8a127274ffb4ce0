package rest_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"countersign/internal/lmsapi/rest"
	"countersign/internal/outbound"
	"countersign/internal/training"
)

// Whatever the lengths of the rows: a page is read whole and in order, or the row that is too long alone is the error.
func TestPiecesAreThePage_R143(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const most = 100
		lengths := rapid.SliceOfN(rapid.IntRange(0, most+most/10), 0, 300).Draw(t, "lengths")
		size := rapid.SampledFrom([]int{1, 7, 100, 200, 500}).Draw(t, "size")
		number := rapid.IntRange(0, 3).Draw(t, "number")
		cut := func(page, size int) (from, to int) {
			return min(page*size, len(lengths)), min((page+1)*size, len(lengths))
		}
		read := func(page, size int) (rows []int, more bool, err error) {
			from, to := cut(page, size)
			total := 0
			for i := from; i < to; i++ {
				rows, total = append(rows, i), total+lengths[i]
			}
			if total > most {
				return nil, false, outbound.TooLargeError{Limit: most}
			}
			return rows, to < len(lengths), nil
		}
		from, to := cut(number, size)
		var want []int
		long := false
		for i := from; i < to; i++ {
			want, long = append(want, i), long || lengths[i] > most
		}
		rows, more, err := rest.Pieces(number, size, read)
		if long {
			require.True(t, rest.TooLarge(err))
			return
		}
		require.NoError(t, err)
		require.Equal(t, want, rows)
		require.Equal(t, to < len(lengths), more)
	})
}

func TestPiecesEndWithAnyOtherFailure(t *testing.T) {
	gone, calls := errors.New("gone"), 0
	_, _, err := rest.Pieces(0, 100, func(_, size int) ([]int, bool, error) {
		if calls++; size == 100 {
			return nil, false, outbound.TooLargeError{Limit: 1}
		}
		return []int{1}, true, gone
	})
	require.ErrorIs(t, err, gone)
	require.Equal(t, 2, calls)
}

// Of an answer that comes whole, because the platform has no pages, more is read; and of either the bound is named.
func TestAnAnswerThatIsTooLargeNamesTheBound(t *testing.T) {
	for name, tc := range map[string]struct {
		whole  bool
		length int
		want   string // "" for read
	}{
		"a page":              {false, 4 << 20, ""},
		"a page, too large":   {false, 4<<20 + 1, "misread: list rows /rows: answer is larger than 4 MiB, the most that is read"},
		"all rows":            {true, 4<<20 + 1, ""},
		"all rows, too large": {true, 32<<20 + 1, "misread: list rows /rows: answer is larger than 32 MiB, the most that is read"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				// The client hangs up where it has read enough.
				_, _ = io.Copy(w, io.MultiReader(strings.NewReader(`"`), strings.NewReader(strings.Repeat("x", tc.length-2)), strings.NewReader(`"`)))
			}))
			t.Cleanup(server.Close)
			c, err := rest.New(rest.Config{URL: server.URL}, rest.Manner{Platform: "test"})
			require.NoError(t, err)
			var answer string
			_, err = c.Do(t.Context(), rest.Call{Operation: "list rows", Path: "/rows", Whole: tc.whole}, &answer)
			if tc.want == "" {
				require.NoError(t, err)
				require.Len(t, answer, tc.length-2)
				return
			}
			require.EqualError(t, err, tc.want)
			require.True(t, rest.TooLarge(err))
			var failure *training.Failure
			require.ErrorAs(t, err, &failure)
			require.Equal(t, training.FailureMisread, failure.Class)
		})
	}
}
