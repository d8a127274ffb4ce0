package certificate_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"countersign/internal/certificate"
	"countersign/internal/training"
)

func TestNumbersAreKnownByTheirForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := training.Fingerprint(rapid.String().Draw(t, "fingerprint"))
		require.True(t, certificate.Numbered(certificate.Number(f)))
		require.True(t, certificate.Numbered(certificate.ReportNumber(f)))
	})
	for _, other := range []string{
		"", "CS-", "EV-0000-0000-0000", "XX-0000-0000-0000-0000", "CS-0000-0000-0000-0000-0000", "CS-0000-0000-0000-000",
		"CS-0000-0000-0000-000I", "cs-0000-0000-0000-0000", "CS-0000-0000-0000-0000.pdf", "Plan of the year",
	} {
		require.False(t, certificate.Numbered(other), other)
	}
}
