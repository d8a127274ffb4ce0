package settings_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/settings"
	"countersign/internal/training"
)

// arenaV1 loads a tenant whose qms, courses and policy are given.
func arenaV1(t *testing.T, qms, courses, policy string) (*settings.Settings, error) {
	t.Helper()
	t.Setenv("SECRET", "a-secret-of-some-length")
	return load(t, fmt.Sprintf(`tenants:
  - id: acme
    name: Acme
    admins: [training@acme.example]
    qms: {type: arena-v1, url: "https://api.arenasolutions.com/v1", %s}
    courses: [%s]
    policy: {%s}
    sources: [{id: lms, platform: canonical, auth: {hmac_sha256: {secrets: ["env:SECRET"]}}}]
`, qms, courses, policy))
}

const (
	session = `session: {email: bridge@acme.example, password: "env:SECRET"}`
	oauth   = `oauth: {client_id: app, client_secret: "env:SECRET", token_url: "https://oauth.bom.com/oauth2/token"}, workspace_id: "898001"`
	plan    = `{code: C, training: TRP-000012}`
)

func TestArenaV1OfATenant(t *testing.T) {
	s, err := arenaV1(t, session, `{code: C, training: TRP-000012, item: 020-00004}`, "")
	require.NoError(t, err)
	acme := s.Tenants[0]
	a := *acme.QMS.ArenaV1
	require.Equal(t, "a-secret-of-some-length", a.Password.Reveal())
	a.Password = settings.Secret{}
	require.Equal(t, settings.ArenaV1{
		Email: "bridge@acme.example", EmployeeKey: settings.EmployeeByEmail, Reserve: 50, UsageReason: "Countersign", Cache: 10 * time.Minute, DueDays: 14,
	}, a)
	require.Equal(t, settings.LearnerEmail, acme.EmployeeID, "what the learner is known by there")
	require.Equal(t, "jordan.lee@acme.example", acme.QMS.Employee("Jordan.Lee@acme.example"))
	require.Equal(t, training.DefaultSigning(), *acme.Policy.Signing)
	require.Equal(t, "020-00004", acme.Courses[0].Item)
	require.Len(t, s.Warnings, 2)
	require.Contains(t, s.Warnings[0], "is ended by every other login of the same user")
	require.Contains(t, s.Warnings[1], "names no workspace_id")
	s, err = arenaV1(t, session+`, workspace_id: "898001"`, plan, "")
	require.NoError(t, err)
	require.Len(t, s.Warnings, 1)

	s, err = arenaV1(t, oauth+`, employee_key: guid, reserve: 0, usage_reason: Bridge, cache: 0s, revision: any, due_days: 0, file_category: CEVIDENCE00000000001`,
		plan, `signing: {poll: {first: 1h, maximum: 8h}, remind: 8h, escalate: 48h, grace: 24h, evidence: false}`)
	require.NoError(t, err)
	require.Empty(t, s.Warnings)
	acme = s.Tenants[0]
	require.Equal(t, "https://oauth.bom.com/oauth2/token", acme.QMS.ArenaV1.TokenURL)
	require.True(t, acme.QMS.ArenaV1.AnyRevision)
	require.Zero(t, acme.QMS.ArenaV1.Reserve+acme.QMS.ArenaV1.DueDays)
	require.Equal(t, settings.LearnerExternalID, acme.EmployeeID)
	require.Equal(t, "UJANE", acme.QMS.Employee("UJANE"))
	require.Equal(t, training.Signing{
		Poll: training.Poll{First: time.Hour, Maximum: 8 * time.Hour}, Remind: 8 * time.Hour, Escalate: 48 * time.Hour, Grace: 24 * time.Hour, Patient: true,
	}, *acme.Policy.Signing)
}

