package settings_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/settings"
)

var update = flag.Bool("update", false, "write the files that are compared")

// clearEnv removes every variable of ours that the machine happens to have.
func clearEnv(t *testing.T) {
	t.Helper()
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "COUNTERSIGN_") {
			t.Setenv(name, "") // registers the restoration
			require.NoError(t, os.Unsetenv(name))
		}
	}
}

func TestProcessDefaults(t *testing.T) {
	clearEnv(t)
	p, err := settings.ProcessFromEnv()
	require.NoError(t, err)
	require.Equal(t, ":8080", p.Listen)
	require.Equal(t, ":8081", p.MetricsListen)
	require.Equal(t, "sqlite:countersign.db", p.Journal.Reveal())
	require.Equal(t, "countersign.yml", p.Tenants)
	require.Equal(t, int64(1<<20), p.MaxBody)
	require.Equal(t, 32, p.InFlight)
	require.Equal(t, 25*time.Second, p.DrainTimeout)
	require.Equal(t, 30*time.Second, p.ClaimLease)
	require.Equal(t, "countersign", p.TaskQueue)
	require.Equal(t, settings.TLSStart, p.SMTP.TLS)
	require.False(t, p.SMTP.MailEnabled())
	require.Empty(t, p.TrustedProxies)
	require.Empty(t, p.Warnings)
}

func TestProcessResolvesSecrets_R32_R207(t *testing.T) {
	clearEnv(t)
	password := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(password, []byte("p@ss/word\n"), 0o600))
	t.Setenv("SMTP_SECRET", "mail-password")
	t.Setenv("COUNTERSIGN_JOURNAL", "postgres://countersign@postgres:5432/countersign?sslmode=disable")
	t.Setenv("COUNTERSIGN_JOURNAL_PASSWORD", "file:"+password)
	t.Setenv("COUNTERSIGN_SMTP_HOST", "mail.acme.example")
	t.Setenv("COUNTERSIGN_SMTP_USERNAME", "countersign")
	t.Setenv("COUNTERSIGN_SMTP_PASSWORD", "env:SMTP_SECRET")
	t.Setenv("COUNTERSIGN_SMTP_FROM", "Countersign <countersign@acme.example>")
	t.Setenv("COUNTERSIGN_TRUSTED_PROXIES", "10.0.0.0/8,192.0.2.7")
	t.Setenv("COUNTERSIGN_SERVICE_PORT", "8080") // as Kubernetes sets it

	p, err := settings.ProcessFromEnv()
	require.NoError(t, err)
	require.Equal(t, "postgres://countersign:p%40ss%2Fword@postgres:5432/countersign?sslmode=disable", p.Journal.Reveal())
	require.Equal(t, "mail-password", p.SMTP.Password.Reveal())
	require.Equal(t, []string{"10.0.0.0/8", "192.0.2.7"}, p.TrustedProxies)
	require.Equal(t, []string{"COUNTERSIGN_SERVICE_PORT is not a setting and is not read"}, p.Warnings)

	var out bytes.Buffer
	require.NoError(t, p.Describe(&out))
	require.Contains(t, out.String(), "COUNTERSIGN_JOURNAL=••••\n")
	require.Contains(t, out.String(), "COUNTERSIGN_DRAIN_TIMEOUT=25s\n")
	require.NotContains(t, out.String(), "mail-password")
	require.NotContains(t, out.String(), "word")
}

