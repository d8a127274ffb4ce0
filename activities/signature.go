package activities

import (
	"context"
	"encoding/json"
	"errors"

	"countersign/internal/certificate"
	"countersign/internal/journal"
	"countersign/internal/qms"
	"countersign/internal/training"
	"countersign/workflows"
)

// signing is the tenant's QMS as one that the trainee's signature completes.
func (s subject) signing(operation string) (qms.Signing, error) {
	if signing, ok := s.tenant.QMS.(qms.Signing); ok {
		return signing, nil
	}
	// The completion was started for another kind of QMS than the settings name now.
	return nil, training.Fail(training.FailureDefect, operation, "", "the tenant's QMS is not completed by signatures any more")
}

// EnrollTrainee finds the trainee's enrollment, and makes the one that is missing where the tenant's policy
// wants that: the record that a person has chosen, else the only one that there can be.
func (a *Activities) EnrollTrainee(ctx context.Context, in workflows.CheckRecord) (workflows.RecordPlan, error) {
	return attempt(ctx, a, in.Ref, atQMS(a, in.Ref, func(ctx context.Context, s subject) (workflows.RecordPlan, error) {
		if proof, ok, err := a.proved(ctx, in.Ref); ok || err != nil {
			return workflows.RecordPlan{RecordID: proof.Meant.RecordID, Status: training.RecordCompleted, Target: training.RecordCompleted}, err
		}
		if err := held(s.completion(), in.HoldFailed); err != nil {
			return workflows.RecordPlan{}, err
		}
		record, err := s.enrollment(ctx)
		if missing(err) && s.stored.Override.RecordID == "" {
			switch {
			case in.MissingRecord == training.MissingCreate:
				record, err = s.enroll(ctx, a.applyOptions())
			case in.Enrollments == training.EnrollmentsCreate:
				err = awaited(err)
			}
		}
		if err != nil {
			return workflows.RecordPlan{}, err
		}
		if s.stored.RecordID != record.ID {
			err := a.cfg.Journal.Project(ctx, in.Tenant, in.Fingerprint, journal.Projection{State: training.StateRunning, RecordID: record.ID})
			if err != nil {
				return workflows.RecordPlan{}, journalFailure("pin record", err)
			}
		}
		if err := s.keepLink(ctx, found{record: record, linked: s.stored.Override.RecordID != ""}); err != nil {
			return workflows.RecordPlan{}, err
		}
		return workflows.RecordPlan{RecordID: record.ID, Status: record.Status, Target: training.RecordCompleted}, nil
	}))
}

// proved is the proof of signatures that is stored already. What was proved stays proved: the QMS may ask for
// a new signature since, of a new revision, or have taken the trainee off, and neither is about this completion.
func (a *Activities) proved(ctx context.Context, ref workflows.Ref) (proof signatureProof, ok bool, err error) {
	effect, err := a.cfg.Journal.Effect(ctx, ref.Tenant, ref.Fingerprint, training.EffectRecord)
	switch {
	case errors.Is(err, journal.ErrNotFound):
		return proof, false, nil
	case err != nil:
		return proof, false, journalFailure("read stored proof", err)
	}
	if err := json.Unmarshal(effect.Bytes, &proof); err != nil {
		return proof, false, training.FailWith(training.FailureDefect, "read stored proof", effect.ID, err)
	}
	return proof, len(proof.Signatures) > 0, nil
}

// enrollment is the trainee's enrollment in the training of the course. It writes nothing.
func (s subject) enrollment(ctx context.Context) (training.Record, error) {
	const operation = "find enrollment"
	signing, err := s.signing(operation)
	if err != nil {
		return training.Record{}, err
	}
	employee, trainingID, err := s.wanted(ctx)
	if err != nil {
		return training.Record{}, err
	}
	if chosen := s.stored.Override.RecordID; chosen != "" {
		record, err := signing.Record(ctx, chosen)
		switch {
		case err != nil:
			return training.Record{}, err
		case !training.SamePerson(record.EmployeeID, employee): // it may be an e-mail address, which has no case
			return training.Record{}, training.Fail(training.FailureEmployeeMismatch, operation, record.ID, "")
		case record.TrainingID != trainingID:
			return training.Record{}, training.Fail(training.FailureTrainingMismatch, operation, record.ID, "")
		}
		return record, nil
	}
	records, err := signing.Records(ctx, employee, trainingID)
	switch {
	case err != nil:
		return training.Record{}, err
	case len(records) == 0:
		return training.Record{}, training.Fail(training.FailureRecordMissing, operation, trainingID, "")
	case len(records) > 1:
		return training.Record{}, training.Fail(training.FailureRecordAmbiguous, operation, trainingID, "")
	}
	return records[0], nil
}