func TestArenaV1ThatIsRefused(t *testing.T) {
	for mistake, tc := range map[string][3]string{
		"qms: must have either session":                                   {`workspace_id: "1"`, plan, ""},
		"qms: must have either session (":                                 {session + ", " + oauth, plan, ""},
		"qms.workspace_id: is required":                                   {`oauth: {client_id: a, client_secret: "env:SECRET", token_url: "https://o.example/t"}`, plan, ""},
		"qms.oauth.token_url: is required":                                {`oauth: {client_id: a, client_secret: "env:SECRET"}, workspace_id: "1"`, plan, ""},
		"qms.oauth.token_url: must begin with https://":                   {`oauth: {client_id: a, client_secret: "env:SECRET", token_url: "http://o.example/t"}, workspace_id: "1"`, plan, ""},
		"qms.session.email: must be an e-mail address":                    {`session: {email: bridge, password: "env:SECRET"}`, plan, ""},
		"qms.session.password: is required":                               {`session: {email: bridge@acme.example}`, plan, ""},
		`qms.session.user: unknown key (known: email password)`:           {`session: {email: bridge@acme.example, password: "env:SECRET", user: x}`, plan, ""},
		`qms.client_id: unknown key (known: type url budget employee_key`: {session + ", client_id: x", plan, ""},
		`qms.employee_key: unknown key "name" (known: email guid)`:        {session + ", employee_key: name", plan, ""},
		"qms.reserve: must be a whole number from 0 to 1000000":           {session + ", reserve: -1", plan, ""},
		"qms.cache: must be a time span from 0s to 1h0m0s":                {session + ", cache: 2h", plan, ""},
		`qms.revision: unknown choice "newest"`:                           {session + ", revision: newest", plan, ""},
		"qms.usage_reason: must be of ASCII":                              {session + ", usage_reason: Brücke", plan, ""},
		"qms.file_category: must be the GUID of a file category":          {session + ", file_category: evidence", plan, ""},
		"courses[0].training: must be the number or the GUID":             {session, `{code: C, training: TRP-1/020-00004}`, ""},
		"courses[0].approval: has no meaning with qms.type":               {session, `{code: C, training: TRP-1, approval: true}`, ""},
		"policy.signing: escalate must come after remind":                 {session, plan, "signing: {remind: 72h}"},
		"policy.signing.poll.first: must be a time span from 1s":          {session, plan, "signing: {poll: {first: 10ms}}"},
		"policy.signing.auto: unknown key":                                {session, plan, "signing: {auto: true}"},
	} {
		_, err := arenaV1(t, tc[0], tc[1], tc[2])
		require.ErrorContains(t, err, mistake)
		require.Regexp(t, `(?m)^countersign\.yml:\d+:\d+: tenants\[0\]\.`, err.Error(), "each with its line")
	}
	_, err := patience(t, "signing: {remind: 8h}")
	require.ErrorContains(t, err, "policy.signing: belongs to qms.type: arena-v1")
}

// Two tenants who sign in as one user would end each other's sessions (law 6).
func TestArenaV1UserIsOneTenants(t *testing.T) {
	t.Setenv("SECRET", "a-secret-of-some-length")
	t.Setenv("OTHER", "another-secret-of-length")
	const tenant = `  - id: %s
    name: X
    admins: [training@acme.example]
    qms: {type: arena-v1, url: "https://api.arenasolutions.com/v1", session: {email: %s, password: "env:SECRET"}}
    sources: [{id: lms, platform: canonical, auth: {hmac_sha256: {secrets: ["env:%s"]}}}]
`
	file := "tenants:\n" + fmt.Sprintf(tenant, "acme", "bridge@acme.example", "SECRET")
	_, err := load(t, file+fmt.Sprintf(tenant, "globex", "Bridge@acme.example", "OTHER"))
	require.ErrorContains(t, err, "tenants[1].qms.session.email: is the same user as tenants[0].qms.session.email")
	require.NotContains(t, err.Error(), "bridge@")
	_, err = load(t, file+fmt.Sprintf(tenant, "globex", "bridge@globex.example", "OTHER"))
	require.NoError(t, err)
}

// One application in one workspace is one tenant's: the same signature would prove the completions of both.
func TestArenaV1ApplicationIsOneTenants(t *testing.T) {
	t.Setenv("SECRET", "a-secret-of-some-length")
	t.Setenv("OTHER", "another-secret-of-length")
	const tenant = `  - id: %s
    name: X
    admins: [training@acme.example]
    qms: {type: arena-v1, url: "https://api.arenasolutions.com/v1", workspace_id: "%s", oauth: {client_id: app, client_secret: "env:SECRET", token_url: "https://oauth.bom.com/oauth2/token"}}
    sources: [{id: lms, platform: canonical, auth: {hmac_sha256: {secrets: ["env:%s"]}}}]
`
	file := "tenants:\n" + fmt.Sprintf(tenant, "acme", "1", "SECRET")
	_, err := load(t, file+fmt.Sprintf(tenant, "globex", "1", "OTHER"))
	require.ErrorContains(t, err, "tenants[1].qms.oauth.client_id: is the same application in the same workspace as tenants[0].qms.oauth.client_id")
	_, err = load(t, file+fmt.Sprintf(tenant, "globex", "2", "OTHER"))
	require.NoError(t, err)
}

func TestArenaV1IsDescribedWithoutItsSecrets(t *testing.T) {
	for _, way := range []string{session, oauth} {
		s, err := arenaV1(t, way, plan, "")
		require.NoError(t, err)
		var out bytes.Buffer
		require.NoError(t, s.Describe(&out))
		require.Contains(t, out.String(), "arena-v1 at https://api.arenasolutions.com/v1")
		require.Contains(t, out.String(), "completes nothing: the trainee signs")
		require.Contains(t, out.String(), "reminder after 24h0m0s, escalation after 72h0m0s; a report before it and the certificate after it")
		require.NotContains(t, out.String(), "a-secret-of-some-length")
		require.NotContains(t, out.String(), "bridge@acme.example")
	}
}
