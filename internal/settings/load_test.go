package settings_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/settings"
	"countersign/internal/training"
)

func known() settings.Known {
	return settings.Known{Platforms: []string{"canonical"}, QMS: []string{"arena", "arena-v1"}}
}

// setSecrets provides what testdata/good.yml names, and returns the file in a folder of its own
// with the secret files beside it.
func goodFile(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"ACME_ARENA_SECRET", "ACME_LMS_SECRET", "ACME_LMS_SECRET_OLD", "BETA_ARENA_SECRET", "BETA_LMS_SECRET"} {
		t.Setenv(name, "value-of-"+name)
	}
	content, err := os.ReadFile("testdata/good.yml")
	require.NoError(t, err)
	dir := t.TempDir()
	path := filepath.Join(dir, "good.yml")
	require.NoError(t, os.WriteFile(path, content, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "lrs-password"), []byte("lrs password \r\n"), 0o600))
	return path
}

func TestLoadReadsEverySetting_R113_R162_R208(t *testing.T) {
	s, err := settings.Load(goodFile(t), known())
	require.NoError(t, err)
	require.Empty(t, s.Warnings)

	acme, ok := s.Tenant("acme")
	require.True(t, ok)
	require.Equal(t, "Acme Medical", acme.Name)
	require.Equal(t, []string{"training@acme.example", "quality@acme.example"}, acme.Admins)
	require.Equal(t, "https://arena.acme.example", acme.QMS.URL)
	require.Equal(t, "value-of-ACME_ARENA_SECRET", acme.QMS.ClientSecret.Reveal())
	require.Equal(t, []string{"training.records.write", "user.read"}, acme.QMS.Scopes)
	require.Equal(t, settings.TokenPerCall, acme.QMS.TokenMode)
	require.Equal(t, "lrs password ", acme.LRS.Password.Reveal(), "only the line end is the editor's")
	require.Equal(t, settings.ActorAccount, acme.LRS.Actor)
	require.Equal(t, "1.0.3", acme.LRS.Version)
	require.Equal(t, settings.LearnerUsername, acme.EmployeeID)
	require.Equal(t, training.Policy{
		Retry:       training.Retry{Initial: 2 * time.Minute, Coefficient: 2, Maximum: 10 * time.Minute, Attempts: 3, Jitter: 0.1},
		HoldFailed:  false,
		DigestEvery: time.Hour, DigestLongest: 12 * time.Hour,

		MissingRecord: training.MissingCreate,
		Enrollments:   training.EnrollmentsCreate,
		Approval:      training.DefaultApproval(),
		Review:        training.DefaultReview(),
		Outage:        training.DefaultOutage(),
	}, acme.Policy)

	lms, ok := acme.Source("lms")
	require.True(t, ok)
	require.Equal(t, []string{"acme.lms.example.com"}, lms.Domains)
	require.Len(t, lms.Auth.HMACSHA256.Secrets, 2)
	require.Equal(t, "value-of-ACME_LMS_SECRET_OLD", lms.Auth.HMACSHA256.Secrets[1].Reveal())
	require.Equal(t, []string{"X-Acme-Signature"}, lms.Auth.HMACSHA256.Headers)
	require.Equal(t, settings.Rate{PerSecond: 0.5, Burst: 10}, lms.Rate)

	tenant, source, ok := s.SourceForDomain("ACME.lms.example.com")
	require.True(t, ok)
	require.Equal(t, "acme/lms", tenant.ID+"/"+source.ID)
	_, _, ok = s.SourceForDomain("")
	require.False(t, ok)
}

