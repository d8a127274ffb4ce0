package activities

import (
	"context"
	"slices"
	"testing"
	"time"

	"countersign/internal/qms"
	"countersign/internal/qms/arena"
	arenasim "countersign/internal/simulator/arena"
	"countersign/internal/simulator/fault"
	"countersign/internal/training"

	"github.com/stretchr/testify/require"
)

// scenarios are those of the contract, by their numbers there; a letter tells variants apart.
func scenarios() map[string]scenario {
	nothing := func(*stage) {}
	open := func(s *stage) string { return s.assigned() }
	complete := func(f ...fault.Fault) func(*stage) {
		return func(s *stage) { s.qms.Fault(arenasim.EndpointComplete, f...) }
	}
	standing := func(sc scenario, forever bool, f ...fault.Fault) scenario {
		sc.stand, sc.forever = complete(f...), forever
		return sc
	}
	approved := scenario{
		arrange: func(s *stage) string { return s.assigned(scored, approvable) },
		outcome: training.OutcomeCompleted, status: training.RecordCompleted, changes: 2,
	}
	discovered := approved
	discovered.reviews = []training.FailureClass{training.FailureApprovalNeeded}
	discovered.arrange = func(s *stage) string {
		id := s.assigned()
		s.line.intervene(toComplete, func() { s.qms.AddTraining(arenasim.Training{ID: program, ApprovalRequired: true}) })
		return id
	}
	rejected := approved
	rejected.outcome, rejected.status = training.OutcomeRejected, training.RecordInProgress
	rejected.arrange = func(s *stage) string {
		s.approval = training.ActionReject
		return s.assigned(approvable)
	}
	given := fails(training.FailureRecordMissing, training.RecordAssigned, func(s *stage) string {
		id := s.assigned()
		s.line.intervene(toComplete, func() {
			record, _ := s.qms.Record(id)
			record.EmployeeID = "HR-1"
			s.qms.AddRecord(record)
		})
		return id
	})
	given.reviews = []training.FailureClass{training.FailureEmployeeMismatch, training.FailureRecordMissing}
	inStatus := func(status training.RecordStatus) func(*stage) string {
		return func(s *stage) string { return s.assigned(func(r *arenasim.Record) { r.Status = status }) }
	}
	scopeMissing := func(status int) func(*stage) string {
		return func(s *stage) string {
			s.switches(arenasim.Switches{ScopeErrorStatus: status})
			s.qms.AddAccount(arenasim.Account{ClientID: "poor", ClientSecret: "secret", Scopes: []string{arenasim.ScopeWrite, arenasim.ScopeUsers}})
			s.tenant.QMS = s.connect(func(cfg *arena.Config) { cfg.ClientID, cfg.Scopes = "poor", nil })
			return s.assigned()
		}
	}
	return map[string]scenario{
		"01 with score": completes(nothing),
		"02 without score": {
			arrange: func(s *stage) string { s.completion.Score = training.Score{}; return s.assigned() },
			outcome: training.OutcomeCompleted, status: training.RecordCompleted, changes: 1,
		},
		"03 unknown employee": fails(training.FailureEmployeeUnknown, "", func(s *stage) string {
			s.completion.Learner.ExternalID = "HR-404"
			return ""
		}),
		"04 already completed": fails(training.FailureCompletedElse, training.RecordCompleted, func(s *stage) string {
			at := s.completion.CompletedAt.Add(-time.Hour)
			return s.assigned(func(r *arenasim.Record) { r.Status, r.CompletionDate = training.RecordCompleted, &at })
		}),
		"05 expired token": completes(func(s *stage) { s.token(); s.qms.ExpireTokens() }),
		"06a date missing": fails(training.FailureIncomplete, training.RecordAssigned, func(s *stage) string {
			s.completion.CompletedAt = time.Time{}
			return s.assigned()
		}),
		"06b something missing, unsaid":      standing(fails(training.FailureUnchanged, training.RecordAssigned, open), true, fault.Silent(fault.Forever)),
		"07 approval needed, COMPLETED sent": discovered,
		"08 approved":                        approved,
		"09 rejected":                        rejected,
		"10a expired":                        fails(training.FailureRecordExpired, training.RecordExpired, inStatus(training.RecordExpired)),
		"10b cancelled":                      fails(training.FailureRecordCancelled, training.RecordCancelled, inStatus(training.RecordCancelled)),
		"11a updates off, silently": fails(training.FailureUpdatesOff, training.RecordAssigned, func(s *stage) string {
			s.switches(arenasim.Switches{ExternalUpdatesOff: true})
			return s.assigned()
		}),
		"11b updates off, 403": fails(training.FailureUpdatesOff, training.RecordAssigned, func(s *stage) string {
			s.switches(arenasim.Switches{ExternalUpdatesOff: true, ExternalUpdatesOffAnswer: arenasim.Answer403})
			return s.assigned()
		}),
		"12 locked": fails(training.FailureRecordLocked, training.RecordAssigned, func(s *stage) string {
			return s.assigned(func(r *arenasim.Record) { r.Locked = true })
		}),
		"13a scope missing, 403": fails(training.FailureCredentials, training.RecordAssigned, scopeMissing(403)),
		"13b scope missing, 401": fails(training.FailureCredentials, training.RecordAssigned, scopeMissing(401)),
		"14 answer lost":         standing(completes(nothing), false, fault.DropAfter(1)),
		"15 503 three times":     standing(completes(nothing), false, fault.Status(503, 3)),
		"16 503 for ever":        standing(fails(training.FailureUnreachable, training.RecordAssigned, open), true, fault.Status(503, fault.Forever)),
		"17 429":                 standing(completes(nothing), false, fault.RateLimited("120", 1)),
		"18 old path": fails(training.FailureRefused, training.RecordAssigned, func(s *stage) string {
			s.tenant.QMS = s.connect(func(cfg *arena.Config) { cfg.BaseURL += "/training" })
			return s.assigned()
		}),
		"19 two workers":        completes(func(s *stage) { s.token(); s.qms.ExpireTokens(); s.colleague() }),
		"20 owner mismatch":     given,
		"21 short-lived tokens": completes(func(s *stage) { s.qms.SetTokenLifetime(2 * time.Minute) }),
	}
}

