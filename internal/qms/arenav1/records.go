package arenav1

import (
	"context"
	"net/url"
	"time"

	"countersign/internal/training"
)

// record is one training record of Arena: one user and one revision of one item. It is read only. Whether
// one that is not signed is listed, with null, or is not there at all is not known: both are read.
type record struct {
	GUID           string  `json:"guid"`
	SignedDateTime instant `json:"signedDateTime"`
	Item           item    `json:"item"`
	User           user    `json:"user"`
}

// instant is an RFC 3339 date-time, zero where there is none: null, absent or empty.
type instant struct{ time.Time }

func (i *instant) UnmarshalJSON(text []byte) error {
	if string(text) == `""` {
		return nil
	}
	return i.Time.UnmarshalJSON(text)
}

func (r record) key() string { return r.GUID }

func (r record) signed() bool { return !r.SignedDateTime.IsZero() }

// about reports whether the record is about the item, in any revision.
func (r record) about(i item) bool {
	return i.GUID != "" && r.Item.GUID == i.GUID || i.Number != "" && r.Item.Number == i.Number
}

// counts reports whether the record's revision is the one that the item stands in. Where the plan does not
// say which one that is, it is the one that the record says is in force.
func (r record) counts(i item) bool {
	if i.RevisionNumber == "" {
		return r.inForce()
	}
	return r.Item.RevisionNumber == i.RevisionNumber
}

func (r record) inForce() bool {
	return r.Item.RevisionStatus == "" || r.Item.RevisionStatus == "EFFECTIVE"
}

// open reports whether the record waits for its signature. What was overtaken before it was signed does not.
func (r record) open() bool {
	return !r.signed() && r.inForce()
}

func (r record) signature() training.Signature {
	return training.Signature{
		RecordID: r.GUID, UserID: r.User.GUID, Item: r.Item.Number, Revision: r.Item.RevisionNumber, SignedAt: r.SignedDateTime.UTC(),
	}
}

// required are the items that the training is about: all of the plan, or the one that is mapped.
func (v *view) required(trainingID string) ([]item, error) {
	_, wanted := splitTraining(trainingID)
	if wanted == "" {
		if len(v.items) == 0 {
			return nil, training.Fail(training.FailureCourseUnmapped, "read items", trainingID, "the plan has no item that could be signed")
		}
		return v.items, nil
	}
	for _, i := range v.items {
		if i.Number == wanted || i.GUID == wanted {
			return []item{i}, nil
		}
	}
	return nil, training.Fail(training.FailureCourseUnmapped, "read items", trainingID, "the plan does not train on this item")
}

// signatures are the newest signature of each required item among a trainee's records, and how many
// items have none that counts.
func signatures(required []item, records []record, anyRevision bool) (all []training.Signature, missing int) {
	for _, i := range required {
		var newest record
		open := false
		for _, r := range records {
			if !r.about(i) {
				continue
			}
			open = open || r.open()
			if r.signed() && (anyRevision || r.counts(i)) && (!newest.signed() || r.SignedDateTime.After(newest.SignedDateTime.Time)) {
				newest = r
			}
		}
		if open || !newest.signed() {
			missing++
		}
		if newest.signed() {
			all = append(all, newest.signature())
		}
	}
	return all, missing
}

// enrollment is the training's record of the trainee with this digest; ok is false if there is none: not
// on the roster, and not everything signed.
func (c *Client) enrollment(v *view, trainingID, trainee string) (r training.Record, signed []training.Signature, ok bool, err error) {
	required, err := v.required(trainingID)
	if err != nil {
		return r, nil, false, err
	}
	var who user
	var theirs []record
	for _, r := range v.records {
		if digest(r.User.GUID) == trainee {
			who, theirs = r.User, append(theirs, r)
		}
	}
	enrolled := false
	for _, t := range v.roster {
		if digest(t.User.GUID) == trainee {
			who, enrolled = t.User, true
		}
	}
	signed, missing := signatures(required, theirs, c.cfg.AnyRevision)
	r = training.Record{ID: recordID(trainingID, trainee), EmployeeID: c.employeeID(who), TrainingID: trainingID, Status: training.RecordAssigned}
	last, some := training.LastSigned(signed)
	switch {
	case missing == 0 && some:
		r.Status, r.CompletedAt, r.ProofID = training.RecordCompleted, last.SignedAt, last.RecordID
		return r, signed, true, nil
	case some:
		r.Status = training.RecordInProgress
	}
	return r, nil, enrolled, nil
}

// seen is an enrollment, and what it was made of.
type seen struct {
	record     training.Record
	signatures []training.Signature
	view       *view
	// enrolled is false where there is none.
	enrolled bool
}

