package setup

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func serve(t testing.TB, o Options) http.Handler {
	t.Helper()
	b, err := New()
	require.NoError(t, err)
	h, err := b.Handler(o)
	require.NoError(t, err)
	return h
}

func get(t *testing.T, server *httptest.Server, path string) (*http.Response, string) {
	t.Helper()
	response, err := server.Client().Get(server.URL + path)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, string(body)
}

func TestPagesAreServed_R21_R195(t *testing.T) {
	server := httptest.NewServer(serve(t, Options{BaseURL: "https://hooks.acme.example/"}))
	defer server.Close()
	_, index := get(t, server, "/setup/")
	for _, platform := range platforms() {
		require.Contains(t, index, `href="/setup/`+platform+`"`)
		response, page := get(t, server, "/setup/"+platform)
		require.Equal(t, http.StatusOK, response.StatusCode)
		require.Equal(t, "text/html; charset=utf-8", response.Header.Get("Content-Type"))
		require.Contains(t, page, "https://hooks.acme.example/webhooks/lms/{tenant}/{source}")
		require.NotContains(t, page, "<script")
		require.NotContains(t, page, "ZgotmplZ", "the template refused an address")
		// Every link within the page leads somewhere.
		for _, link := range regexp.MustCompile(`href="#([^"]*)"`).FindAllStringSubmatch(page, -1) {
			require.Contains(t, page, `id="`+link[1]+`"`, platform)
		}
	}
}

func TestPagesAreLockedDown(t *testing.T) {
	server := httptest.NewServer(serve(t, Options{}))
	defer server.Close()
	for _, path := range []string{"/setup/", "/setup/docebo", "/setup/nowhere"} {
		response, page := get(t, server, path)
		policy := response.Header.Get("Content-Security-Policy")
		require.Contains(t, policy, "default-src 'none'")
		require.Equal(t, "nosniff", response.Header.Get("X-Content-Type-Options"))
		require.Equal(t, "no-referrer", response.Header.Get("Referrer-Policy"))
		require.Empty(t, response.Header.Values("Set-Cookie"))
		// A browser hashes what stands between the tags.
		_, rest, _ := strings.Cut(page, "<style>")
		style, _, closed := strings.Cut(rest, "</style>")
		require.True(t, closed)
		sum := sha256.Sum256([]byte(style))
		require.Contains(t, policy, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
		require.NotContains(t, page, " style=", "the policy refuses such attributes")
	}
}

func TestUnknownPlatformLeadsToTheOthers(t *testing.T) {
	server := httptest.NewServer(serve(t, Options{}))
	defer server.Close()
	response, page := get(t, server, "/setup/%3Cscript%3E")
	require.Equal(t, http.StatusNotFound, response.StatusCode)
	require.Contains(t, page, "There is no page for this platform.")
	require.Contains(t, page, `href="/setup/moodle"`)
	require.NotContains(t, page, "<script>")
}

func TestOnlyReading(t *testing.T) {
	server := httptest.NewServer(serve(t, Options{}))
	defer server.Close()
	response, err := server.Client().Post(server.URL+"/setup/docebo", "text/plain", strings.NewReader("x"))
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusMethodNotAllowed, response.StatusCode)
}

func TestTenantAndSourceAreFilledIn_R162(t *testing.T) {
	server := httptest.NewServer(serve(t, Options{BaseURL: "https://hooks.acme.example"}))
	defer server.Close()
	_, page := get(t, server, "/setup/axis?tenant=acme&source=axis-eu")
	require.Contains(t, page, "https://hooks.acme.example/webhooks/lms/acme/axis-eu/{token}/course_complete")
	require.Contains(t, page, "- id: axis-eu")
	require.NotContains(t, page, "{tenant}")
	_, page = get(t, server, "/setup/successfactors?tenant=acme&source=sf")
	require.Contains(t, page, "https://hooks.acme.example/oauth/acme/sf/token")
	require.NotContains(t, page, "{tenant}")

	_, page = get(t, server, "/setup/axis?tenant="+url.QueryEscape(`"><img src=x>`)+"&source="+url.QueryEscape("a;rm -rf /"))
	require.Contains(t, page, "/webhooks/lms/{tenant}/{source}/")
	require.NotContains(t, page, "<img")
	require.NotContains(t, page, "rm -rf")
}

func TestMappingIsShown(t *testing.T) {
	mapping := func(platform string) []MappingRow {
		return []MappingRow{{Target: "course.code", Path: "$['" + platform + "']<b>", Transform: "toInt | toString"}}
	}
	server := httptest.NewServer(serve(t, Options{Mapping: mapping}))
	defer server.Close()
	_, page := get(t, server, "/setup/generic")
	require.Contains(t, page, "Default mapping")
	require.Contains(t, page, "$[&#39;generic&#39;]&lt;b&gt;")
	b := book(t)
	p, _ := b.Find("generic")
	require.Contains(t, b.Markdown(p, Options{Mapping: mapping}), "| `course.code` | `$['generic']<b>` | `toInt \\| toString` |")
	require.NotContains(t, b.Markdown(p, Options{}), "Default mapping")
}

func TestBaseURLIsChecked(t *testing.T) {
	for base, ok := range map[string]bool{
		"": true, "https://hooks.acme.example": true, "http://127.0.0.1:8080": true, "https://acme.example/in/": true,
		"http://[::1]:8080": true, "hooks.acme.example": false, "https://": false, "ftp://acme.example": false,
		"https://acme.example/?q": false, "https://user@acme.example": false, `https://acme.example/";id;"`: false,
		"https://acme.example/$(id)": false, "https://acme.example/`id`": false, "https://acme.example/\nx": false,
	} {
		_, err := book(t).Handler(Options{BaseURL: base})
		require.Equal(t, ok, err == nil, "%q: %v", base, err)
	}
}

// Whatever the query says, the page is drawn, and what it says does not get out of its place.
func FuzzQuery(f *testing.F) {
	h := serve(f, Options{})
	f.Add("acme", "lms")
	f.Add(`"><script>`, "$(id)")
	f.Add("`id`", "'\n")
	f.Fuzz(func(t *testing.T, tenant, source string) {
		query := url.Values{"tenant": {tenant}, "source": {source}}.Encode()
		recorder := httptest.NewRecorder()
		h.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/setup/docebo?"+query, nil))
		require.Equal(t, http.StatusOK, recorder.Code)
		require.NotContains(t, recorder.Body.String(), "<script")
		if !identifier.MatchString(tenant) {
			require.Contains(t, recorder.Body.String(), "/webhooks/lms/{tenant}/")
		}
		if !identifier.MatchString(source) {
			require.Contains(t, recorder.Body.String(), "/{source}")
		}
	})
}
