package activities

import (
	"maps"
	"slices"
	"testing"
	"time"

	arenasim "countersign/internal/simulator/arena"
	"countersign/internal/simulator/fault"
	"countersign/internal/training"

	"github.com/stretchr/testify/require"
)

// created is a completion whose record is missing, where the tenant's policy says create.
func created(arrange func(*stage)) scenario {
	return scenario{
		arrange: func(s *stage) string {
			s.policy.MissingRecord = training.MissingCreate
			arrange(s)
			return ""
		},
		outcome: training.OutcomeCompleted, status: training.RecordCompleted, changes: 1, creates: 1,
	}
}

func enrolled(s *stage) { s.completion.EnrollmentID = "88121" }

func TestMissingRecordIsReviewedByDefault_R98(t *testing.T) {
	sc := fails(training.FailureRecordMissing, "", func(*stage) string { return "" })
	s, _ := sc.perform(t)
	require.Zero(t, s.qms.Calls(arenasim.EndpointCreate))
}

func TestMissingRecordIsCreatedByPolicy_R98(t *testing.T) {
	for name, arrange := range map[string]func(*stage){"with an enrollment": enrolled, "without": func(*stage) {}} {
		t.Run(name, func(t *testing.T) {
			s := newHouse(t).stage(t)
			id, _ := created(arrange).play(t, s, nil)
			require.Empty(t, s.reviews)
			record, _ := s.qms.Record(id)
			require.Equal(t, s.completion.ExternalRef(), record.ExternalRef)
			require.Equal(t, program, record.TrainingID)
			if s.completion.EnrollmentID == "" {
				return
			}
			link, err := s.journal.FindLink(t.Context(), "acme", "lms", "88121", s.completion.Learner.Key(), s.completion.Course.Key())
			require.NoError(t, err, "the enrollment leads to it from now on (R97)")
			require.Equal(t, id, link.RecordID)
		})
	}
}

// The training may ask for an approval: the new record does then, and is submitted.
func TestCreatedRecordIsSubmittedWhereItMustBe_R98_R120(t *testing.T) {
	sc := created(func(s *stage) {
		s.qms.AddTraining(arenasim.Training{ID: program, TracksScore: true, ApprovalRequired: true})
	})
	sc.changes = 2
	s, _ := sc.perform(t)
	require.Equal(t, 1, s.qms.Calls(arenasim.EndpointApproval))
}

// What somebody has cancelled, let expire or completed is not missing.
func TestRecordThatIsOverIsNotCreatedAnew_R98_R108(t *testing.T) {
	for status, class := range map[training.RecordStatus]training.FailureClass{
		training.RecordCancelled: training.FailureRecordCancelled,
		training.RecordExpired:   training.FailureRecordExpired,
		training.RecordCompleted: training.FailureCompletedElse,
	} {
		sc := fails(class, status, func(s *stage) string {
			s.policy.MissingRecord = training.MissingCreate
			return s.assigned(func(r *arenasim.Record) { r.Status = status })
		})
		s, _ := sc.perform(t)
		require.Zero(t, s.qms.Calls(arenasim.EndpointCreate))
	}
}

func TestWhatCannotBeCreatedGoesToReview_R98(t *testing.T) {
	for name, tc := range map[string]struct {
		arrange func(*stage)
		class   training.FailureClass
	}{
		"no such training": {func(s *stage) {
			s.tenant.Training = func(string, training.Course) (string, bool, bool) { return "TP-GONE", false, true }
		}, training.FailureCourseUnmapped},
		"no scope for it": {func(s *stage) {
			s.qms.Fault(arenasim.EndpointCreate, fault.Status(403, fault.Forever))
		}, training.FailureCredentials},
		"the reference is another employee's": {func(s *stage) {
			s.assigned(func(r *arenasim.Record) { r.EmployeeID, r.ExternalRef = "HR-1", s.completion.ExternalRef() })
		}, training.FailureEmployeeMismatch},
		"the reference is another training's": {func(s *stage) {
			s.qms.AddTraining(arenasim.Training{ID: "TP-1"})
			s.assigned(func(r *arenasim.Record) { r.TrainingID, r.ExternalRef = "TP-1", s.completion.ExternalRef() })
		}, training.FailureOtherContent},
	} {
		t.Run(name, func(t *testing.T) {
			sc := fails(tc.class, "", func(s *stage) string {
				s.policy.MissingRecord = training.MissingCreate
				tc.arrange(s)
				return ""
			})
			s, _ := sc.perform(t)
			attempts := 1
			if tc.class.Transient() {
				attempts = 4
			}
			require.Equal(t, attempts, s.qms.Calls(arenasim.EndpointCreate))
		})
	}
}