// colleague is another completion that another worker carries at the same time with the same
// account. It takes over what is left of it with a client of its own once all is well again.
func (s *stage) colleague() {
	id := s.assigned(func(r *arenasim.Record) { r.EmployeeID = "HR-1" })
	write := training.Write{RecordID: id, EmployeeID: "HR-1", Status: training.RecordCompleted, CompletedAt: s.completion.CompletedAt, Score: "91.5"}
	done, client := make(chan struct{}), s.tenant.QMS
	opts := qms.ApplyOptions{Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}
	go func() {
		defer close(done)
		_, _ = qms.Apply(context.Background(), client, write, opts)
	}()
	s.t.Cleanup(func() {
		<-done
		s.qms.CommitLate()
		s.qms.ClearFaults()
		_, err := qms.Apply(context.Background(), s.connect(nil), write, opts)
		require.NoError(s.t, err)
		require.Len(s.t, s.mine(id), 1)
	})
}

func TestScenario01_CompletionWithScore_R184(t *testing.T) {
	s, id := scenarios()["01 with score"].perform(t)
	record, _ := s.qms.Record(id)
	require.InDelta(t, 91.5, *record.Score, 0)
}

func TestScenario02_CompletionWithoutScore_R185(t *testing.T) {
	s, id := scenarios()["02 without score"].perform(t)
	record, _ := s.qms.Record(id)
	require.Nil(t, record.Score)
}

func TestScenario03_UnknownEmployee_R186(t *testing.T) {
	s, _ := scenarios()["03 unknown employee"].perform(t)
	require.Equal(t, "404 EMPLOYEE_NOT_FOUND", s.reviews[0].Detail)
	require.Equal(t, 1, s.qms.Calls(arenasim.EndpointUser), "not retried: no time will mend it")
}

func TestScenario04_AlreadyCompleted_R187(t *testing.T) {
	s, _ := scenarios()["04 already completed"].perform(t)
	require.Zero(t, s.qms.Calls(arenasim.EndpointComplete))
}

func TestScenario05_ExpiredToken_R188(t *testing.T) {
	s, _ := scenarios()["05 expired token"].perform(t)
	require.Equal(t, 2, s.qms.Calls(arenasim.EndpointToken))
}

func TestScenario06_MissingCompletionDate_R106(t *testing.T) {
	s, _ := scenarios()["06a date missing"].perform(t)
	require.Zero(t, s.qms.Calls(arenasim.EndpointComplete), "it would be accepted and ignored")
	s, id := scenarios()["06b something missing, unsaid"].perform(t)
	require.Equal(t, 1, s.qms.Calls(arenasim.EndpointComplete), "the same body would fail the same way")
	require.Empty(t, s.qms.Changes(id))
}

func TestScenario07_ApprovalNeededButCompletedSent_R121_R122(t *testing.T) {
	s, id := scenarios()["07 approval needed, COMPLETED sent"].perform(t)
	require.Equal(t, training.RecordPendingApproval, s.qms.Changes(id)[0].To, "submitted at the second try, and approved")
}

