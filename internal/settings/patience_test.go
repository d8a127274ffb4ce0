package settings_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/settings"
	"countersign/internal/training"
)

func patience(t *testing.T, policy string) (*settings.Settings, error) {
	t.Helper()
	t.Setenv("SECRET", "a-secret-of-some-length")
	return load(t, fmt.Sprintf(`tenants:
  - id: acme
    name: Acme
    admins: [training@acme.example]
    qms: {url: "https://qms.acme.example", client_id: c, client_secret: "env:SECRET"}
    policy: {%s}
    sources: [{id: lms, platform: canonical, auth: {hmac_sha256: {secrets: ["env:SECRET"]}}}]
`, policy))
}

func TestPatienceOfATenant_R120_R141(t *testing.T) {
	s, err := patience(t, "")
	require.NoError(t, err)
	require.Equal(t, training.DefaultApproval(), s.Tenants[0].Policy.Approval)
	require.Equal(t, training.DefaultReview(), s.Tenants[0].Policy.Review)
	require.Empty(t, s.Tenants[0].EscalateTo)

	s, err = patience(t, `approval: {poll: {first: 1m, maximum: 1h}, remind: 8h, escalate: 48h, four_eyes: true},
      review: {wait: 168h}, escalate_to: [head@acme.example, quality@acme.example]`)
	require.NoError(t, err)
	require.Equal(t, training.Approval{
		Poll: training.Poll{First: time.Minute, Maximum: time.Hour}, Remind: 8 * time.Hour, Escalate: 48 * time.Hour, FourEyes: true,
	}, s.Tenants[0].Policy.Approval)
	require.Equal(t, 7*24*time.Hour, s.Tenants[0].Policy.Review.Wait)
	require.Equal(t, []string{"head@acme.example", "quality@acme.example"}, s.Tenants[0].EscalateTo)

	s, err = patience(t, "approval: {poll: {first: 6h}}, review: {wait: 2160h}")
	require.NoError(t, err)
	require.Equal(t, training.Poll{First: 6 * time.Hour, Maximum: 6 * time.Hour}, s.Tenants[0].Policy.Approval.Poll)
}

func TestPatienceThatIsRefused_R141(t *testing.T) {
	for policy, mistake := range map[string]string{
		"review: {wait: 167h}":                          "from 168h0m0s to 2160h0m0s",
		"review: {wait: 2161h}":                         "from 168h0m0s to 2160h0m0s",
		"review: {wait: 14}":                            "must be a time span",
		"review: {weight: 168h}":                        "weight",
		"approval: {poll: {first: 10ms}}":               "from 1s to 24h0m0s",
		"approval: {poll: {first: 2h, maximum: 1h}}":    "poll.maximum must not be below poll.first",
		"approval: {remind: 72h}":                       "escalate must come after remind",
		"approval: {four_eyes: two}":                    "true or false",
		"approval: {auto_approve: 90h}":                 "auto_approve",
		"escalate_to: [head]":                           "must be an e-mail address",
		"escalate_to: head@acme.example":                "must be a list",
		"approval: {escalate_to: [head@acme.example] }": "escalate_to",
	} {
		_, err := patience(t, policy)
		require.ErrorContains(t, err, mistake, policy)
	}
}
