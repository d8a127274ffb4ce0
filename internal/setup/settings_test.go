package setup

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms/mapping"
	"countersign/internal/lms/platform"
	"countersign/internal/settings"
)

const oneTenant = `tenants:
  - id: acme
    name: Acme Medical
    admins: [training@acme.example]
    qms: {url: https://arena.acme.example, client_id: svc, client_secret: env:ARENA_SECRET}
    courses: [{code: COMP-2026, training: TP-0042}]
    `

// loadPage reads a credential's lines as the processes read them, under a tenant.
func loadPage(t *testing.T, p Page, c Credential) settings.Source {
	t.Helper()
	text := strings.ReplaceAll(lines(p.Platform, "", c), "\n", "\n    ")
	if p.Own != nil {
		text += strings.ReplaceAll(indented(p.Own.Lines), "\n", "\n    ")
	}
	text = oneTenant + strings.TrimRight(text, " ")
	folder := t.TempDir()
	if c.auth.MTLS != nil && c.auth.MTLS.CA != "" {
		require.NoError(t, os.CopyFS(folder, os.DirFS("testdata")))
	}
	for _, name := range regexp.MustCompile(`env:([A-Z_]+)`).FindAllStringSubmatch(text, -1) {
		t.Setenv(name[1], "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
		if c.inPath() {
			t.Setenv(name[1], "0123456789abcdef0123456789abcdef")
		}
	}
	path := filepath.Join(folder, "countersign.yml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	loaded, err := settings.Load(path, settings.Known{
		Platforms: platform.Names(), QMS: []string{"arena"},
		Mapping: func(name string, d mapping.Definition) error {
			known, _ := platform.Find(name)
			_, err := known.Mapping(&d)
			return err
		},
	})
	require.NoError(t, err, "%s/%s:\n%s", p.Platform, c.ID, text)
	return loaded.Tenants[0].Sources[0]
}

// What a page says belongs into the tenants' file is what the processes take.
func TestSettingsOfEveryPageAreTaken_R23_R47(t *testing.T) {
	for _, p := range book(t).All() {
		for _, c := range p.Credentials {
			source := loadPage(t, p, c)
			require.Equal(t, p.Platform, source.ID)
			require.Equal(t, p.Platform, source.Platform)
			require.Equal(t, c.auth.none, source.Mode == settings.ModeTest, "%s/%s", p.Platform, c.ID)
		}
	}
}
