package activities

import (
	"context"
	"sync"

	"countersign/internal/journal"
	"countersign/internal/training"
	"countersign/internal/xapi"
)

// memory is a journal without a disk and an LRS without a wire, for tests that play a thousand completions. It keeps what
// the real one promises: the first effect of a kind wins, and an ended state never changes. It lets
// a record be proved by several completions, because every stage's QMS counts its records from one.
type memory struct {
	mu        sync.Mutex
	stored    map[training.Fingerprint]journal.Stored
	effects   map[training.Fingerprint]map[training.EffectKind]journal.Effect
	links     map[string]journal.Link
	decisions map[training.Fingerprint][]journal.DecisionEntry
	// puts counts how often each statement came.
	puts map[string]int
}

func newMemory() *memory {
	return &memory{
		stored:    map[training.Fingerprint]journal.Stored{},
		effects:   map[training.Fingerprint]map[training.EffectKind]journal.Effect{},
		links:     map[string]journal.Link{},
		decisions: map[training.Fingerprint][]journal.DecisionEntry{},
		puts:      map[string]int{},
	}
}

// IndexPerson implements Journal; nothing is reconciled here.
func (*memory) IndexPerson(context.Context, string, string, training.Fingerprint, training.Learner) error {
	return nil
}

// admit takes a completion, as running.
func (m *memory) admit(c training.Completion) training.Fingerprint {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := c.Fingerprint()
	m.stored[f] = journal.Stored{Fingerprint: f, Completion: c, State: training.StateRunning}
	m.effects[f] = map[training.EffectKind]journal.Effect{}
	return f
}

// Completion implements Journal.
func (m *memory) Completion(_ context.Context, _ string, f training.Fingerprint) (journal.Stored, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	stored, ok := m.stored[f]
	if !ok {
		return stored, journal.ErrNotFound
	}
	return stored, nil
}

// Project implements Journal.
func (m *memory) Project(_ context.Context, _ string, f training.Fingerprint, p journal.Projection) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	stored, ok := m.stored[f]
	if !ok {
		return journal.ErrNotFound
	}
	if stored.State.Ended() {
		return nil
	}
	stored.State, stored.FailureClass, stored.FailureDetail = p.State, p.FailureClass, p.FailureDetail
	if p.RecordID != "" {
		stored.RecordID = p.RecordID
	}
	m.stored[f] = stored
	return nil
}

// PutEffect implements Journal.
func (m *memory) PutEffect(_ context.Context, e journal.Effect) (journal.Effect, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if first, ok := m.effects[e.Fingerprint][e.Kind]; ok {
		return first, nil
	}
	m.effects[e.Fingerprint][e.Kind] = e
	return e, nil
}

// Effect implements Journal.
func (m *memory) Effect(_ context.Context, _ string, f training.Fingerprint, kind training.EffectKind) (journal.Effect, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.effects[f][kind]
	if !ok {
		return e, journal.ErrNotFound
	}
	return e, nil
}

// EffectHeads implements Journal.
func (m *memory) EffectHeads(_ context.Context, _ string, f training.Fingerprint) (map[training.EffectKind]journal.Effect, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	heads := map[training.EffectKind]journal.Effect{}
	for kind, e := range m.effects[f] {
		e.Bytes = nil
		heads[kind] = e
	}
	return heads, nil
}

// PutEnrichment implements Journal.
func (m *memory) PutEnrichment(_ context.Context, _ string, f training.Fingerprint, document, _ []byte) (journal.Enrichment, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	stored := m.stored[f]
	stored.Enrichment = document
	m.stored[f] = stored
	return journal.Enrichment{Document: document}, nil
}

// MarkDelivered implements Journal.
func (m *memory) MarkDelivered(context.Context, string, training.Fingerprint, training.EffectKind) error {
	return nil
}

func linkKey(source, enrollmentID, learnerKey, courseKey string) string {
	return source + "\x00" + enrollmentID + "\x00" + learnerKey + "\x00" + courseKey
}

// PutLink implements Journal.
func (m *memory) PutLink(_ context.Context, l journal.Link) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.links[linkKey(l.Source, l.EnrollmentID, l.LearnerKey, l.CourseKey)] = l
	return nil
}

// FindLink implements Journal.
func (m *memory) FindLink(_ context.Context, _, source, enrollmentID, learnerKey, courseKey string) (journal.Link, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l, ok := m.links[linkKey(source, enrollmentID, learnerKey, courseKey)]
	if !ok {
		return l, journal.ErrNotFound
	}
	return l, nil
}

// AddDecision implements Journal.
func (m *memory) AddDecision(_ context.Context, e journal.DecisionEntry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.decisions[e.Fingerprint] = append(m.decisions[e.Fingerprint], e)
	return nil
}

// Decisions implements Journal.
func (m *memory) Decisions(_ context.Context, _ string, f training.Fingerprint) ([]journal.DecisionEntry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.decisions[f], nil
}

// Put implements LRS.
func (m *memory) Put(_ context.Context, id string, _ []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.puts[id]++
	return nil
}

// ReadBack implements LRS: what it has taken it holds.
func (m *memory) ReadBack(_ context.Context, id string, _ []byte) (xapi.Shown, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.puts[id] == 0 {
		return xapi.Shown{Standing: xapi.Missing}, nil
	}
	return xapi.Shown{Standing: xapi.Held}, nil
}

// Readable implements LRS.
func (*memory) Readable(context.Context) error { return nil }

// EmployeeOf implements MapJournal: nothing is imported.
func (m *memory) EmployeeOf(context.Context, string, string, training.Learner) (string, error) {
	return "", journal.ErrNotFound
}

// CourseTraining implements MapJournal.
func (m *memory) CourseTraining(context.Context, string, string, training.Course) (journal.MappedCourse, error) {
	return journal.MappedCourse{}, journal.ErrNotFound
}

// ReserveRef implements EnrollmentJournal: nobody else creates.
func (m *memory) ReserveRef(_ context.Context, _, _, _, ref string, _ []string) (string, error) {
	return ref, nil
}

// Enrollment implements EnrollmentJournal: there is none.
func (m *memory) Enrollment(context.Context, string, training.EnrollmentKey) (journal.StoredEnrollment, error) {
	return journal.StoredEnrollment{}, journal.ErrNotFound
}

// ProjectEnrollment implements EnrollmentJournal.
func (m *memory) ProjectEnrollment(context.Context, string, training.EnrollmentKey, journal.EnrollmentProjection) (int, error) {
	return 0, journal.ErrNotFound
}

// LinkedSince implements EnrollmentJournal.
func (m *memory) LinkedSince(context.Context, string, training.Fingerprint) (string, error) {
	return "", nil
}

// AwaitingRecord implements EnrollmentJournal.
func (m *memory) AwaitingRecord(context.Context, string, string, training.Learner, training.Course) ([]training.Fingerprint, error) {
	return nil, nil
}