// enroll makes the enrollment, once, and returns it as read back.
func (s subject) enroll(ctx context.Context, opts qms.ApplyOptions) (training.Record, error) {
	employee, trainingID, err := s.wanted(ctx)
	if err != nil {
		return training.Record{}, err
	}
	return qms.Ensure(ctx, s.tenant.QMS, training.NewRecord{
		EmployeeID: employee, TrainingID: trainingID, ExternalRef: s.event().ExternalRef(),
	}, opts)
}

// wanted is the employee, and the QMS's training of the course.
func (s subject) wanted(ctx context.Context) (employee, trainingID string, err error) {
	if employee, err = s.employee(); err != nil {
		return "", "", err
	}
	c := s.completion()
	trainingID, _, err = trainingOf(ctx, s.journal, s.tenant, c.Tenant, c.Source, c.Course)
	return employee, trainingID, err
}

// KeepDocument has a document kept with the training in the QMS, once: the report, whose bytes are stored
// before they are sent, or the certificate that was issued. Whatever was sent is sent again as stored.
func (a *Activities) KeepDocument(ctx context.Context, in workflows.KeepDocument) (workflows.Issued, error) {
	return attempt(ctx, a, in.Ref, atQMS(a, in.Ref, func(ctx context.Context, s subject) (workflows.Issued, error) {
		signing, err := s.signing("keep document")
		if err != nil {
			return workflows.Issued{}, err
		}
		stored, title, err := a.document(ctx, s, in)
		if err != nil || !stored.DeliveredAt.IsZero() {
			return workflows.Issued{ID: stored.ID}, err
		}
		err = qms.Keep(ctx, signing, in.RecordID, qms.Document{
			Name: stored.ID + ".pdf", Title: title + ": " + s.completion().Course.Label(), ContentType: stored.ContentType, Bytes: stored.Bytes,
		}, a.applyOptions())
		if err != nil {
			return workflows.Issued{}, err
		}
		if err := a.cfg.Journal.MarkDelivered(ctx, in.Tenant, in.Fingerprint, in.Kind); err != nil {
			return workflows.Issued{}, journalFailure("mark document delivered", err)
		}
		return workflows.Issued{ID: stored.ID}, nil
	}))
}

// document is the stored document of the kind, and what people call it.
func (a *Activities) document(ctx context.Context, s subject, in workflows.KeepDocument) (journal.Effect, string, error) {
	if in.Kind == training.EffectCertificate {
		stored, err := a.cfg.Journal.Effect(ctx, in.Tenant, in.Fingerprint, in.Kind)
		if err != nil {
			return stored, "", journalFailure("read stored certificate", err)
		}
		return stored, "Certificate", nil
	}
	stored, err := a.storedOnce(ctx, in.Document, training.EffectEvidence, func() (journal.Effect, error) {
		report := s.certificate(certificate.ReportNumber(in.Fingerprint), in.RecordID)
		report.Report, report.ExpiresAt = true, nil
		body, err := a.cfg.Drawer.Draw(report)
		if err != nil {
			return journal.Effect{}, training.FailWith(training.FailureEvidence, "draw report", in.RecordID, err)
		}
		return journal.Effect{ID: report.Number, ContentType: "application/pdf", Bytes: body}, nil
	})
	return stored, "Report", err
}

