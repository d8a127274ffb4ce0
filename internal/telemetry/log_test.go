package telemetry_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/telemetry"
)

type state string

type holder struct{ Name string }

func TestLogKeepsSecretsAndPeopleOut_R207(t *testing.T) {
	for _, format := range []string{"json", "text"} {
		t.Run(format, func(t *testing.T) {
			var out bytes.Buffer
			log, err := telemetry.Logger("info", format, &out)
			require.NoError(t, err)
			log.With("password", "hidden").WithGroup("learner").With("id", "hidden").Info("stored", "number", "hidden")
			log.Info("stored",
				"client_secret", "hidden", "Authorization", "hidden", "X-API-Key", "hidden", "access-token", "hidden",
				"learnerEmail", "hidden", "employee id", "hidden", "X-Hub-Signature-256", "hidden", "journal.dsn", "hidden",
				slog.Group("credentials", "user", "hidden"), slog.Group("request", "cookie", "hidden"),
				"completion", holder{"hidden"}, "pointer", &holder{"hidden"}, "map", map[string]string{"a": "hidden"},
				"all", []holder{{"hidden"}}, "body", []byte("hidden"))
			require.NotContains(t, out.String(), "hidden")
			require.NotContains(t, out.String(), "68 69 64", "nor as bytes")
			require.Contains(t, out.String(), "telemetry_test.holder", "the type says what was withheld")
		})
	}
}

// TestLogTakesQueriesOutOfErrors: net/http quotes the whole URL, and tokens stand in URLs.
func TestLogTakesQueriesOutOfErrors_R207(t *testing.T) {
	for name, test := range map[string]struct{ url, want string }{
		"query":         {"https://qms.example/records?access_token=hidden&page=2", `https://qms.example/records?redacted`},
		"user":          {"https://user:hidden@qms.example/records", `https://redacted@qms.example/records`},
		"fragment":      {"https://qms.example/#hidden", `https://qms.example/#redacted`},
		"no URL at all": {"https://qms.example/%zzhidden", "••••"},
		"nothing in it": {"https://qms.example/records", "https://qms.example/records"},
	} {
		t.Run(name, func(t *testing.T) {
			broken := &url.Error{Op: "Get", URL: test.url, Err: errors.New("connection refused")}
			for _, err := range []error{
				broken, fmt.Errorf("read record: %w", broken), errors.Join(errors.New("first"), fmt.Errorf("then: %w", broken), broken),
				&url.Error{Op: "Get", URL: "https://other.example/?x=hidden", Err: broken},
			} {
				var out bytes.Buffer
				log, logErr := telemetry.Logger("info", "json", &out)
				require.NoError(t, logErr)
				log.Info("failed", "error", err)
				require.NotContains(t, out.String(), "hidden")
				require.Contains(t, out.String(), test.want)
				require.Contains(t, out.String(), "connection refused")
			}
		})
	}
}

func TestLogShowsTheRest_R165(t *testing.T) {
	var out bytes.Buffer
	log, err := telemetry.Logger("debug", "json", &out)
	require.NoError(t, err)
	log.Debug("completed", "tenant", "acme", "delivery", 7, "state", state("QUEUED"), "gap", time.Minute,
		"absent", (*url.Error)(nil), "error", fmt.Errorf("read back: %w", errors.New("timeout")), "states", []state{"A"}, "mode", os.FileMode(0o600), "nothing", nil)

	var line map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &line))
	require.Equal(t, "completed", line["msg"])
	require.Equal(t, "DEBUG", line["level"])
	require.Equal(t, "acme", line["tenant"])
	require.EqualValues(t, 7, line["delivery"])
	require.Equal(t, "QUEUED", line["state"])
	require.EqualValues(t, time.Minute, line["gap"])
	require.Equal(t, "read back: timeout", line["error"])
	require.Equal(t, []any{"A"}, line["states"])
	require.Contains(t, line, "nothing")
}

func TestLogLevelAndFormat(t *testing.T) {
	var out bytes.Buffer
	log, err := telemetry.Logger("warn", "text", &out)
	require.NoError(t, err)
	log.Info("quiet")
	require.Empty(t, out.String())
	log.Warn("loud")
	require.Contains(t, out.String(), "level=WARN msg=loud")

	_, err = telemetry.Logger("loud", "text", &out)
	require.ErrorContains(t, err, `unknown level "loud"`)
	_, err = telemetry.Logger("info", "xml", &out)
	require.ErrorContains(t, err, `unknown format "xml"`)
}
