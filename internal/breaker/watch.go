package breaker

import (
	"context"
	"sync"

	"countersign/internal/qms"
	"countersign/internal/training"
)

// Watch is a qms.Client whose calls are counted. It is for one step of one completion or enrollment.
type Watch struct {
	client     qms.Client
	breaker    *Breaker
	completion training.Fingerprint
	// enrollment says that writes are creations, see WatchEnrollment.
	enrollment bool

	mu    sync.Mutex
	asked bool
	// silentRead and silentWrite are whether the last of them came to nothing.
	silentRead, silentWrite bool

	trip    Trip
	tripped bool
}

var _ qms.Client = (*Watch)(nil)

// Asked reports whether the QMS was asked anything.
func (w *Watch) Asked() bool { return w.read(func() bool { return w.asked }) }

// Silent reports whether the last call came to nothing as in an outage, or the last write did: the read by
// which it is settled may be answered all the same.
func (w *Watch) Silent() bool {
	return w.read(func() bool { return w.silentRead || w.silentWrite })
}

// Tripped says whether the target is to be held because of a call of this step.
func (w *Watch) Tripped() (Trip, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.trip, w.tripped
}

func (w *Watch) read(what func() bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return what()
}

func (w *Watch) saw(write bool, err error) {
	m, failure := meaningOf(err, w.breaker.cfg.Patience)
	counted := m
	if w.enrollment && write {
		write = false
		if m == silence && failure.Class != training.FailureRateLimited {
			counted = nothing
		}
	}
	trip, tripped := w.breaker.observe(write, w.completion, counted, failure)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked, w.silentRead = true, !write && m == silence
	if write {
		w.silentWrite = m == silence
	}
	if tripped {
		w.trip, w.tripped = trip, true
	}
}

// Employee implements qms.Client. That an employee is known says nothing: a client may remember it.
func (w *Watch) Employee(ctx context.Context, employeeID string) error {
	err := w.client.Employee(ctx, employeeID)
	if err != nil {
		w.saw(false, err)
	}
	return err
}

// Record implements qms.Client.
func (w *Watch) Record(ctx context.Context, recordID string) (training.Record, error) {
	record, err := w.client.Record(ctx, recordID)
	w.saw(false, err)
	return record, err
}

// Records implements qms.Client.
func (w *Watch) Records(ctx context.Context, employeeID, trainingID string) ([]training.Record, error) {
	records, err := w.client.Records(ctx, employeeID, trainingID)
	w.saw(false, err)
	return records, err
}

// Create implements qms.Client.
func (w *Watch) Create(ctx context.Context, n training.NewRecord, requestID string) (string, error) {
	id, err := w.client.Create(ctx, n, requestID)
	w.saw(true, err)
	return id, err
}

// Complete implements qms.Client.
func (w *Watch) Complete(ctx context.Context, write training.Write, requestID string) error {
	err := w.client.Complete(ctx, write, requestID)
	w.saw(true, err)
	return err
}

// Decide implements qms.Client.
func (w *Watch) Decide(ctx context.Context, recordID string, d training.Decision, requestID string) error {
	err := w.client.Decide(ctx, recordID, d, requestID)
	w.saw(true, err)
	return err
}

// ExternalUpdatesAllowed implements qms.Client.
func (w *Watch) ExternalUpdatesAllowed(ctx context.Context) (bool, error) {
	allowed, err := w.client.ExternalUpdatesAllowed(ctx)
	w.saw(false, err)
	return allowed, err
}