// see finds the enrollment. What would stop a completion is not taken from memory: somebody may have
// mended it a moment ago. Neither is what would complete it: the items may be no older than the records.
func (c *Client) see(ctx context.Context, trainingID, trainee string, w since) (s seen, err error) {
	started, from := c.now(), w.records
	ref, _ := splitTraining(trainingID)
	for {
		if s.view, err = c.look(ctx, ref, w); err != nil {
			return s, err
		}
		s.record, s.signatures, s.enrolled, err = c.enrollment(s.view, trainingID, trainee)
		if err == nil && s.enrolled && s.view.plan.closed() && s.record.Status != training.RecordCompleted {
			err = training.Fail(training.FailureTrainingClosed, "read record", s.record.ID, "the plan is CLOSED")
		}
		switch {
		case err != nil || !s.enrolled:
			w = all(started)
		case s.record.Status == training.RecordCompleted:
			w.items = from
		default:
			return s, nil
		}
		if s.view.covers(w) {
			return s, err
		}
	}
}

// remembered is from when on what is remembered may be relied on.
func (c *Client) remembered() since { return since{records: c.now().Add(-c.cfg.CacheFor)} }

// Record reads the enrollment.
func (c *Client) Record(ctx context.Context, id string) (training.Record, error) {
	trainingID, trainee, ok := splitRecord(id)
	if !ok {
		return training.Record{}, training.Fail(training.FailureRecordMissing, "read record", id, "not a record id")
	}
	s, err := c.see(ctx, trainingID, trainee, c.remembered())
	switch {
	case err != nil:
		return training.Record{}, err
	case !s.enrolled:
		return training.Record{}, training.Fail(training.FailureRecordMissing, "read record", id, "not enrolled")
	}
	return s.record, nil
}

// Records lists the employee's enrollment in a training: one or none.
func (c *Client) Records(ctx context.Context, employeeID, trainingID string) ([]training.Record, error) {
	if employeeID == "" || trainingID == "" {
		return nil, training.Fail(training.FailureDefect, "list records of training", trainingID, "employee and training are required")
	}
	userGUID, err := c.userGUID(ctx, employeeID)
	if err != nil {
		return nil, err
	}
	w := c.remembered()
	w.plan, w.roster = w.records, w.records // nobody begins to wait for somebody who has left the plan
	s, err := c.see(ctx, trainingID, digest(userGUID), w)
	if err != nil || !s.enrolled {
		return nil, err
	}
	return []training.Record{s.record}, nil
}

// proofAge is how old may be what the signatures are found by: whichever records there are, and what the
// plan trains on. The signatures themselves are always read anew.
const proofAge = time.Minute

// Signatures reads the enrollment's signatures anew, by the cheaper way: each record for itself, or the
// whole list. That something is not signed is never taken from memory.
func (c *Client) Signatures(ctx context.Context, id string) ([]training.Signature, error) {
	trainingID, trainee, ok := splitRecord(id)
	if !ok {
		return nil, training.Fail(training.FailureRecordMissing, "read signatures", id, "not a record id")
	}
	started := c.now()
	s, err := c.see(ctx, trainingID, trainee, since{records: started.Add(-proofAge)})
	if err == nil && len(s.signatures) == 0 && !s.view.recordsAt.After(started) {
		s, err = c.see(ctx, trainingID, trainee, all(c.now()))
	}
	switch {
	case err != nil || len(s.signatures) == 0:
		return nil, err
	case s.view.recordsAt.After(started):
		return s.signatures, nil
	}
	fresh := *s.view
	if fresh.records, err = c.readAgain(ctx, s, trainingID); err != nil {
		return nil, err
	}
	_, signatures, _, err := c.enrollment(&fresh, trainingID, trainee)
	return signatures, err
}

// readAgain reads the records that the enrollment's signatures stand on, at least.
func (c *Client) readAgain(ctx context.Context, s seen, trainingID string) (fresh []record, err error) {
	const operation = "read signatures"
	ref, _ := splitTraining(trainingID)
	if pages := (len(s.view.records) + pageSize - 1) / pageSize; len(s.signatures) > pages {
		return list(ctx, c, c.of(s.view.plan, ref, operation, "records"), record.key)
	}
	for _, signature := range s.signatures {
		call := c.of(s.view.plan, ref, operation, "records/"+url.PathEscape(signature.RecordID))
		call.template, call.missing = "/trainingplans/{guid}/records/{guid}", training.FailureRecordMissing
		var r record
		if err := c.read(ctx, call, &r); err != nil {
			return nil, err
		}
		if r.GUID != signature.RecordID {
			return nil, training.Fail(training.FailureMisread, operation, s.record.ID, "another record than asked for")
		}
		fresh = append(fresh, r)
	}
	return fresh, nil
}
