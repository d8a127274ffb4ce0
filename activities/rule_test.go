package activities

import (
	"fmt"
	"testing"
	"time"

	arenasim "countersign/internal/simulator/arena"
	"countersign/internal/simulator/fault"
	"countersign/internal/training"

	"github.com/stretchr/testify/require"
)

// The client rules of the contract's §8, one test each, by their numbers.

// 1: by the link, else by search, exactly one; the policy for none is in create_test.go.
func TestRule1_RecordByLinkElseBySearch_R96_R97(t *testing.T) {
	s := newHouse(t).stage(t)
	enrolled(s)
	id := s.assigned()
	require.Equal(t, training.OutcomeCompleted, s.run().Outcome)
	require.Equal(t, 1, s.qms.Calls(arenasim.EndpointRecords), "searched")
	link, err := s.journal.FindLink(t.Context(), "acme", "lms", "88121", s.completion.Learner.Key(), s.completion.Course.Key())
	require.NoError(t, err, "the only hit is kept")
	require.Equal(t, id, link.RecordID)

	linked := newHouse(t).stage(t) // the link decides between two open records
	enrolled(linked)
	linked.assigned()
	link.RecordID, link.LearnerKey = linked.assigned(), linked.completion.Learner.Key()
	require.NoError(t, linked.journal.PutLink(t.Context(), link))
	result := linked.run()
	require.Equal(t, training.OutcomeCompleted, result.Outcome)
	require.Equal(t, link.RecordID, result.RecordID)
	require.Zero(t, linked.qms.Calls(arenasim.EndpointRecords), "not searched")

	fails(training.FailureRecordAmbiguous, training.RecordAssigned, func(s *stage) string {
		s.assigned()
		return s.assigned()
	}).perform(t)
}

// 2: checked before anything else, and remembered for some minutes.
func TestRule2_EmployeeIsCheckedAndRemembered_R114(t *testing.T) {
	h := newHouse(t)
	s := h.stage(t)
	s.assigned()
	s.qms.Fault(arenasim.EndpointRecords, fault.Status(503, 1)) // one minute on, still remembered
	require.Equal(t, training.OutcomeCompleted, s.run().Outcome)
	require.NoError(t, s.tenant.QMS.Employee(t.Context(), employee))
	require.Equal(t, 1, s.qms.Calls(arenasim.EndpointUser))

	s = h.stage(t) // who is unknown is not remembered: a person may create the employee
	s.assigned(func(r *arenasim.Record) { r.EmployeeID = "HR-2" })
	s.completion.Learner.ExternalID = "HR-2"
	s.onReview = func(training.Failure) training.Action {
		s.qms.AddUser(arenasim.User{EmployeeID: "HR-2", Active: true})
		return training.ActionClose
	}
	s.run()
	require.Equal(t, []training.FailureClass{training.FailureEmployeeUnknown}, s.classes())
	require.NoError(t, s.tenant.QMS.Employee(t.Context(), "HR-2"))
}

// 3: the status to send follows the course's setting.
func TestRule3_StatusByTheCoursesSetting_R120(t *testing.T) {
	for course, want := range map[string]training.RecordStatus{"COMP-2026": training.RecordCompleted, "APPROVED": training.RecordPendingApproval} {
		s := newHouse(t).stage(t)
		s.completion.Course.Code = course
		id := s.assigned(func(r *arenasim.Record) { r.ApprovalRequired = course == "APPROVED" })
		s.run()
		require.Equal(t, want, s.qms.Changes(id)[0].To)
	}
}

// 4: every write has its own X-Request-ID, the retries too. What is logged is held by
// TestCallsAreLoggedWithoutPersonsAndSecrets_R130.
func TestRule4_FreshRequestIDs_R105(t *testing.T) {
	s := newHouse(t).stage(t)
	s.assigned()
	s.qms.Fault(arenasim.EndpointComplete, fault.Status(503, 3))
	s.run()
	ids := map[string]bool{}
	for _, entry := range s.qms.Log(0) {
		require.NotEmpty(t, entry.RequestID)
		require.False(t, ids[entry.RequestID])
		ids[entry.RequestID] = true
	}
	require.Equal(t, 4, s.qms.Calls(arenasim.EndpointComplete))
}

// 5: a 200 that changed nothing is read again, classified, and not sent again. That the reads are
// three in ten seconds is held by qms.TestReadBackIsPatientForTenSeconds_R106.
func TestRule5_SilenceIsClassifiedAndNotRepeated_R106_R109_R111_R122(t *testing.T) {
	for class, spoil := range map[training.FailureClass]func(*stage, string){
		training.FailureUnchanged:      func(s *stage, _ string) { s.qms.Fault(arenasim.EndpointComplete, fault.Silent(1)) },
		training.FailureRecordLocked:   func(s *stage, id string) { require.NoError(t, s.qms.Lock(id, true)) },
		training.FailureUpdatesOff:     func(s *stage, _ string) { s.switches(arenasim.Switches{ExternalUpdatesOff: true}) },
		training.FailureApprovalNeeded: func(s *stage, _ string) { s.qms.AddTraining(arenasim.Training{ID: program, ApprovalRequired: true}) },
	} {
		t.Run(string(class), func(t *testing.T) {
			s := newHouse(t).stage(t)
			id := s.assigned()
			s.line.intervene(toComplete, func() { spoil(s, id) })
			s.run()
			require.Equal(t, []training.FailureClass{class}, s.classes())
			require.Equal(t, 1, s.qms.Calls(arenasim.EndpointComplete))
			require.Empty(t, s.qms.Changes(id))
		})
	}
}