func TestLoadFillsInDefaults_R113_R123(t *testing.T) {
	s, err := settings.Load(goodFile(t), known())
	require.NoError(t, err)
	beta, ok := s.Tenant("beta")
	require.True(t, ok)
	require.Equal(t, "arena", beta.QMS.Type)
	require.Equal(t, []string{"training.records.write", "training.status.update", "user.read"}, beta.QMS.Scopes)
	require.Equal(t, settings.TokenCached, beta.QMS.TokenMode)
	require.Nil(t, beta.LRS)
	require.Equal(t, "Beta Devices", beta.Certificate.Issuer)
	require.Equal(t, settings.LearnerExternalID, beta.EmployeeID)
	require.Equal(t, settings.UnmappedReview, beta.UnmappedCourses)
	require.Equal(t, settings.Rate{PerSecond: 200, Burst: 2000}, beta.Sources[0].Rate)
	require.Empty(t, beta.Sources[0].Auth.HMACSHA256.Headers, "those of the platform")

	path := filepath.Join(t.TempDir(), "plain.yml")
	plain := "tenants:\n  - {id: a, name: A, admins: [a@a.example], qms: {url: 'https://q.example', client_id: c, client_secret: 'env:BETA_LMS_SECRET'}," +
		" sources: [{id: s, platform: canonical, auth: {hmac_sha256: {secrets: ['env:BETA_LMS_SECRET']}}}]}\n"
	require.NoError(t, os.WriteFile(path, []byte(plain), 0o600))
	s, err = settings.Load(path, known())
	require.NoError(t, err)
	require.Equal(t, training.DefaultPolicy(), s.Tenants[0].Policy)
}

// testdata/bad.txt is what a person reads; regenerate it with -update and read it.
func TestLoadReportsEveryMistakeWithItsLine_R41_R164(t *testing.T) {
	t.Setenv("SHARED", "the-same-secret-twice")
	_, err := settings.Load("testdata/bad.yml", known())
	var mistakes settings.Mistakes
	require.ErrorAs(t, err, &mistakes)
	if *update {
		require.NoError(t, os.WriteFile("testdata/bad.txt", []byte(err.Error()+"\n"), 0o600))
	}
	want, readErr := os.ReadFile("testdata/bad.txt")
	require.NoError(t, readErr)
	require.Equal(t, string(want), err.Error()+"\n")
	require.NotContains(t, err.Error(), "hunter2")
	require.NotContains(t, err.Error(), "the-same-secret-twice")
}

func TestLoadPointsAtTheMistake(t *testing.T) {
	const source = "    sources: [{id: s, platform: canonical, auth: {hmac_sha256: {secrets: [env:S]}}}]\n"
	const qms = "    qms: {url: 'https://q.example', client_id: c, client_secret: env:S}\n"
	const head = "tenants:\n  - id: a\n    name: A\n    admins: [a@a.example]\n"
	t.Setenv("S", "sixteen-bytes-and-more")
	t.Setenv("EMPTY", "")
	for name, tc := range map[string]struct{ file, want string }{
		"empty":           {"", "the file is empty"},
		"only a comment":  {"# nothing\n", "the file is empty"},
		"null":            {"~\n", ":1:1: is required"},
		"a list":          {"- a\n", ":1:1: must be a mapping, not a list"},
		"no tenants":      {"tenants: []\n", ":1:10: tenants: must name at least one tenant"},
		"tenants absent":  {"{}\n", ":1:1: tenants: is required"},
		"broken YAML":     {"tenants:\n  - id: [a\n", ":1:1: did not find expected"},
		"two documents":   {head + qms + source + "---\n{}\n", "a second YAML document"},
		"sources absent":  {head + qms, ":2:5: tenants[0].sources: is required"},
		"sources null":    {head + qms + "    sources:\n", ":6:5: tenants[0].sources: is required"},
		"auth absent":     {head + qms + "    sources:\n      - id: s\n        platform: canonical\n", ":7:9: tenants[0].sources[0].auth: is required"},
		"user in URL":     {head + "    qms: {url: 'https://u:p@q.example', client_id: c, client_secret: env:S}\n" + source, ":5:16: tenants[0].qms.url: must not carry a user"},
		"empty variable":  {head + "    qms: {url: 'https://q.example', client_id: c, client_secret: env:EMPTY}\n" + source, "environment variable EMPTY is empty"},
		"secret is a dir": {head + "    qms: {url: 'https://q.example', client_id: c, client_secret: 'file:/'}\n" + source, "not a regular file"},
		"digests shrink":  {head + qms + source + "    policy: {digest_every: 1h, digest_longest: 30m}\n", `:7:48: tenants[0].policy.digest_longest: must be a time span from 1h0m0s to`},
		"time as number":  {head + qms + source + "    policy: {digest_every: 20}\n", `:7:28: tenants[0].policy.digest_every: must be a time span`},
		"not a number":    {head + qms + source + "    policy: {retry: {jitter: .nan}}\n", "must be a number from 0 to 1"},
		"second tenant":   {head + qms + source + "  - id: a\n    name: B\n    admins: [b@b.example]\n", `:7:9: tenants[1].id: "a" is taken by tenants[0].id in line 2`},
		"home page":       {head + qms + source + "    lrs: {url: 'https://l.example', username: u, password: env:S, actor: mbox, home_page: 'https://h.example'}\n", "home_page: belongs to actor: account"},
		"merge key":       {head + qms + source + "    <<: {id: b}\n", `tenants[0].<<: unknown key`},
		"tabs in text":    {"tenants:\n  - id: \"a\\tb\"\n", "must be one line without control characters"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "countersign.yml")
			require.NoError(t, os.WriteFile(path, []byte(tc.file), 0o600))
			_, err := settings.Load(path, known())
			var mistakes settings.Mistakes
			require.ErrorAs(t, err, &mistakes)
			require.Contains(t, err.Error(), tc.want)
			for _, m := range mistakes {
				require.Equal(t, "countersign.yml", m.File)
			}
		})
	}
}

