package activities

import (
	"testing"
	"time"

	arenasim "countersign/internal/simulator/arena"
	"countersign/internal/simulator/fault"
	"countersign/internal/training"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
)

// scenario is one of the contract's acceptance scenarios (§11), and what must come of it.
type scenario struct {
	// arrange sets the QMS up and returns the id of the record it is about, "" for none.
	arrange func(*stage) string
	// stand scripts the scenario's own fault; with forever it is there again after a repair.
	stand   func(*stage)
	forever bool
	// reviews are the failures a person is asked about when nothing else goes wrong.
	reviews []training.FailureClass
	// end is the failure with which it stays; "" if it ends with outcome.
	end     training.FailureClass
	outcome training.Outcome
	// status and changes are the record's at the end: how often the bridge has changed it.
	status  training.RecordStatus
	changes int
	// creates is how many records the scenario makes: the last one is the one it is about.
	creates int
}

// play carries the completion through the scenario, with faults on top of it. The admins repair
// what is no part of the scenario and choose retry, until the scenario's own failure is left.
func (sc scenario) play(t *testing.T, s *stage, inject func(*stage)) (recordID string, result workflows.CompletionResult) {
	t.Helper()
	recordID = sc.arrange(s)
	records := len(s.qms.Records())
	if inject != nil {
		inject(s)
	}
	if sc.stand != nil {
		sc.stand(s)
	}
	s.onReview = func(failure training.Failure) training.Action {
		s.qms.CommitLate()
		s.qms.ClearFaults()
		if sc.forever {
			sc.stand(s)
		}
		if failure.Class == sc.end || len(s.reviews) == 5 {
			return training.ActionClose
		}
		return training.ActionRetry
	}
	result = s.run()
	if sc.creates > 0 {
		recordID = result.RecordID
	}
	for range 2 {
		sc.require(t, s, recordID, result)
		require.Len(t, s.qms.Records(), records+sc.creates)
		s.qms.CommitLate() // what comes now finds nothing to change any more
	}
	return recordID, result
}

// require holds the invariant: the record ends right, changed exactly once, with its proof, or a
// classified failure stands and nothing was changed or claimed.
func (sc scenario) require(t *testing.T, s *stage, recordID string, result workflows.CompletionResult) {
	t.Helper()
	if sc.forever && s.shows(recordID, training.RecordCompleted) {
		// The scenario is a fault itself, and the second one got the write past it.
		sc.status, sc.changes = training.RecordCompleted, 1
		if result.Outcome == training.OutcomeCompleted {
			sc.outcome, sc.end = training.OutcomeCompleted, ""
		}
	}
	if recordID != "" {
		record, _ := s.qms.Record(recordID)
		require.Equal(t, sc.status, record.Status)
		require.Len(t, s.mine(recordID), sc.changes, "reviews: %v", s.classes())
	}
	effect := func(kind training.EffectKind) error {
		_, err := s.journal.Effect(t.Context(), "acme", s.fingerprint, kind)
		return err
	}
	stored, err := s.journal.Completion(t.Context(), "acme", s.fingerprint)
	require.NoError(t, err)
	if sc.outcome == training.OutcomeCompleted {
		require.Equal(t, training.OutcomeCompleted, result.Outcome, "reviews: %v", s.classes())
		require.Equal(t, training.StateCompleted, stored.State)
		require.True(t, s.shows(recordID, training.RecordCompleted))
		for _, kind := range []training.EffectKind{training.EffectRecord, training.EffectCertificate, training.EffectStatement} {
			require.NoError(t, effect(kind), kind)
		}
		return
	}
	if sc.end != "" {
		require.Equal(t, training.OutcomeClosed, result.Outcome)
		require.Equal(t, sc.end, s.classes()[len(s.reviews)-1], "reviews: %v", s.classes())
	} else {
		require.Equal(t, sc.outcome, result.Outcome)
	}
	for _, kind := range []training.EffectKind{training.EffectRecord, training.EffectCertificate, training.EffectStatement} {
		require.Error(t, effect(kind), "%s without a COMPLETED record", kind)
	}
}

// perform plays the scenario with nothing else going wrong.
func (sc scenario) perform(t *testing.T) (*stage, string) {
	t.Helper()
	s := newHouse(t).stage(t)
	id, _ := sc.play(t, s, nil)
	require.Equal(t, sc.reviews, s.classes())
	return s, id
}

// called are the times of the calls to an endpoint, as gaps between them.
func (s *stage) gaps(endpoint fault.Endpoint) (gaps []time.Duration) {
	var last time.Time
	for _, entry := range s.qms.Log(0) {
		if entry.Endpoint != endpoint {
			continue
		}
		if !last.IsZero() {
			gaps = append(gaps, entry.At.Sub(last).Round(time.Second))
		}
		last = entry.At
	}
	return gaps
}

func scored(r *arenasim.Record)     { r.TracksScore = true }
func approvable(r *arenasim.Record) { r.ApprovalRequired = true }

// completes is a scenario that ends COMPLETED after one change of an open record.
func completes(arrange func(*stage)) scenario {
	return scenario{
		arrange: func(s *stage) string {
			id := s.assigned(scored)
			arrange(s)
			return id
		},
		outcome: training.OutcomeCompleted, status: training.RecordCompleted, changes: 1,
	}
}

// fails is a scenario that stays with a failure and changes nothing.
func fails(class training.FailureClass, status training.RecordStatus, arrange func(*stage) string) scenario {
	return scenario{arrange: arrange, reviews: []training.FailureClass{class}, end: class, status: status}
}

func (s *stage) switches(switches arenasim.Switches) {
	require.NoError(s.t, s.qms.SetSwitches(switches))
}

// token has the tenant's client fetch a token.
func (s *stage) token() {
	_, err := s.tenant.QMS.ExternalUpdatesAllowed(s.t.Context())
	require.NoError(s.t, err)
}
