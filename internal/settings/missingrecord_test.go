package settings_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/training"
)

// Whether a record may be created is said in so many words, or it may not.
func TestMissingRecordPolicy_R98(t *testing.T) {
	t.Setenv("SECRET", "a-secret-of-some-length")
	const file = `tenants:
  - id: acme
    name: Acme
    admins: [training@acme.example]
    qms: {url: "https://qms.acme.example", client_id: c, client_secret: "env:SECRET"}
    policy: {%s}
    sources: [{id: lms, platform: canonical, auth: {hmac_sha256: {secrets: ["env:SECRET"]}}}]
`
	for policy, want := range map[string]training.MissingRecord{
		"":                       training.MissingReview,
		"hold_failed: true":      training.MissingReview,
		"missing_record: review": training.MissingReview,
		"missing_record: create": training.MissingCreate,
	} {
		s, err := load(t, fmt.Sprintf(file, policy))
		require.NoError(t, err, policy)
		require.Equal(t, want, s.Tenants[0].Policy.MissingRecord, policy)
	}
	for _, policy := range []string{"missing_record: Create", "missing_record: true", "missing_record: [create]"} {
		_, err := load(t, fmt.Sprintf(file, policy))
		require.ErrorContains(t, err, "missing_record", policy)
	}
}