func TestLoadWarnsOfGuessableAndReadableSecrets_R210(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "short"), []byte("short\n"), 0o600))
	require.NoError(t, os.Chmod(filepath.Join(dir, "short"), 0o644))
	t.Setenv("S", "sixteen-bytes-and-more")
	path := filepath.Join(dir, "countersign.yml")
	require.NoError(t, os.WriteFile(path, []byte("tenants:\n  - {id: a, name: A, admins: [a@a.example], qms: {url: 'https://q.example', client_id: c, client_secret: 'env:S'},\n"+
		"     sources: [{id: s, platform: canonical, auth: {hmac_sha256: {secrets: ['file:short']}}}]}\n"), 0o600))
	s, err := settings.Load(path, known())
	require.NoError(t, err)
	require.Len(t, s.Warnings, 2)
	require.Contains(t, strings.Join(s.Warnings, "\n"), "countersign.yml:3:76: tenants[0].sources[0].auth.hmac_sha256.secrets[0]: ")
	require.Contains(t, s.Warnings[0], "can be read by everybody")
	require.Contains(t, s.Warnings[1], "shorter than 16 bytes")
}

func TestLoadNamesAnAbsentFile(t *testing.T) {
	_, err := settings.Load(filepath.Join(t.TempDir(), "none.yml"), known())
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NotErrorAs(t, err, new(settings.Mistakes))
}

func TestDescribeShowsNoSecretAndNoPerson_R207(t *testing.T) {
	s, err := settings.Load(goodFile(t), known())
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, s.Describe(&out))
	require.Contains(t, out.String(), "•••• (env:ACME_LMS_SECRET)")
	require.Contains(t, out.String(), "/webhooks/lms/acme/lms")
	require.Contains(t, out.String(), "t•••@acme.example")
	for _, hidden := range []string{"value-of", "lrs password ", "training@", "quality@"} {
		require.NotContains(t, out.String(), hidden)
	}
}

func TestCourseMapping_C2_C15(t *testing.T) {
	s, err := settings.Load(goodFile(t), known())
	require.NoError(t, err)
	acme, _ := s.Tenant("acme")
	beta, _ := s.Tenant("beta")
	for name, tc := range map[string]struct {
		tenant   settings.Tenant
		source   string
		course   training.Course
		training string
		approval bool
	}{
		"by code":                    {acme, "lms", training.Course{Code: "COMP-2026"}, "TP-0042", true},
		"this source before all":     {acme, "lms-two", training.Course{Code: "COMP-2026"}, "TP-0043", false},
		"id before code":             {acme, "lms", training.Course{Code: "COMP-2026", ID: "4711"}, "TP-0044", false},
		"by title":                   {acme, "lms", training.Course{Title: "Sterile Gowning", ID: "1"}, "TP-0045", false},
		"unmapped, same code":        {acme, "lms", training.Course{Code: "NEW"}, "NEW", false},
		"unmapped, no code to take":  {acme, "lms", training.Course{Title: "New"}, "", false},
		"case matters":               {acme, "lms", training.Course{Title: "sterile gowning"}, "", false},
		"unmapped goes to review":    {beta, "lms", training.Course{Code: "NEW"}, "", false},
		"an absent title maps never": {beta, "lms", training.Course{}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := tc.tenant.Course(tc.source, tc.course)
			require.Equal(t, tc.training != "", ok)
			require.Equal(t, tc.training, got.Training)
			require.Equal(t, tc.approval, got.Approval)
		})
	}
}

