package journal

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"countersign/internal/training"
)

// maxQueuedBytes bounds the memory of appends that wait: beyond it Append returns ErrBusy.
const maxQueuedBytes = 256 << 20

// Receipt is the answer to Append: what the sender is told.
type Receipt struct {
	DeliveryID string
	// Verdict is the one that was stored, see Append.
	Verdict     Verdict
	Completions []ReceiptItem
	Enrollments []EnrollmentReceipt
}

// ReceiptItem is one completion of the delivery, in the order given.
type ReceiptItem struct {
	Fingerprint training.Fingerprint
	// Duplicate says that the completion was in the journal before.
	Duplicate bool
}

// waiting is an append that waits for its commit.
type waiting struct {
	ctx         context.Context
	delivery    Delivery
	header      string
	completions []newCompletion
	enrollments []newEnrollment
	bytes       int64
	// answer has room for one, so that a committer never waits for a caller who has left.
	answer chan answer
}

type answer struct {
	receipt Receipt
	err     error
}

type newCompletion struct {
	key
	source, platform, courseLabel, document string
	deliveryID                              string
	receivedAt                              int64
}

type key struct {
	tenant      string
	fingerprint training.Fingerprint
}

// Append stores a delivery with its completions and enrollments in one transaction, shared with other
// callers, and returns only after that commit: a nil error is what allows a 200 (law 1). New ones
// are QUEUED; known ones stay as they are (R87, R88).
//
// A verdict of accepted, duplicate or "" becomes accepted if any of them is new and
// duplicate if all are known; every other verdict is stored as given, e.g. unmapped for a delivery
// of which a part could not be understood.
//
// ErrBusy, ErrClosed and database errors mean that nothing can be promised: the sender has to
// send again. So does the end of ctx, but the append may still be committed then; the sender's next
// try is absorbed by the keys. ErrUnstorable and a completion or enrollment of another tenant or
// source concern this append alone.
func (j *Journal) Append(ctx context.Context, d Delivery, cs []training.Completion, es ...training.Enrollment) (Receipt, error) {
	d.ID = cmp.Or(d.ID, NewDeliveryID())
	w, err := j.prepare(ctx, d, cs, es...)
	if err != nil {
		return Receipt{}, fmt.Errorf("append delivery %s: %w", d.ID, err)
	}
	if err := j.enqueue(w); err != nil {
		return Receipt{}, fmt.Errorf("append delivery %s: %w", d.ID, err)
	}
	select {
	case a := <-w.answer:
		if a.err != nil {
			return Receipt{}, fmt.Errorf("append delivery %s: %w", d.ID, a.err)
		}
		return a.receipt, nil
	case <-ctx.Done():
		return Receipt{}, fmt.Errorf("append delivery %s: %w", d.ID, ctx.Err())
	}
}

// prepare does outside the transaction what can be done outside.
func (j *Journal) prepare(ctx context.Context, d Delivery, cs []training.Completion, es ...training.Enrollment) (*waiting, error) {
	if d.ReceivedAt.IsZero() {
		d.ReceivedAt = j.now()
	}
	if d.Verdict == "" && len(cs)+len(es) > 0 {
		d.Verdict = VerdictAccepted
	}
	if !d.Verdict.valid() {
		return nil, fmt.Errorf("no such verdict: %q", d.Verdict)
	}
	if err := checkText(d.ID, d.Tenant, d.Source, d.Platform); err != nil {
		return nil, err
	}
	// What the network wrote is kept readable: an odd byte in a path must not refuse a delivery.
	d.Method, d.Path, d.RemoteAddr, d.Reason = readable(d.Method), readable(d.Path), readable(d.RemoteAddr), readable(d.Reason)
	if d.Body == nil {
		d.Body = []byte{} // nil would be NULL
	}
	header, err := json.Marshal(d.Header)
	if err != nil {
		return nil, fmt.Errorf("encode header: %w", err)
	}
	w := &waiting{ctx: ctx, delivery: d, header: string(header), answer: make(chan answer, 1)}
	w.bytes = int64(len(d.Body) + len(header))
	for i, c := range cs {
		prepared, err := prepareCompletion(d, c)
		if err != nil {
			return nil, fmt.Errorf("completion %d: %w", i+1, err)
		}
		w.bytes += int64(len(prepared.document))
		w.completions = append(w.completions, prepared)
	}
	for i, e := range es {
		prepared, err := prepareEnrollment(d, e)
		if err != nil {
			return nil, fmt.Errorf("enrollment %d: %w", i+1, err)
		}
		w.bytes += int64(len(prepared.document))
		w.enrollments = append(w.enrollments, prepared)
	}
	return w, nil
}

func prepareCompletion(d Delivery, c training.Completion) (newCompletion, error) {
	if c.Tenant != d.Tenant || c.Source != d.Source {
		return newCompletion{}, errors.New("is of another tenant or source than its delivery")
	}
	// encoding/json would silently replace what is not UTF-8, and the document would no longer match
	// its fingerprint.
	if err := checkText(texts(c)...); err != nil {
		return newCompletion{}, err
	}
	document, err := json.Marshal(c)
	if err != nil {
		return newCompletion{}, fmt.Errorf("encode: %w", err)
	}
	return newCompletion{
		key:    key{d.Tenant, c.Fingerprint()},
		source: d.Source, platform: cmp.Or(c.Platform, d.Platform), courseLabel: c.Course.Label(),
		document: string(document), deliveryID: d.ID, receivedAt: micros(d.ReceivedAt),
	}, nil
}

// texts is every text of c.
func texts(c training.Completion) []string {
	return []string{
		c.Tenant, c.Source, c.Platform, c.EventID, c.Event, c.EnrollmentID,
		c.Learner.ID, c.Learner.Username, c.Learner.Email, c.Learner.ExternalID, c.Learner.FirstName, c.Learner.LastName,
		c.Course.ID, c.Course.Title, c.Course.Code,
		string(c.Precision), c.CompletedAtSource, c.Score.Raw, c.Score.Max, c.MappingVersion,
	}
}

// enqueue hands w to the committers or says at once that it cannot wait.
func (j *Journal) enqueue(w *waiting) error {
	j.closing.RLock()
	defer j.closing.RUnlock()
	if j.closed {
		return ErrClosed
	}
	if j.queuedBytes.Add(w.bytes) > maxQueuedBytes {
		j.queuedBytes.Add(-w.bytes)
		return ErrBusy
	}
	select {
	case j.queue <- w:
		return nil
	default:
		j.queuedBytes.Add(-w.bytes)
		return ErrBusy
	}
}