// The same training finished once more is another completion (R91): the record of the first is
// not overwritten, and no second one is made under the same enrollment.
func TestRepeatedTrainingOfACreatedRecord_R91_R98(t *testing.T) {
	h := newHouse(t)
	first := h.stage(t)
	id, _ := created(enrolled).play(t, first, nil)
	record, _ := first.qms.Record(id)

	again := h.stage(t)
	again.completion = first.completion
	again.completion.CompletedAt = first.completion.CompletedAt.Add(24 * time.Hour)
	sc := fails(training.FailureCompletedElse, training.RecordCompleted, func(s *stage) string {
		s.policy.MissingRecord = training.MissingCreate
		s.qms.AddRecord(record)
		return id
	})
	sc.play(t, again, nil)
	require.Zero(t, again.qms.Calls(arenasim.EndpointCreate))
}

// However the creation and everything around it goes wrong, there is one record, changed once.
func TestMissingRecordUnderASecondFault_R93_R98(t *testing.T) {
	const create = arenasim.EndpointCreate
	h, seconds := newLightHouse(t), secondFaults()
	maps.Copy(seconds, map[string]func(*stage){
		"create: reset before":                scripted(create, fault.DropBefore(1)),
		"create: reset after the commit":      scripted(create, fault.DropAfter(1)),
		"create: 500 after the commit":        scripted(create, fault.CommitThenStatus(500, 1)),
		"create: 503 twice":                   scripted(create, fault.Status(503, 2)),
		"create: 503 for long":                scripted(create, fault.Status(503, 4)),
		"create: 429":                         scripted(create, fault.RateLimited("90", 1)),
		"create: 401":                         scripted(create, fault.Status(401, 1)),
		"create: truncated answer":            scripted(create, fault.Truncated(1)),
		"create: no JSON":                     scripted(create, fault.Malformed(1)),
		"create: 201 and nothing done":        scripted(create, fault.Silent(1)),
		"create: 201, done late":              scripted(create, fault.LateCommit(-1, 1)),
		"create: lost, done between attempts": landing(scripted(create, fault.LateCommitLost(-1, 1))),
		"create: lost, done after everything": scripted(create, fault.LateCommitLost(-1, 1)),
		"create: lost, and the list after it": func(s *stage) {
			scripted(create, fault.DropAfter(1))(s)
			scripted(arenasim.EndpointRecords, passed(), fault.Status(503, 1))(s)
		},
		"create: done, and the answer times out": func(s *stage) { s.line.timeout[toCreate] = true },
		"create: the token expires under way":    func(s *stage) { s.line.intervene(toCreate, s.qms.ExpireTokens) },
		"create: another worker is faster": func(s *stage) {
			s.line.intervene(toCreate, func() {
				_, err := s.connect(nil).Create(s.t.Context(), training.NewRecord{
					EmployeeID: employee, TrainingID: program, ExternalRef: s.completion.ExternalRef(),
				}, "other")
				require.NoError(s.t, err)
			})
		},
		"create: read-back fails": scripted(arenasim.EndpointRecord, fault.Status(503, 2)),
	})
	for _, second := range slices.Sorted(maps.Keys(seconds)) {
		t.Run(second, func(t *testing.T) {
			created(enrolled).play(t, h.stage(t), seconds[second])
			created(func(*stage) {}).play(t, h.stage(t), seconds[second])
		})
	}
}