func TestProcessReportsEveryMistakeAndNoSecret_R32(t *testing.T) {
	for name, tc := range map[string]struct {
		env  map[string]string
		want []string
	}{
		"not a number":         {map[string]string{"IN_FLIGHT": "many"}, []string{"COUNTERSIGN_IN_FLIGHT: must be of type int"}},
		"out of range":         {map[string]string{"IN_FLIGHT": "0", "MAX_BODY": "1"}, []string{"COUNTERSIGN_IN_FLIGHT: must lie", "COUNTERSIGN_MAX_BODY: must lie"}},
		"not addresses":        {map[string]string{"LISTEN": "8080", "METRICS_LISTEN": "host:"}, []string{"COUNTERSIGN_LISTEN: must be", "COUNTERSIGN_METRICS_LISTEN: must be"}},
		"no time":              {map[string]string{"DRAIN_TIMEOUT": "0s", "CLAIM_LEASE": "-1s"}, []string{"DRAIN_TIMEOUT", "CLAIM_LEASE"}},
		"unknown words":        {map[string]string{"LOG_LEVEL": "loud", "LOG_FORMAT": "xml", "SMTP_TLS": "maybe"}, []string{"LOG_LEVEL: must be one of debug", "LOG_FORMAT", "SMTP_TLS"}},
		"links":                {map[string]string{"PUBLIC_URL": "acme.example", "TEMPORAL_WEB_URL": "ftp://x"}, []string{"PUBLIC_URL", "TEMPORAL_WEB_URL"}},
		"proxies":              {map[string]string{"TRUSTED_PROXIES": "10.0.0.0/8,everywhere"}, []string{`"everywhere" is neither`}},
		"names":                {map[string]string{"TENANTS": "", "TASK_QUEUE": "", "JOURNAL": ""}, []string{"COUNTERSIGN_TENANTS", "COUNTERSIGN_TASK_QUEUE", "COUNTERSIGN_JOURNAL: must"}},
		"clear password":       {map[string]string{"SMTP_PASSWORD": "hunter2"}, []string{"COUNTERSIGN_SMTP_PASSWORD: must name where the secret is kept"}},
		"clear, with a colon":  {map[string]string{"SMTP_PASSWORD": "hunter2:x"}, []string{"COUNTERSIGN_SMTP_PASSWORD: must name where"}},
		"clear, like env":      {map[string]string{"SMTP_PASSWORD": "env:hunter2 x"}, []string{"COUNTERSIGN_SMTP_PASSWORD: must name where"}},
		"unset secret":         {map[string]string{"JOURNAL": "env:SETTINGS_TEST_UNSET"}, []string{"COUNTERSIGN_JOURNAL: environment variable SETTINGS_TEST_UNSET is not set"}},
		"unknown journal":      {map[string]string{"JOURNAL": "mysql://u:hunter2@h/db"}, []string{"COUNTERSIGN_JOURNAL: must be sqlite"}},
		"broken journal":       {map[string]string{"JOURNAL": "postgres://u:hunter2%@h/db"}, []string{"COUNTERSIGN_JOURNAL: must be sqlite"}},
		"nameless sqlite":      {map[string]string{"JOURNAL": "sqlite:"}, []string{"must name a file"}},
		"password for sqlite":  {map[string]string{"JOURNAL_PASSWORD": "env:PW"}, []string{"JOURNAL_PASSWORD: belongs to"}},
		"two passwords":        {map[string]string{"JOURNAL": "postgres://u:hunter2@h/db", "JOURNAL_PASSWORD": "env:PW"}, []string{"holds a password already"}},
		"mail without sender":  {map[string]string{"SMTP_HOST": "mail", "SMTP_PORT": "0"}, []string{"SMTP_FROM", "SMTP_PORT"}},
		"account, no password": {map[string]string{"SMTP_HOST": "mail", "SMTP_FROM": "a@b.example", "SMTP_USERNAME": "u"}, []string{"SMTP_PASSWORD: is required"}},
	} {
		t.Run(name, func(t *testing.T) {
			clearEnv(t)
			t.Setenv("PW", "from the environment")
			for key, value := range tc.env {
				t.Setenv("COUNTERSIGN_"+key, value)
			}
			_, err := settings.ProcessFromEnv()
			require.Error(t, err)
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

// The table in docs/configuration.md is the one the tags give; -update writes it.
func TestConfigurationTable(t *testing.T) {
	const path, begin, end = "../../docs/configuration.md", "<!-- table: settings.Process -->\n", "<!-- end of table -->"
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(content), begin)
	require.True(t, found, "%s has no %q", path, begin)
	table, after, found := strings.Cut(rest, end)
	require.True(t, found, "%s has no %q", path, end)
	if *update {
		table = settings.Table()
		require.NoError(t, os.WriteFile(path, []byte(before+begin+table+end+after), 0o600))
	}
	require.Equal(t, settings.Table(), table, "run: go test ./internal/settings -run TestConfigurationTable -update")
	require.Contains(t, table, "| `COUNTERSIGN_TEMPORAL_WEB_URL` |")
	require.Contains(t, table, "| `COUNTERSIGN_SMTP_TLS` | `starttls` |")
}

func TestSecretNeverShowsItself_R207(t *testing.T) {
	secret := settings.NewSecret("hunter2")
	holder := struct {
		Name   string
		Secret settings.Secret
		Again  *settings.Secret
	}{"lms", secret, &secret}

	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("text", "secret", secret, "holder", holder)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("json", "secret", secret, "holder", holder)
	encoded, err := json.Marshal(holder)
	require.NoError(t, err)

	texts := []string{log.String(), string(encoded)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		texts = append(texts, fmt.Sprintf(verb, secret), fmt.Sprintf(verb, holder), fmt.Sprintf(verb, []settings.Secret{secret}))
	}
	for _, text := range texts {
		require.NotContains(t, text, "hunter2")
		require.NotContains(t, strings.ToLower(text), "68756e74657232", "in hexadecimal")
	}
	require.Equal(t, "••••", secret.String())
	require.JSONEq(t, `{"Name":"lms","Secret":"••••","Again":"••••"}`, string(encoded))
	require.Equal(t, "hunter2", secret.Reveal())
	require.Empty(t, settings.Secret{}.String(), "an absent secret looks absent")
}
