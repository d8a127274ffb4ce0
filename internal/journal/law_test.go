package journal

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/postgrestest"
	"countersign/internal/training"
)

// eachInside is the suite's each for tests that reach into the journal.
func eachInside(t *testing.T, run func(t *testing.T, j *Journal)) {
	t.Helper()
	for name, dsn := range map[string]func(testing.TB) string{
		"sqlite":   func(t testing.TB) string { return filepath.Join(t.TempDir(), "journal.db") },
		"postgres": postgrestest.Start,
	} {
		t.Run(name, func(t *testing.T) {
			j, err := Open(context.Background(), dsn(t), Options{})
			require.NoError(t, err)
			defer func() { require.NoError(t, j.Close()) }()
			run(t, j)
		})
	}
}

func TestRefusedBatchIsCommittedOneByOne(t *testing.T) {
	eachInside(t, func(t *testing.T, j *Journal) {
		ctx := context.Background()
		taken := NewDeliveryID()
		_, err := j.Append(ctx, Delivery{ID: taken, Tenant: "acme", Source: "lms", Verdict: VerdictTest}, nil)
		require.NoError(t, err)

		var batch []*waiting
		for _, n := range []int{1, 2, 3, 3, 4} { // two bring the same completion
			w, err := j.prepare(ctx, Delivery{ID: NewDeliveryID(), Tenant: "acme", Source: "lms"},
				[]training.Completion{nth(n)})
			require.NoError(t, err)
			batch = append(batch, w)
		}
		batch[1].delivery.ID = taken // what only the database can tell
		before := j.Stats().Commits
		j.settle(batch)
		require.EqualValues(t, 4, j.Stats().Commits-before)
		for i, verdict := range []Verdict{VerdictAccepted, "", VerdictAccepted, VerdictDuplicate, VerdictAccepted} {
			a := <-batch[i].answer
			require.Equal(t, verdict, a.receipt.Verdict, i)
			require.Equal(t, verdict == "", a.err != nil, "%d: %v", i, a.err)
		}
	})
}

// The database itself keeps the laws, also against whoever has a SQL prompt.
func TestDatabaseKeepsTheLaws(t *testing.T) {
	eachInside(t, func(t *testing.T, j *Journal) {
		ctx := context.Background()
		fp, err := appended(j, 1, nil)
		require.NoError(t, err)
		require.NoError(t, j.Project(ctx, "acme", fp, Projection{State: training.StateCompleted}))
		_, err = j.PutEffect(ctx, Effect{Tenant: "acme", Fingerprint: fp, Kind: training.EffectRecord, Bytes: []byte("1")})
		require.NoError(t, err)
		require.NoError(t, j.AddDecision(ctx, DecisionEntry{Tenant: "acme", Fingerprint: fp, Round: 1}))

		closed, err := appended(j, 2, nil)
		require.NoError(t, err)
		require.NoError(t, j.Project(ctx, "acme", closed, Projection{State: training.StateClosed}))

		e := training.Enrollment{Tenant: "acme", Source: "lms", EnrollmentID: "1", Learner: training.Learner{ID: "7"}, Course: training.Course{ID: "1"}}
		_, err = j.Append(ctx, Delivery{Tenant: "acme", Source: "lms", Body: []byte("{}")}, nil, e)
		require.NoError(t, err)
		_, err = j.ProjectEnrollment(ctx, "acme", e.Key(), EnrollmentProjection{State: training.EnrollmentClosed,
			Decision: &training.Decision{Action: training.ActionClose, By: "m.keller", Reason: "left the company"}, Round: 1})
		require.NoError(t, err)

		statements := []string{
			`UPDATE enrollments SET state = 'QUEUED'`, // without a replay
			`UPDATE enrollments SET state = 'LINKED'`,
			`DELETE FROM enrollments`,
			`UPDATE enrollment_decisions SET action = 'replay'`,
			`UPDATE completions SET state = 'RUNNING' WHERE state = 'CLOSED'`, // without a replay
			`UPDATE completions SET state = 'COMPLETED' WHERE state = 'CLOSED'`,
			`DELETE FROM completions`,
			`UPDATE completions SET state = 'QUEUED'`,
			`UPDATE completions SET completion = '{}'`,
			`UPDATE completions SET fingerprint = 'other'`,
			`DELETE FROM effects`,
			`UPDATE effects SET id = 'other'`,
			`DELETE FROM decisions`,
			`UPDATE decisions SET reason = 'other'`,
		}
		if j.dialect == (postgresDialect{}) {
			statements = append(statements, `TRUNCATE completions CASCADE`, `TRUNCATE effects`, `TRUNCATE decisions`)
		} else {
			statements = append(statements, `REPLACE INTO decisions SELECT tenant, fingerprint, round, action,
					decided_by, 'other', decided_at, via, meaning, record_id, employee_id FROM decisions`)
		}
		for _, statement := range statements {
			_, err := j.exec(ctx, statement)
			require.Error(t, err, statement)
			require.True(t, j.dialect.refusesContent(err), "%s: %v", statement, err)
		}
	})
}
