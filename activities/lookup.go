package activities

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"countersign/internal/journal"
	"countersign/internal/lmsapi"
	"countersign/internal/training"
	"countersign/workflows"
)

// LookUp asks the LMS for what the event lacks and keeps the answer in the journal, so that every later step sees
// the same (R15). It changes nothing outside, and may be repeated.
func (a *Activities) LookUp(ctx context.Context, ref workflows.Ref) error {
	_, err := attempt(ctx, a, ref, func(ctx context.Context, s subject) (struct{}, error) {
		found, err := s.lookUp(ctx)
		if err != nil || found == nil {
			return struct{}{}, err
		}
		// First, because what was kept is not looked up again: a file that names the learner by these ids must find
		// the completion, or would start it a second time.
		known, err := details(found)
		if err != nil {
			return struct{}{}, err
		}
		if err := a.cfg.Journal.IndexPerson(ctx, ref.Tenant, s.event().Source, ref.Fingerprint, known.Learner); err != nil {
			return struct{}{}, journalFailure("index the learner", err)
		}
		stored, err := a.cfg.Journal.PutEnrichment(ctx, ref.Tenant, ref.Fingerprint, found, s.stored.Enrichment)
		if err != nil {
			return struct{}{}, journalFailure("keep what was looked up", err)
		}
		details, err := details(stored.Document)
		if err != nil {
			return struct{}{}, err
		}
		a.log(ref).Info("looked up", "found", strings.Join(details.Fields(), ", "))
		return struct{}{}, nil
	})
	return err
}

// lms is the API of the LMS that the completion came from, nil where nothing can be looked up.
func (s subject) lms() lmsapi.Client {
	if s.tenant.LMS == nil {
		return nil
	}
	return s.tenant.LMS(s.event().Source)
}

// lookUp asks the LMS and returns the document to keep, nil where there is nothing new. What was kept once stands:
// it is asked again only for what may have been added in the LMS since, the learner's employee id. A completion
// whose record was touched is finished as it stands, because another instant or score would make another write of it.
func (s subject) lookUp(ctx context.Context) ([]byte, error) {
	client := s.lms()
	if client == nil || s.stored.RecordID != "" {
		return nil, nil
	}
	have := s.completion()
	if s.stored.Enrichment != nil && s.employeeID != "" {
		return nil, nil
	}
	found, err := client.Lookup(ctx, have)
	if err != nil {
		return nil, ofLookUp(err)
	}
	return json.Marshal(lmsapi.Beyond(s.event(), s.fill(found)))
}

// fill puts what was found into the completion. A truer instant is taken the first time only.
func (s subject) fill(found lmsapi.Details) training.Completion {
	if s.stored.Enrichment != nil {
		found.CompletedAt, found.Precision = s.completion().CompletedAt, s.completion().Precision
	}
	return found.Storable().Fill(s.completion())
}

// ofLookUp makes a failure of the LMS's API one of looking up: it is not the QMS's.
func ofLookUp(err error) error {
	failure, ok := errors.AsType[*training.Failure](err)
	if !ok {
		return err
	}
	of := *failure
	of.Class = failure.Class.OfLookUp()
	return &of
}

// enriched is the completion with what was looked up.
func enriched(stored journal.Stored) (training.Completion, error) {
	if stored.Enrichment == nil {
		return stored.Completion, nil
	}
	d, err := details(stored.Enrichment)
	return d.Fill(stored.Completion), err
}

func details(document []byte) (lmsapi.Details, error) {
	var d lmsapi.Details
	if err := json.Unmarshal(document, &d); err != nil {
		return lmsapi.Details{}, training.FailWith(training.FailureDefect, "read what was looked up", "", err)
	}
	return d, nil
}
