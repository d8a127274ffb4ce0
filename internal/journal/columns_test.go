package journal

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/postgrestest"
	"countersign/internal/training"
)

// oddTexts mean something else in an array's or a statement's syntax.
var oddTexts = []string{"", "NULL", "null", `{}`, `{a,"b"}`, `a,b`, `"`, `\`, `\"`, `\x41`, `'`, `''; --`, "$1", "?", " ", "\n\t", "é", "\U0001F600", "\x7f"}

// A pooler that keeps no statements is spoken to in the simple protocol, in which values are part of the statement's text
// (docs of pgx, QueryExecMode): what is stored must be the same in every mode.
func TestColumnsKeepOddTextsInEveryMode(t *testing.T) {
	dsns := map[string]string{"sqlite": filepath.Join(t.TempDir(), "journal.db")}
	for _, mode := range []string{"cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol"} {
		dsns[mode] = postgrestest.Start(t) + "&default_query_exec_mode=" + mode
	}
	for name, dsn := range dsns {
		t.Run(name, func(t *testing.T) {
			j, err := Open(t.Context(), dsn, Options{})
			require.NoError(t, err)
			defer func() { require.NoError(t, j.Close()) }()
			body := make([]byte, 256)
			for i := range body {
				body[i] = byte(i)
			}
			d := Delivery{ID: NewDeliveryID(), Tenant: "acme", Source: "lms", Path: `/{"a",\}`, Body: body, Verdict: VerdictAccepted}
			var sent []training.Completion
			for _, text := range oddTexts {
				sent = append(sent, training.Completion{Tenant: "acme", Source: "lms",
					Learner: training.Learner{ID: "u" + text}, Course: training.Course{ID: text, Title: text}})
			}
			receipt, err := j.Append(t.Context(), d, append(sent, sent[0]))
			require.NoError(t, err)
			for i, c := range sent {
				require.False(t, receipt.Completions[i].Duplicate)
				stored, err := j.Completion(t.Context(), "acme", c.Fingerprint())
				require.NoError(t, err)
				require.Equal(t, c.Course, stored.Completion.Course)
				require.Equal(t, d.ID, stored.DeliveryID)
			}
			require.True(t, receipt.Completions[len(sent)].Duplicate)
			kept, err := j.Delivery(t.Context(), "acme", d.ID)
			require.NoError(t, err)
			require.Equal(t, body, kept.Body)
			require.Equal(t, d.Path, kept.Path)
		})
	}
}

// Two committers that share keys would wait for each other for ever, did one of them not insert in the order of the keys.
func TestRowsAreInsertedInTheirOrder(t *testing.T) {
	for place, dsn := range map[string]string{"rowid": filepath.Join(t.TempDir(), "journal.db"), "ctid": postgrestest.Start(t)} {
		t.Run(place, func(t *testing.T) {
			j, err := Open(t.Context(), dsn, Options{})
			require.NoError(t, err)
			defer func() { require.NoError(t, j.Close()) }()
			var sent []training.Completion
			for n := range 3000 {
				sent = append(sent, training.Completion{Tenant: "acme", Source: "lms", Learner: training.Learner{ID: fmt.Sprint("u", n)}})
			}
			_, err = j.Append(t.Context(), Delivery{Tenant: "acme", Source: "lms", Verdict: VerdictAccepted}, sent)
			require.NoError(t, err)
			inserted, err := list(t.Context(), j, j.read, scanKey, `SELECT tenant, fingerprint FROM completions ORDER BY `+place)
			require.NoError(t, err)
			require.Len(t, inserted, 3000)
			require.True(t, slices.IsSortedFunc(inserted, func(a, b key) int { return cmp.Compare(a.fingerprint, b.fingerprint) }))
		})
	}
}

// What PostgreSQL decides in the statement that stores a batch is what the senders are told: a delivery is accepted if it is
// the first with something new (R87).
func TestStoredVerdictsAreThoseOfTheReceipts_R87(t *testing.T) {
	for name, dsn := range map[string]string{"sqlite": filepath.Join(t.TempDir(), "journal.db"), "postgres": postgrestest.Start(t)} {
		t.Run(name, func(t *testing.T) {
			j, err := Open(t.Context(), dsn, Options{})
			require.NoError(t, err)
			defer func() { require.NoError(t, j.Close()) }()
			_, err = appended(j, 1, nil)
			require.NoError(t, err)

			var batch []*waiting
			var want []Verdict
			for _, d := range []struct {
				given, want Verdict
				completions []int
			}{
				{VerdictAccepted, VerdictDuplicate, []int{1}},
				{VerdictAccepted, VerdictAccepted, []int{1, 3}},
				{VerdictAccepted, VerdictDuplicate, []int{3, 3}},
				{VerdictDuplicate, VerdictAccepted, []int{2}},
				{VerdictUnmapped, VerdictUnmapped, []int{4}},
				{VerdictAccepted, VerdictDuplicate, []int{4}},
				{VerdictIgnored, VerdictIgnored, nil},
				{VerdictRejected, VerdictRejected, nil},
			} {
				var cs []training.Completion
				for _, n := range d.completions {
					cs = append(cs, nth(n))
				}
				w, err := j.prepare(t.Context(), Delivery{ID: NewDeliveryID(), Tenant: "acme", Source: "lms", Verdict: d.given}, cs)
				require.NoError(t, err)
				batch, want = append(batch, w), append(want, d.want)
			}
			require.NoError(t, j.commit(batch))
			for i, w := range batch {
				told := <-w.answer
				require.Equal(t, want[i], told.receipt.Verdict, "delivery %d, told", i+1)
				stored, err := j.Delivery(t.Context(), "acme", w.delivery.ID)
				require.NoError(t, err)
				require.Equal(t, want[i], stored.Verdict, "delivery %d, stored", i+1)
			}
		})
	}
}
