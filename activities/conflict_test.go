package activities

import (
	"testing"
	"time"

	"countersign/internal/qms/arena"
	arenasim "countersign/internal/simulator/arena"
	"countersign/internal/training"

	"github.com/stretchr/testify/require"
)

// conflicts are the readings of the contract where the seed says two things (CONFLICT), or where
// the contract leaves a choice to a switch: Countersign must be right under either.
func conflicts() map[string]scenario {
	switched := func(switches arenasim.Switches) scenario {
		return completes(func(s *stage) { s.switches(switches) })
	}
	dated := func(precision string) scenario {
		return completes(func(s *stage) {
			s.completion.CompletedAt = s.completion.CompletedAt.Add(750 * time.Millisecond)
			s.switches(arenasim.Switches{DatePrecision: precision})
		})
	}
	// tracked is a program that turns out to track scores when the write is under way.
	tracked := func(class training.FailureClass, answer string) scenario {
		sc := fails(class, training.RecordAssigned, func(s *stage) string {
			s.completion.Score = training.Score{}
			s.switches(arenasim.Switches{MissingField: answer})
			s.line.intervene(toComplete, func() { s.qms.AddTraining(arenasim.Training{ID: program, TracksScore: true}) })
			return s.assigned()
		})
		sc.end, sc.reviews = training.FailureIncomplete, []training.FailureClass{class, training.FailureIncomplete}
		if class == training.FailureIncomplete {
			sc.reviews = sc.reviews[:1]
		}
		return sc
	}
	approval := func(course string, change ...func(*arenasim.Record)) func(*stage) string {
		return func(s *stage) string { s.completion.Course.Code = course; return s.assigned(change...) }
	}
	submitted := scenario{outcome: training.OutcomeCompleted, status: training.RecordCompleted, changes: 2}
	byCourse, byRecord := submitted, submitted
	byCourse.arrange, byRecord.arrange = approval("APPROVED", approvable), approval("COMP-2026", approvable)
	return map[string]scenario{
		"C1 token cached": completes(func(*stage) {}),
		"C1 token per call": completes(func(s *stage) {
			s.tenant.QMS = s.connect(func(cfg *arena.Config) { cfg.TokenMode = arena.TokenPerCall })
		}),
		"C2 approval by the course's setting":    byCourse,
		"C2 approval by the record":              byRecord,
		"C2 approval set, and no step for it":    fails(training.FailureRefused, training.RecordAssigned, approval("APPROVED")),
		"C3 missing field, silently":             tracked(training.FailureIncomplete, arenasim.Silent),
		"C3 missing field, 400":                  tracked(training.FailureRefused, arenasim.Answer400),
		"complete_response ack":                  switched(arenasim.Switches{CompleteResponse: arenasim.ResponseAck}),
		"complete_response record":               switched(arenasim.Switches{CompleteResponse: arenasim.ResponseRecord}),
		"completionDate kept to the millisecond": dated(arenasim.PrecisionMillisecond),
		"completionDate kept to the second":      dated(arenasim.PrecisionSecond),
		"completionDate rounded":                 dated(arenasim.PrecisionRounded),
	}
}

func TestConflictC1_TokenCachedOrPerCall_R116(t *testing.T) {
	s, _ := conflicts()["C1 token cached"].perform(t)
	require.Equal(t, 1, s.qms.Calls(arenasim.EndpointToken))
	s, _ = conflicts()["C1 token per call"].perform(t)
	calls := 0
	for endpoint, n := range s.qms.AllCalls() {
		if endpoint != arenasim.EndpointToken {
			calls += n
		}
	}
	require.Equal(t, calls, s.qms.Calls(arenasim.EndpointToken))
}

func TestConflictC2_CompletedOrPendingApproval_R102_R120(t *testing.T) {
	for _, name := range []string{"C2 approval by the course's setting", "C2 approval by the record"} {
		s, id := conflicts()[name].perform(t)
		require.Equal(t, training.RecordPendingApproval, s.qms.Changes(id)[0].To)
	}
	s, _ := conflicts()["C2 approval set, and no step for it"].perform(t)
	require.Equal(t, "409 INVALID_TRANSITION", s.reviews[0].Detail)
	require.Equal(t, 1, s.qms.Calls(arenasim.EndpointComplete))
}

// A score that is known to be missing is not even sent; one that turns out to be missing has its
// reason under either reading.
func TestConflictC3_MissingFieldSilentOr400_R103_R106(t *testing.T) {
	s, _ := conflicts()["C3 missing field, silently"].perform(t)
	require.Equal(t, 1, s.qms.Calls(arenasim.EndpointComplete))
	s, _ = conflicts()["C3 missing field, 400"].perform(t)
	require.Equal(t, "400 MALFORMED_BODY", s.reviews[0].Detail)
	require.Equal(t, 1, s.qms.Calls(arenasim.EndpointComplete), "the second time it is known beforehand")
}

func TestConflictScopeErrorStatus401Or403_R118(t *testing.T) {
	for _, name := range []string{"13a scope missing, 403", "13b scope missing, 401"} {
		s, _ := scenarios()[name].perform(t)
		require.Equal(t, []training.FailureClass{training.FailureCredentials}, s.classes())
	}
}

func TestConflictExternalUpdatesOffSilentOr403_R109(t *testing.T) {
	for _, name := range []string{"11a updates off, silently", "11b updates off, 403"} {
		s, _ := scenarios()[name].perform(t)
		require.Equal(t, []training.FailureClass{training.FailureUpdatesOff}, s.classes())
	}
}

// The record in a 200 is no proof either: it is read back all the same.
func TestConflictCompleteResponseAckOrRecord_R106(t *testing.T) {
	for _, name := range []string{"complete_response ack", "complete_response record"} {
		s, _ := conflicts()[name].perform(t)
		require.Equal(t, 2, s.qms.Calls(arenasim.EndpointRecord), "before and after")
	}
}

func TestConflictDatePrecision_R101(t *testing.T) {
	for _, precision := range []string{"kept to the millisecond", "kept to the second", "rounded"} {
		s, id := conflicts()["completionDate "+precision].perform(t)
		record, _ := s.qms.Record(id)
		require.Equal(t, "14:30:00", record.CompletionDate.Format("15:04:05.999"), "never the second above")
	}
}
