package jwks

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFileIsReadAgainWhenItChanges(t *testing.T) {
	path, clock := filepath.Join(t.TempDir(), "jwks.json"), newClock()
	require.NoError(t, os.WriteFile(path, set("old"), 0o600))
	s, err := New(Config{File: path, Now: clock.Now})
	require.NoError(t, err)
	requireKeys(t, s, "old", 1)
	require.NoError(t, os.WriteFile(path, set("new"), 0o600))
	clock.forward(freshFile)
	requireKeys(t, s, "old", 0)
	requireKeys(t, s, "new", 1)
	require.NoError(t, os.Remove(path))
	clock.forward(freshFile)
	requireKeys(t, s, "new", 1)
	for _, bad := range []string{path, t.TempDir()} {
		_, err = New(Config{File: bad})
		require.Error(t, err)
	}
}

func TestIssuersThatAreNotAsked(t *testing.T) {
	for _, url := range []string{
		"", "x", "http://issuer.example/jwks", "http://127.0.0.1.example/jwks", "ftp://issuer.example/jwks", "file:///etc/passwd", "https://", "https://%zz",
	} {
		_, err := New(Config{URL: url})
		require.Error(t, err, url)
	}
	_, err := New(Config{URL: "https://issuer.example/jwks", File: "x"})
	require.Error(t, err)
	_, err = New(Config{URL: "https://issuer.example/jwks?code=s3cret"})
	require.NoError(t, err)
}

func TestRedirects(t *testing.T) {
	issuer := newIssuing(t, "k")
	var to string
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, to, http.StatusFound)
	}))
	t.Cleanup(front.Close)
	for target, followed := range map[string]bool{
		issuer.URL: true, "http://issuer.example/jwks": false, "https://127.0.0.1:1/": false, "file:///etc/passwd": false, front.URL: false,
	} {
		to = target
		s, err := New(Config{URL: front.URL})
		require.NoError(t, err)
		keys, err := s.Keys("k")
		if followed {
			require.NoError(t, err)
			require.Len(t, keys, 1)
			continue
		}
		require.ErrorContains(t, err, "redirects to where we do not follow", target)
	}
}

func TestAnswersAreBounded(t *testing.T) {
	long := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(bytes.Repeat([]byte(" "), longestSet))
		_, _ = w.Write(set("k"))
	}))
	t.Cleanup(long.Close)
	s, err := New(Config{URL: long.URL})
	require.NoError(t, err)
	_, err = s.Keys("k")
	require.ErrorContains(t, err, "longer than")
}
