package arena_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/qms/arena"
)

func TestSettingsAreChecked_R3(t *testing.T) {
	good := arena.Config{BaseURL: "https://arena.example.com/eu/", ClientID: "svc", ClientSecret: "s"}
	for name, tc := range map[string]struct {
		change func(*arena.Config)
		want   string
	}{
		"https":               {func(*arena.Config) {}, ""},
		"http on loopback":    {func(c *arena.Config) { c.BaseURL = "http://127.0.0.1:8082" }, ""},
		"http on localhost":   {func(c *arena.Config) { c.BaseURL = "http://localhost:8082" }, ""},
		"http elsewhere":      {func(c *arena.Config) { c.BaseURL = "http://arena.example.com" }, "must be https"},
		"http like loopback":  {func(c *arena.Config) { c.BaseURL = "http://127.0.0.1.example.com" }, "must be https"},
		"http allowed":        {func(c *arena.Config) { c.BaseURL, c.AllowHTTP = "http://arena.internal", true }, ""},
		"other scheme":        {func(c *arena.Config) { c.BaseURL, c.AllowHTTP = "ftp://arena.internal", true }, "https://"},
		"no host":             {func(c *arena.Config) { c.BaseURL = "https://:443/x" }, "https://host"},
		"bare name":           {func(c *arena.Config) { c.BaseURL = "arena.example.com" }, "https://host"},
		"version twice (R95)": {func(c *arena.Config) { c.BaseURL = "https://arena.example.com/api/v1/" }, "without /api/v1"},
		"password in the URL": {func(c *arena.Config) { c.BaseURL = "https://u:hunter2@arena.example.com" }, "must not hold a user"},
		"unreadable":          {func(c *arena.Config) { c.BaseURL = "https://u:hunter2@a b" }, "is not a URL"},
		"query":               {func(c *arena.Config) { c.BaseURL = "https://arena.example.com?x=1" }, "must not hold"},
		"no secret":           {func(c *arena.Config) { c.ClientSecret = "" }, "required"},
		"no client id":        {func(c *arena.Config) { c.ClientID = "" }, "required"},
		"unknown token mode":  {func(c *arena.Config) { c.TokenMode = "sometimes" }, "token mode"},
		"per call tokens":     {func(c *arena.Config) { c.TokenMode = arena.TokenPerCall }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := good
			tc.change(&cfg)
			_, err := arena.New(cfg)
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.want)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}
