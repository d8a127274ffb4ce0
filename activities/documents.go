package activities

import (
	"cmp"
	"context"
	"strings"

	"countersign/internal/certificate"
	"countersign/internal/journal"
	"countersign/internal/training"
	"countersign/internal/xapi"
	"countersign/workflows"
)

// IssueCertificate draws the certificate and stores its bytes, unless they are stored already:
// a second drawing would be a second certificate (R92, R158).
func (a *Activities) IssueCertificate(ctx context.Context, in workflows.Document) (workflows.Issued, error) {
	return attempt(ctx, a, in.Ref, func(ctx context.Context, s subject) (workflows.Issued, error) {
		stored, err := a.storedOnce(ctx, in, training.EffectCertificate, func() (journal.Effect, error) {
			number := certificate.Number(in.Fingerprint)
			body, err := a.cfg.Drawer.Draw(s.certificate(number, in.RecordID))
			if err != nil {
				return journal.Effect{}, training.FailWith(training.FailureCertificate, "draw certificate", in.RecordID, err)
			}
			return journal.Effect{ID: number, ContentType: "application/pdf", Bytes: body}, nil
		})
		return workflows.Issued{ID: stored.ID}, err
	})
}

// PostStatement stores the statement's bytes before it sends them, and sends the stored bytes
// ever after: a statement built anew could differ, and an LRS answers that with 409.
func (a *Activities) PostStatement(ctx context.Context, in workflows.Document) (workflows.Issued, error) {
	return attempt(ctx, a, in.Ref, func(ctx context.Context, s subject) (workflows.Issued, error) {
		if s.tenant.LRS == nil {
			return workflows.Issued{}, nil
		}
		stored, err := a.storedOnce(ctx, in, training.EffectStatement, func() (journal.Effect, error) {
			id, body, err := xapi.New(s.stored.Fingerprint, s.completion(), s.tenant.Statements)
			return journal.Effect{ID: id, ContentType: "application/json", Bytes: body}, err
		})
		if err != nil || !stored.DeliveredAt.IsZero() {
			return workflows.Issued{ID: stored.ID}, err
		}
		if err := s.tenant.LRS.Put(ctx, stored.ID, stored.Bytes); err != nil {
			return workflows.Issued{}, err
		}
		if err := a.cfg.Journal.MarkDelivered(ctx, in.Tenant, in.Fingerprint, training.EffectStatement); err != nil {
			return workflows.Issued{}, journalFailure("mark statement delivered", err)
		}
		return workflows.Issued{ID: stored.ID}, nil
	})
}

// storedOnce returns the stored effect of a kind, making it first if there is none. It refuses
// to make one for a record that was not read back as COMPLETED, but for the report, which says that it is
// none.
func (a *Activities) storedOnce(ctx context.Context, in workflows.Document, kind training.EffectKind, first func() (journal.Effect, error)) (journal.Effect, error) {
	known, err := a.cfg.Journal.EffectHeads(ctx, in.Tenant, in.Fingerprint)
	if err != nil {
		return journal.Effect{}, journalFailure("list effects", err)
	}
	if _, is := known[kind]; is {
		stored, err := a.cfg.Journal.Effect(ctx, in.Tenant, in.Fingerprint, kind)
		if err != nil {
			return journal.Effect{}, journalFailure("read stored "+string(kind), err)
		}
		return stored, nil
	}
	if _, verified := known[training.EffectRecord]; !verified && kind != training.EffectEvidence { // which claims nothing that was to be verified
		return journal.Effect{}, journalFailure("read verified record", journal.ErrNotFound)
	}
	effect, err := first()
	if err != nil {
		return journal.Effect{}, err
	}
	effect.Tenant, effect.Fingerprint, effect.Kind = in.Tenant, in.Fingerprint, kind
	stored, err := a.cfg.Journal.PutEffect(ctx, effect)
	if err != nil {
		return journal.Effect{}, journalFailure("store "+string(kind), err)
	}
	return stored, nil
}

func (s subject) certificate(number, recordID string) certificate.Certificate {
	c := s.completion()
	return certificate.Certificate{
		Number: number, TenantName: s.tenant.Name, Issuer: s.tenant.Issuer,
		// A learner without a name is printed as the employee id that the record carries.
		LearnerName: cmp.Or(c.Learner.FullName(), c.Learner.Username, s.stored.Override.EmployeeID, s.employeeID),
		CourseTitle: c.Course.Title, CourseCode: cmp.Or(c.Course.Code, c.Course.ID),
		CompletedAt: c.CompletedAt, Precision: c.Precision, Score: c.Score, ExpiresAt: c.ExpiresAt,
		RecordID: recordID, Fingerprint: s.stored.Fingerprint,
		VerifyURL: strings.ReplaceAll(s.tenant.VerifyURL, "{number}", number),
	}
}
