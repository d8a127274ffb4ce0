package ingress_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/ingress"
	"countersign/internal/lms"
)

const token = "t0k3n-of-the-path/?"

// TestURLsOfASource: what may stand behind a source, and what of it the adapter and the journal see.
func TestURLsOfASource(t *testing.T) {
	const escaped = "t0k3n-of-the-path%2F%3F"
	transport := lms.Transport{Paths: []string{"statements", "events/*"}}
	for name, test := range map[string]struct {
		token  bool
		tail   string
		status int
		path   string
		kept   string // the path in the journal, behind the source; "-" for a rehearsal
	}{
		"nothing":                  {false, "", 200, "", ""},
		"a path":                   {false, "/statements", 200, "statements", "/statements"},
		"an escaped path":          {false, "/%73tatements", 200, "statements", "/statements"},
		"any segment":              {false, "/events/course%20done", 200, "events/course done", "/events/course%20done"},
		"decoded once":             {false, "/events/%2573", 200, "events/%73", "/events/%2573"},
		"another path":             {false, "/other", 404, "", ""},
		"half a path":              {false, "/events", 404, "", ""},
		"more than a path":         {false, "/events/a/b", 404, "", ""},
		"an escaped slash":         {false, "/events/a%2Fb", 404, "", ""},
		"a backslash":              {false, "/events/a%5Cb", 404, "", ""},
		"a control character":      {false, "/events/%00", 404, "", ""},
		"no text":                  {false, "/events/%FF", 404, "", ""},
		"too long":                 {false, "/events/" + strings.Repeat("x", 201), 404, "", ""},
		"slash at the end":         {false, "/statements/", 404, "", ""},
		"empty segment":            {false, "//statements", 404, "", ""},
		"upwards":                  {false, "/../main", 404, "", ""},
		"upwards, escaped":         {false, "/events/%2E%2E", 404, "", ""},
		"here":                     {false, "/./statements", 404, "", ""},
		"rehearsal":                {false, "/test", 200, "", "-"},
		"rehearsal of a path":      {false, "/test/statements", 200, "statements", "-"},
		"rehearsal behind a path":  {false, "/statements/test", 404, "", ""},
		"two rehearsals":           {false, "/test/test", 404, "", ""},
		"token":                    {true, "/" + escaped, 200, "", "/redacted"},
		"token and path":           {true, "/" + escaped + "/statements", 200, "statements", "/redacted/statements"},
		"token and rehearsal":      {true, "/" + escaped + "/test", 200, "", "-"},
		"token, rehearsal, path":   {true, "/" + escaped + "/test/statements", 200, "statements", "-"},
		"token and another path":   {true, "/" + escaped + "/other", 404, "", ""},
		"no token":                 {true, "", 401, "", ""},
		"a wrong token":            {true, "/wrong", 401, "", "/redacted"},
		"a path in place of token": {true, "/statements", 401, "", "/redacted"},
	} {
		t.Run(name, func(t *testing.T) {
			var seen lms.Request
			d := open(t, func(d *door, _ *ingress.Config, _ *http.Server) {
				s := &d.sources.sources[0]
				s.Transport, s.PathToken, s.Verifier = transport, test.token, anybody{}
				if test.token {
					s.Verifier = inPath(token)
				}
				s.Adapter = reader(func(r lms.Request) (lms.Decoded, error) {
					seen = r
					return lms.Decoded{Ignored: []lms.Ignored{{Event: "e", Reason: "r"}}}, nil
				})
			})
			answer := d.send(http.MethodPost, path+test.tail, strings.NewReader("{}"), "Content-Type", "application/json")
			require.Equal(t, test.status, answer.status, string(answer.body))
			connection := d.send(http.MethodGet, path+test.tail, nil)
			require.Equal(t, test.status, connection.status, "the connection test knows the same URLs")
			d.stop()
			require.NotContains(t, d.logs.String(), "t0k3n")
			require.NotContains(t, string(answer.body), "t0k3n")
			if test.status == 200 {
				require.Equal(t, test.path, seen.Path)
			}
			if test.status == 200 && test.token {
				require.Equal(t, token, seen.PathToken)
			}
			if test.status == 404 || test.kept == "-" {
				require.Empty(t, d.journal.kept())
				return
			}
			require.Len(t, d.journal.kept(), 1)
			require.Equal(t, path+test.kept, d.journal.kept()[0].Path)
		})
	}
}

// TestPathTokenLeavesNoTrace_R207 looks for a token of the path in everything that is said or kept (law 7).
func TestPathTokenLeavesNoTrace_R207(t *testing.T) {
	d := open(t, func(d *door, _ *ingress.Config, _ *http.Server) {
		s := &d.sources.sources[0]
		s.PathToken, s.Verifier = true, inPath("canary-token")
	})
	var said strings.Builder
	for _, tail := range []string{"/canary-token", "/canary-token/test", "/canary-tokens", "/canary-token/other", "/test/canary-token", "//canary-token"} {
		for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodPut} {
			answer := d.send(method, path+tail, strings.NewReader(`{"event":"ping"}`), "Content-Type", "application/json")
			said.Write(answer.body)
		}
	}
	said.Write(d.send(http.MethodGet, "/metrics", nil).body)
	d.stop()
	require.Contains(t, said.String(), `verdict="ignored"`)
	require.NotContains(t, said.String(), "canary")
	require.NotContains(t, d.logs.String(), "canary")
	require.NotEmpty(t, d.journal.kept())
	for _, entry := range d.journal.kept() {
		require.NotContains(t, entry.Path+entry.Reason, "canary")
	}
}