func TestEmployeeIDComesFromTheChosenField_C14(t *testing.T) {
	learner := training.Learner{ID: "1", Username: "jdoe", Email: "jane@acme.example", ExternalID: "E-0042"}
	require.Equal(t, "1", settings.LearnerID.Of(learner))
	require.Equal(t, "jdoe", settings.LearnerUsername.Of(learner))
	require.Equal(t, "jane@acme.example", settings.LearnerEmail.Of(learner))
	require.Equal(t, "E-0042", settings.LearnerExternalID.Of(learner))
	require.Empty(t, settings.LearnerField("").Of(learner))
}

func FuzzLoadNeverPanics(f *testing.F) {
	for _, name := range []string{"testdata/good.yml", "testdata/bad.yml"} {
		content, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(string(content))
	}
	f.Add("tenants: &a [*a]\n")
	f.Add("tenants: [{? [x] : y}]\n")
	f.Add("? &a {*a : *a}\n: 1\n")
	path := filepath.Join(f.TempDir(), "countersign.yml")
	f.Fuzz(func(t *testing.T, content string) {
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		s, err := settings.Load(path, known())
		require.Equal(t, err == nil, s != nil)
		if err == nil {
			require.NotEmpty(t, s.Tenants)
			for _, tenant := range s.Tenants {
				require.NotEmpty(t, tenant.ID)
				require.NoError(t, tenant.Policy.Retry.Validate())
				require.NotEmpty(t, tenant.Sources)
				for _, source := range tenant.Sources {
					requireProof(t, source.Auth)
				}
			}
		}
	})
}

// The example that docs/configuration.md shows says of every default what it is.
func TestDocumentedExampleIsAccepted(t *testing.T) {
	for _, name := range []string{"ACME_ARENA_SECRET", "ACME_LRS_PASSWORD", "ACME_LMS_SECRET", "ACME_LMS_SECRET_OLD",
		"ACME_DOCEBO_PASSWORD", "ACME_DOCEBO_API_SECRET"} {
		t.Setenv(name, "value-of-"+name)
	}
	path := filepath.Join(t.TempDir(), "countersign.yml")
	require.NoError(t, os.WriteFile(path, []byte(documented(t)[0]), 0o600))
	docebo := known()
	docebo.Platforms = append(docebo.Platforms, "docebo")
	docebo.APIs = map[string]settings.KnownAPI{"docebo": {ExternalIDField: true, Credentials: []settings.KnownCredential{
		{Name: "client_id", Required: true}, {Name: "client_secret", Required: true, Secret: true},
	}}}
	s, err := settings.Load(path, docebo)
	require.NoError(t, err)
	require.Equal(t, "Employee number", s.Tenants[0].Sources[1].API.ExternalIDField)
	require.Equal(t, training.DefaultPolicy(), s.Tenants[0].Policy)
	require.Equal(t, settings.Rate{PerSecond: 200, Burst: 2000}, s.Tenants[0].Sources[0].Rate)
	require.Len(t, s.Tenants[0].Sources[0].Auth.HMACSHA256.Secrets, 2)
}

// documented are the YAML examples of docs/configuration.md, in their order.
func documented(t *testing.T) []string {
	t.Helper()
	content, err := os.ReadFile("../../docs/configuration.md")
	require.NoError(t, err)
	parts := strings.Split(string(content), "```yaml\n")[1:]
	for i := range parts {
		parts[i], _, _ = strings.Cut(parts[i], "```")
	}
	require.Len(t, parts, 2)
	return parts
}

func load(t *testing.T, content string) (*settings.Settings, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "countersign.yml")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return settings.Load(path, known())
}