// 6 and 9: after a 409, and after a timeout, the record itself says whether it was us.
func TestRule6And9_DoubtIsSettledByReading_R93(t *testing.T) {
	s := newHouse(t).stage(t)
	id := s.assigned()
	s.line.timeout[toComplete] = true
	require.Equal(t, training.OutcomeCompleted, s.run().Outcome)
	require.Empty(t, s.reviews)
	require.Equal(t, 1, s.qms.Calls(arenasim.EndpointComplete), "not sent again")
	require.Len(t, s.mine(id), 1)

	for name, tc := range map[string]struct {
		score float64
		want  []training.FailureClass
	}{
		"our own, carried out late": {91.5, nil},
		"another content":           {80, []training.FailureClass{training.FailureCompletedElse}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newHouse(t).stage(t)
			id := s.assigned(scored)
			s.line.intervene(toComplete, func() { // between our read and our write
				record, _ := s.qms.Record(id)
				record.Status, record.CompletionDate, record.Score = training.RecordCompleted, &s.completion.CompletedAt, &tc.score
				s.qms.AddRecord(record)
			})
			s.run()
			require.Equal(t, tc.want, s.classes())
			require.Empty(t, s.mine(id))
		})
	}
}

// 7: nothing is retried that cannot succeed, and nothing that could is given up early.
func TestRule7_WhatIsRetriedAndWhatIsNot_R123(t *testing.T) {
	const retried, once = 4, 1
	status := func(code int) fault.Fault { return fault.Status(code, fault.Forever) }
	for name, tc := range map[string]struct {
		fault    fault.Fault
		class    training.FailureClass
		attempts int
	}{
		"connection reset": {fault.DropBefore(fault.Forever), training.FailureUnreachable, retried},
		"408":              {status(408), training.FailureUnreachable, retried},
		"425":              {status(425), training.FailureUnreachable, retried},
		"429":              {status(429), training.FailureRateLimited, retried},
		"500":              {status(500), training.FailureUnreachable, retried},
		"501":              {status(501), training.FailureUnreachable, retried},
		"502":              {status(502), training.FailureUnreachable, retried},
		"503":              {status(503), training.FailureUnreachable, retried},
		"504":              {status(504), training.FailureUnreachable, retried},
		"401":              {status(401), training.FailureCredentials, retried},
		"403":              {status(403), training.FailureCredentials, retried},
		"302":              {status(302), training.FailureMisread, retried},
		"400":              {status(400), training.FailureRefused, once},
		"402":              {status(402), training.FailureRefused, once},
		"404":              {status(404), training.FailureRefused, once},
		"405":              {status(405), training.FailureRefused, once},
		"406":              {status(406), training.FailureRefused, once},
		"409":              {status(409), training.FailureRefused, once},
		"410":              {status(410), training.FailureRefused, once},
		"413":              {status(413), training.FailureRefused, once},
		"415":              {status(415), training.FailureRefused, once},
		"422":              {status(422), training.FailureRefused, once},
		"silence":          {fault.Silent(fault.Forever), training.FailureUnchanged, once},
	} {
		for _, endpoint := range []fault.Endpoint{arenasim.EndpointComplete, arenasim.EndpointRecord, arenasim.EndpointRecords, arenasim.EndpointUser} {
			if name == "silence" && endpoint != arenasim.EndpointComplete {
				continue // a read that changes nothing is a read
			}
			t.Run(fmt.Sprint(name, " ", endpoint), func(t *testing.T) {
				s := newLightHouse(t).stage(t)
				id := s.assigned()
				s.qms.Fault(endpoint, tc.fault)
				require.Equal(t, training.OutcomeClosed, s.run().Outcome)
				require.Equal(t, []training.FailureClass{tc.class}, s.classes(), "one question, one notice (R133)")
				require.Equal(t, tc.attempts == retried, tc.class.Transient())
				calls := s.qms.Calls(endpoint)
				if tc.class == training.FailureCredentials {
					require.GreaterOrEqual(t, calls, tc.attempts) // and once more with a fresh token
					calls = tc.attempts
				}
				require.Equal(t, tc.attempts, calls)
				require.Empty(t, s.qms.Changes(id))
			})
		}
	}
}

// 7: Retry-After lengthens a gap, of a 503 too, and never shortens one.
func TestRule7_RetryAfterIsHonoured_R123(t *testing.T) {
	for after, want := range map[string]time.Duration{"": time.Minute, "5": time.Minute, "600": 10 * time.Minute} {
		for _, code := range []int{429, 503} {
			s := newLightHouse(t).stage(t)
			s.assigned()
			s.qms.Fault(arenasim.EndpointComplete, fault.Fault{Answer: fault.AnswerStatus, Status: code, RetryAfter: after})
			require.Equal(t, training.OutcomeCompleted, s.run().Outcome)
			require.Equal(t, []time.Duration{want}, s.gaps(arenasim.EndpointComplete), "%d %q", code, after)
		}
	}
}

// 8: one, five and fifteen minutes, spread by jitter where the tenant wants it, and then a person.
func TestRule8_ScheduleAndJitter_R123_R129_R133(t *testing.T) {
	for _, jitter := range []float64{0, 0.5} {
		s := newLightHouse(t).stage(t)
		s.policy.Retry.Jitter = jitter
		s.policy.Retry.Maximum = 30 * time.Minute // room for the jitter of the last gap
		s.assigned()
		s.qms.Fault(arenasim.EndpointComplete, fault.Status(503, fault.Forever))
		s.run()
		require.Len(t, s.reviews, 1)
		gaps := s.gaps(arenasim.EndpointComplete)
		require.Len(t, gaps, 3)
		for i, gap := range gaps {
			least := s.policy.Retry.Gap(i + 1)
			require.GreaterOrEqual(t, gap, least)
			require.LessOrEqual(t, gap, least+time.Duration(jitter*float64(least))+time.Second)
		}
	}
}