func TestScenario08_SubmittedAndApproved_R120(t *testing.T) {
	s, id := scenarios()["08 approved"].perform(t)
	require.Equal(t, "m.keller", s.qms.Changes(id)[1].Actor)
}

func TestScenario09_Rejected_R120(t *testing.T) {
	s, id := scenarios()["09 rejected"].perform(t)
	record, _ := s.qms.Record(id)
	require.Nil(t, record.CompletionDate)
}

func TestScenario10_ExpiredAndCancelled_R108(t *testing.T) {
	for _, name := range []string{"10a expired", "10b cancelled"} {
		s, _ := scenarios()[name].perform(t)
		require.Zero(t, s.qms.Calls(arenasim.EndpointComplete))
	}
}

func TestScenario11_ExternalUpdatesOff_R109(t *testing.T) {
	for _, name := range []string{"11a updates off, silently", "11b updates off, 403"} {
		sc := scenarios()[name]
		sc.perform(t)

		s := newHouse(t).stage(t) // and a person who switches them on
		id := sc.arrange(s)
		s.onReview = func(training.Failure) training.Action { s.switches(arenasim.Switches{}); return training.ActionRetry }
		require.Equal(t, training.OutcomeCompleted, s.run().Outcome)
		require.Len(t, s.mine(id), 1)
	}
}

func TestScenario12_Locked_R111(t *testing.T) {
	sc := scenarios()["12 locked"]
	sc.perform(t)

	s := newHouse(t).stage(t) // and a person who has it unlocked
	id := sc.arrange(s)
	s.onReview = func(training.Failure) training.Action {
		require.NoError(t, s.qms.Lock(id, false))
		return training.ActionRetry
	}
	require.Equal(t, training.OutcomeCompleted, s.run().Outcome)
	require.Len(t, s.mine(id), 1)
}

func TestScenario13_ScopeMissing_R113_R118(t *testing.T) {
	for _, name := range []string{"13a scope missing, 403", "13b scope missing, 401"} {
		s, _ := scenarios()[name].perform(t)
		require.Contains(t, s.reviews[0].Detail, "SCOPE_MISSING")
		require.Equal(t, []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute},
			slices.DeleteFunc(s.gaps(arenasim.EndpointComplete), func(d time.Duration) bool { return d == 0 }),
			"an administrator may grant it meanwhile")
		require.LessOrEqual(t, s.qms.Calls(arenasim.EndpointToken), 5, "one and at most one more per attempt")
	}
}

func TestScenario14_AnswerLostAfterApplying_R93(t *testing.T) {
	s, _ := scenarios()["14 answer lost"].perform(t)
	require.Equal(t, 1, s.qms.Calls(arenasim.EndpointComplete))
}

func TestScenario15_UnavailableThreeTimes_R123(t *testing.T) {
	s, _ := scenarios()["15 503 three times"].perform(t)
	require.Equal(t, []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute}, s.gaps(arenasim.EndpointComplete))
}

func TestScenario16_UnavailableForEver_R123_R133_R139(t *testing.T) {
	s, _ := scenarios()["16 503 for ever"].perform(t)
	require.Equal(t, []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute}, s.gaps(arenasim.EndpointComplete), "four attempts")
	require.Len(t, s.reviews, 1, "one question")
}

func TestScenario17_RateLimitedWithRetryAfter_R123(t *testing.T) {
	s, _ := scenarios()["17 429"].perform(t)
	require.Equal(t, []time.Duration{2 * time.Minute}, s.gaps(arenasim.EndpointComplete), "as asked, not after one minute")
}

func TestScenario18_OldPath_R95(t *testing.T) {
	s, _ := scenarios()["18 old path"].perform(t)
	require.Contains(t, s.reviews[0].Detail, "404")
	require.Equal(t, 1, s.qms.Calls(fault.Any), "not retried: a setting is wrong")
}

func TestScenario19_TwoWorkersOneTokenRefresh_R116(t *testing.T) {
	s, _ := scenarios()["19 two workers"].perform(t)
	require.Equal(t, 2, s.qms.Calls(arenasim.EndpointToken))
}

func TestScenario20_OwnerMismatch_R96(t *testing.T) {
	s, _ := scenarios()["20 owner mismatch"].perform(t)
	require.Equal(t, "422 EMPLOYEE_MISMATCH", s.reviews[0].Detail)
}

func TestScenario21_TokensThatLiveShorterThanFiveMinutes_R117(t *testing.T) {
	s, _ := scenarios()["21 short-lived tokens"].perform(t)
	require.Equal(t, 1, s.qms.Calls(arenasim.EndpointToken), "not one per call")
}