// ReadSignature says whether the trainee has signed. It writes nothing to the QMS; the signatures of a
// record that is COMPLETED are read anew and kept as the proof, if they can be about this completion.
func (a *Activities) ReadSignature(ctx context.Context, in workflows.ReadSignature) (workflows.Signed, error) {
	return look(ctx, a, in.Ref, atQMS(a, in.Ref, func(ctx context.Context, s subject) (workflows.Signed, error) {
		signing, err := s.signing("read signature")
		if err != nil {
			return workflows.Signed{}, err
		}
		if proof, ok, err := a.proved(ctx, in.Ref); ok || err != nil {
			if ok {
				err = a.waitIsOver(ctx, in.Ref, proof.Meant.RecordID)
			}
			return workflows.Signed{Status: training.RecordCompleted}, err
		}
		employee, err := s.employee()
		if err != nil {
			return workflows.Signed{}, err
		}
		if in.Fresh { // what is remembered is brought up to date first
			if _, err := signing.Signatures(ctx, in.RecordID); err != nil {
				return workflows.Signed{}, err
			}
		}
		record, err := signing.Record(ctx, in.RecordID)
		switch {
		case err != nil:
			return workflows.Signed{}, err
		case !training.SamePerson(record.EmployeeID, employee):
			return workflows.Signed{}, training.Fail(training.FailureEmployeeMismatch, "read signature", record.ID, "")
		case record.Status != training.RecordCompleted:
			return workflows.Signed{Status: record.Status}, nil
		}
		signatures, err := signing.Signatures(ctx, in.RecordID)
		if err != nil {
			return workflows.Signed{}, err
		}
		last, ok := training.LastSigned(signatures)
		if !ok {
			return workflows.Signed{Status: training.RecordInProgress}, nil // it was signed when we looked first
		}
		if err := s.aboutThis(last, in); err != nil {
			return workflows.Signed{}, err
		}
		record.CompletedAt = last.SignedAt
		return workflows.Signed{Status: record.Status}, a.signed(ctx, in, signatureProof{s.meant(in, employee), record, signatures}, last)
	}))
}

// aboutThis is the failure of a signature that was given before the course was finished: of an earlier
// training, as far as can be seen. A person may let it count by naming the record (use_record).
func (s subject) aboutThis(last training.Signature, in workflows.ReadSignature) error {
	earliest := training.Signing{Grace: in.Grace}.Earliest(s.completion())
	if !last.SignedAt.Before(earliest) || s.stored.Override.RecordID == in.RecordID {
		return nil
	}
	return training.Fail(training.FailureSignedBefore, "read signature", in.RecordID, "signed "+last.SignedAt.UTC().Format("2006-01-02 15:04:05Z"))
}

// signatureProof is what the journal keeps of a record that was completed by signatures: what this
// completion is about, the record, and every signature that it rests on, as they were read.
type signatureProof struct {
	Meant      training.Write       `json:"meant"`
	Read       training.Record      `json:"read"`
	Signatures []training.Signature `json:"signatures"`
}

// meant is what this completion says. Nothing of it was written: the QMS keeps neither date nor score of it.
func (s subject) meant(in workflows.ReadSignature, employee string) training.Write {
	c := s.completion()
	return training.Write{
		RecordID: in.RecordID, EmployeeID: employee, Status: training.RecordCompleted,
		CompletedAt: c.CompletedAt, Score: c.Score.Percent(),
	}
}

// signed keeps the proof. Its id is that of the record whose signature completed the training, so that one
// signature never proves two completions.
func (a *Activities) signed(ctx context.Context, in workflows.ReadSignature, proof signatureProof, last training.Signature) error {
	body, err := json.Marshal(proof)
	if err != nil {
		return err
	}
	_, err = a.cfg.Journal.PutEffect(ctx, journal.Effect{
		Tenant: in.Tenant, Fingerprint: in.Fingerprint, Kind: training.EffectRecord,
		ID: last.RecordID, ContentType: "application/json", Bytes: body,
	})
	switch {
	case errors.Is(err, journal.ErrConflict):
		return training.Fail(training.FailureCompletedElse, "store signatures", in.RecordID, "they prove another completion of ours")
	case err != nil:
		return journalFailure("store signatures", err)
	}
	a.log(in.Ref).Info("signatures verified", "record", in.RecordID, "signatures", len(proof.Signatures))
	return a.waitIsOver(ctx, in.Ref, in.RecordID)
}

// waitIsOver has the journal say so before the documents are issued.
func (a *Activities) waitIsOver(ctx context.Context, ref workflows.Ref, recordID string) error {
	err := a.cfg.Journal.Project(ctx, ref.Tenant, ref.Fingerprint, journal.Projection{State: training.StateRunning, RecordID: recordID})
	if err != nil {
		return journalFailure("project state", err)
	}
	return nil
}
