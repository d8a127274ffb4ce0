package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"countersign/internal/certificate"
	"countersign/internal/settings"
	"countersign/internal/training"
)

// certificates checks that the tenant's certificates can be drawn, by drawing one of nobody and throwing it away.
type certificates struct {
	tenant settings.Tenant
	now    func() time.Time
}

func (c certificates) run(context.Context) []Finding {
	const check = "certificate.draw"
	drawer, err := certificate.NewDrawer()
	if err != nil {
		return []Finding{unfit(Error, check, "the fonts cannot be read: "+err.Error(), "this build is broken: install it again")}
	}
	sample := training.Fingerprint(fmt.Sprintf("%064x", 1))
	page, err := drawer.Draw(certificate.Certificate{
		Number: certificate.Number(sample), TenantName: c.tenant.Name, Issuer: c.tenant.Certificate.Issuer,
		LearnerName: "Sample Learner", CourseTitle: "Sample Course", CourseCode: "SAMPLE-1",
		CompletedAt: c.now(), Precision: training.PrecisionMillisecond, RecordID: "TR-000000", Fingerprint: sample,
		VerifyURL: c.tenant.Certificate.VerifyURL,
	})
	switch {
	case errors.Is(err, certificate.ErrNoGlyph), errors.Is(err, certificate.ErrNotDrawable):
		return []Finding{unfit(Error, check, "no certificate of this tenant can be drawn: "+err.Error(), "correct name, certificate.issuer or certificate.verify_url in the settings")}
	case err != nil:
		return []Finding{unfit(Error, check, "no certificate can be drawn: "+err.Error(), "send this line to support")}
	default:
		return []Finding{fine(check, "a sample was drawn, %d KB", (len(page)+999)/1000)}
	}
}
