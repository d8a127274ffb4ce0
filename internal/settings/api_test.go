package settings_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/settings"
)

func api(t *testing.T, platform, api string) (*settings.Settings, error) {
	t.Helper()
	t.Setenv("SECRET", "a-secret-of-some-length")
	t.Setenv("API_SECRET", "an-api-secret-of-some-length")
	content := fmt.Sprintf(`tenants:
  - id: acme
    name: Acme
    admins: [training@acme.example]
    qms: {url: "https://qms.acme.example", client_id: c, client_secret: "env:SECRET"}
    sources:
      - id: lms
        platform: %s
        auth: {hmac_sha256: {secrets: ["env:SECRET"]}}
        api: %s
`, platform, api)
	path := filepath.Join(t.TempDir(), "countersign.yml")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return settings.Load(path, settings.Known{
		Platforms: []string{"canonical", "docebo"}, QMS: []string{"arena"},
		APIs: map[string]settings.KnownAPI{"docebo": {ExternalIDField: true, Credentials: []settings.KnownCredential{
			{Name: "client_id", Required: true}, {Name: "client_secret", Secret: true, Required: true}, {Name: "password", Secret: true},
		}}},
	})
}

func TestAPIOfASource_R15_R146(t *testing.T) {
	s, err := api(t, "docebo", `{url: "https://acme.docebosaas.com/", client_id: app, client_secret: "env:API_SECRET", per_hour: 500, external_id_field: Employee number}`)
	require.NoError(t, err)
	got := s.Tenants[0].Sources[0].API
	require.Equal(t, "https://acme.docebosaas.com", got.URL)
	require.Equal(t, 500, got.PerHour)
	require.Equal(t, "Employee number", got.ExternalIDField)
	require.Equal(t, "app", got.Credentials["client_id"].Reveal())
	require.Equal(t, "an-api-secret-of-some-length", got.Credentials["client_secret"].Reveal())
	require.NotContains(t, got.Credentials, "password")
	require.True(t, s.LooksUp("acme", "lms"))
	require.False(t, s.LooksUp("acme", "gone"))
	require.False(t, s.LooksUp("globex", "lms"))

	var page strings.Builder
	require.NoError(t, s.Describe(&page))
	require.Contains(t, page.String(), "looks up at https://acme.docebosaas.com with client_id app, client_secret •••• (env:API_SECRET), at most 500 calls an hour")
	require.NotContains(t, page.String(), "an-api-secret")
	require.NotContains(t, fmt.Sprintf("%+v", got), "an-api-secret")

	s, err = api(t, "docebo", "")
	require.NoError(t, err)
	require.Nil(t, s.Tenants[0].Sources[0].API)
	require.False(t, s.LooksUp("acme", "lms"))
}

func TestAPIThatIsRefused_R15(t *testing.T) {
	const whole = `url: "https://lms.example", client_id: app, client_secret: "env:API_SECRET"`
	for text, mistake := range map[string]string{
		`{url: "https://lms.example", client_secret: "env:API_SECRET"}`:                 ":10:14: tenants[0].sources[0].api.client_id: is required",
		`{client_id: app, client_secret: "env:API_SECRET"}`:                             "api.url: is required",
		`{url: "http://lms.example", client_id: app, client_secret: "env:API_SECRET"}`:  "must begin with https://",
		`{url: "https://lms.example", client_id: app, client_secret: in-the-clear-yes}`: "must name where the secret is kept",
		`{` + whole + `, token: "env:API_SECRET"}`:                                      "unknown key",
		`{` + whole + `, per_hour: 9}`:                                                  "must be a whole number from 10",
		`{` + whole + `, per_hour: many}`:                                               "must be a whole number",
		`[]`:                                                                            "must be a mapping",
	} {
		_, err := api(t, "docebo", text)
		require.ErrorContains(t, err, mistake, text)
		require.NotContains(t, err.Error(), "in-the-clear")
	}
	_, err := api(t, "canonical", `{url: "https://lms.example"}`)
	require.ErrorContains(t, err, `nothing can be looked up at platform "canonical"`)
}
