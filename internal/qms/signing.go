package qms

import (
	"context"
	"errors"

	"countersign/internal/training"
)

// Signing is the further capability of a QMS in which a training record is completed by the trainee's
// own signature and by nothing else (21 CFR 11.100, 11.200). A Client that has it reads, enrolls and
// keeps evidence; its Complete and its Decide send nothing and answer FailureSignatureNeeded.
//
// One employee has at most one record of a training in it: the enrollment. Records has none or one,
// Create enrolls and keeps no reference. Employee ids may be e-mail addresses, so they are compared
// without case. Such a record is ASSIGNED until the first signature,
// IN_PROGRESS while one is missing, and COMPLETED, at the instant of the last one, when none is.
// FailureTrainingClosed says that an unsigned one cannot be signed.
type Signing interface {
	Client

	// Signatures reads anew every signature that a COMPLETED record rests on: what a proof is made of.
	// None for a record that is not COMPLETED any more.
	Signatures(ctx context.Context, recordID string) ([]training.Signature, error)

	// Attached reports whether the document is kept with the record's training, by its name. FailureOtherContent
	// says that what has its name there is not what was sent, as far as the QMS tells.
	Attached(ctx context.Context, recordID string, d Document) (bool, error)

	// Attach asks once for the document to be kept with the record's training. nil says that the QMS
	// answered 2xx, which proves nothing: the caller reads back.
	Attach(ctx context.Context, recordID string, d Document, requestID string) error
}

// Document is a file that is kept with a training as evidence.
type Document struct {
	// Name tells it from every other document of the training, and is the same on every attempt. It has
	// the ending of its type: "EV-….pdf".
	Name string
	// Title is what a person reads.
	Title       string
	ContentType string
	Bytes       []byte
}

// Keep has a document kept with the record's training, once, and returns only after a list showed it.
//
//	list ─ there ──────────────────────────────► done, nothing sent
//	 ▼
//	send ─ no answer, 5xx, unreadable, refused ─► list ──► done if it is there, else the failure
//	 ▼ 2xx, which proves nothing
//	list, three times ─ there ─► done; never there: FailureUnchanged
//
// It may run any number of times, one after the other. What it cannot prevent is an attempt whose answer
// was lost and which the QMS carries out only after the next one: then the training has the document
// twice, the same bytes under the same name. It does not look for that, because it happens when it is
// done: reconciliation does, where the QMS is a Filing, and names both files to a person.
func Keep(ctx context.Context, c Signing, recordID string, d Document, opts ApplyOptions) error {
	there, err := c.Attached(ctx, recordID, d)
	if there || err != nil {
		return err
	}
	if failure := c.Attach(ctx, recordID, d, opts.requestID()); failure != nil {
		var f *training.Failure
		if !errors.As(failure, &f) {
			return failure
		}
		there, err = c.Attached(ctx, recordID, d)
		switch {
		case err == nil && there:
			return nil
		case errors.Is(err, context.Canceled):
			return err
		}
		return failure
	}
	for _, wait := range opts.waits() {
		if err = opts.sleep(ctx, wait); err != nil {
			break
		}
		if there, err = c.Attached(ctx, recordID, d); err == nil && there {
			return nil
		}
	}
	var f *training.Failure
	switch {
	case err == nil:
		return training.Fail(training.FailureUnchanged, "keep document", recordID, "the training does not show it")
	case errors.Is(err, context.Canceled), errors.As(err, &f) && !f.Class.Transient():
		return err
	}
	return training.FailWith(training.FailureUnverified, "keep document", recordID, err)
}
