package ingress_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/ingress"
	"countersign/internal/journal"
	"countersign/internal/lms"
)

func TestContentTypesByTransport_R4(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	plain, formed, signedToken := lms.Transport{}, lms.Transport{Form: true}, lms.Transport{JWT: true}
	for _, test := range []struct {
		transport lms.Transport
		types     []string
		status    int
	}{
		{plain, []string{"application/json"}, 200},
		{plain, []string{form}, 415},
		{plain, []string{"application/jwt"}, 415},
		{plain, []string{"text/plain"}, 415},
		{plain, nil, 415},
		{formed, []string{"application/json"}, 200},
		{formed, []string{form}, 200},
		{formed, []string{form + "; charset=UTF-8"}, 200},
		{formed, []string{form + "; charset=iso-8859-1"}, 415},
		{formed, []string{"multipart/form-data; boundary=x"}, 415},
		{formed, []string{"application/jwt"}, 415},
		{formed, nil, 415},
		{signedToken, []string{"application/json"}, 200},
		{signedToken, []string{"application/jwt"}, 200},
		{signedToken, []string{"text/plain"}, 200}, // the vendor does not say which
		{signedToken, nil, 200},
		{signedToken, []string{"application/jwt", "application/json"}, 415},
	} {
		d := open(t, func(d *door, _ *ingress.Config, _ *http.Server) { d.sources.sources[0].Transport = test.transport })
		body := `{"event":"ping"}`
		headers := []string{"absorb-signature", sign(secret, []byte(body))}
		for _, contentType := range test.types {
			headers = append(headers, "Content-Type", contentType)
		}
		answer := d.send(http.MethodPost, path, strings.NewReader(body), headers...)
		require.Equal(t, test.status, answer.status, test)
		if test.status != 200 {
			require.Contains(t, answer.json(t)["detail"], "Send ")
		}
	}
}

// TestByDomainEverySourceSendsPlainJSON: before the source is known nothing else can be read.
func TestByDomainEverySourceSendsPlainJSON_R162(t *testing.T) {
	d := open(t, func(d *door, _ *ingress.Config, _ *http.Server) {
		d.sources.sources[0].Transport = lms.Transport{Form: true, JWT: true, Gzip: true}
	})
	for _, headers := range [][]string{
		{"Content-Type", "application/x-www-form-urlencoded"}, {"Content-Type", "application/jwt"},
		{"Content-Type", "application/json", "Content-Encoding", "gzip"},
	} {
		require.Equal(t, http.StatusUnsupportedMediaType, d.send(http.MethodPost, byDomain, strings.NewReader("{}"), headers...).status)
	}
}

func zip(t testing.TB, parts ...string) []byte {
	t.Helper()
	var zipped bytes.Buffer
	for _, part := range parts {
		w := gzip.NewWriter(&zipped)
		_, err := w.Write([]byte(part))
		require.NoError(t, err)
		require.NoError(t, w.Close())
	}
	return zipped.Bytes()
}

// compressed opens a door whose first source sends gzip.
func compressed(t *testing.T) *door {
	t.Helper()
	return open(t, func(d *door, _ *ingress.Config, _ *http.Server) {
		d.sources.sources[0].Transport = lms.Transport{Gzip: true}
	})
}

func zipped(body []byte) []string {
	return []string{"Content-Type", "application/json", "Content-Encoding", "gzip", "absorb-signature", sign(secret, body)}
}

// TestGzip: verified as it came, decoded inflated, kept as it came, and read again from the journal.
func TestGzip_R24_R191(t *testing.T) {
	d := compressed(t)
	whole := zip(t, string(sample(t)))
	answer := d.send(http.MethodPost, path, bytes.NewReader(whole), zipped(whole)...)
	require.Equal(t, "accepted", answer.json(t)["verdict"], string(answer.body))
	kept := d.journal.next(t)
	require.Equal(t, whole, kept.Body)
	require.Equal(t, "gzip", kept.Header.Get("Content-Encoding"))

	request, err := ingress.Stored(d.sources.sources[0], kept)
	require.NoError(t, err)
	result := ingress.Read(d.sources.sources[0], request, 0)
	require.Equal(t, journal.VerdictAccepted, result.Verdict)
	require.Equal(t, d.journal.stored[0], result.Completions[0])
	require.Equal(t, whole, request.Body, "the request stays as it came")
	require.Equal(t, "gzip", request.Header.Get("Content-Encoding"))

	half := len(sample(t)) / 2
	members := zip(t, string(sample(t)[:half]), string(sample(t)[half:]))
	require.Equal(t, "duplicate", d.send(http.MethodPost, path, bytes.NewReader(members), zipped(members)...).json(t)["verdict"])

	tampered := append(bytes.Clone(whole), 0)
	require.Equal(t, http.StatusUnauthorized, d.send(http.MethodPost, path, bytes.NewReader(tampered), zipped(whole)...).status)
	require.Equal(t, "accepted", open(t).post(string(sample(t))).json(t)["verdict"])
	plain := d.post(string(sample(t)))
	require.Equal(t, "duplicate", plain.json(t)["verdict"], "uncompressed it may come too")

	for _, coding := range []string{"deflate", "gzip, gzip", "br"} {
		refused := d.post("{}", "Content-Encoding", coding)
		require.Equal(t, http.StatusUnsupportedMediaType, refused.status, coding)
		require.Contains(t, refused.json(t)["detail"], "gzip")
	}
}

// TestWhatDoesNotInflateIsContent holds law 4: the sender is authentic, so it is kept, answered 200 and
// put up for review.
func TestWhatDoesNotInflateIsContent(t *testing.T) {
	good := zip(t, string(sample(t)))
	damaged := bytes.Clone(good)
	damaged[len(damaged)/2] ^= 0xff
	checksum := bytes.Clone(good)
	checksum[len(checksum)-5] ^= 0xff
	for name, test := range map[string]struct {
		body   []byte
		reason string
	}{
		"nothing":             {nil, "ends early"},
		"not gzip":            {[]byte(`{"event":"ping"}`), "not gzip"},
		"cut":                 {good[:len(good)-20], "ends early"},
		"cut in the checksum": {good[:len(good)-2], "ends early"},
		"damaged":             {damaged, "gzip"},
		"wrong checksum":      {checksum, "checksum"},
		"garbage behind it":   {append(bytes.Clone(good), "garbage behind it"...), "something else follows"},
		"zeros behind it":     {append(bytes.Clone(good), make([]byte, 64)...), "something else follows"},
		"over the limit":      {zip(t, noise(1<<20+1)), "more than 1048576 bytes"},
		"out of proportion":   {zip(t, strings.Repeat(" ", 1<<20)), "inflates to more than"},
	} {
		t.Run(name, func(t *testing.T) {
			d := compressed(t)
			answer := d.send(http.MethodPost, path, bytes.NewReader(test.body), zipped(test.body)...)
			require.Equal(t, http.StatusOK, answer.status)
			require.Equal(t, "unmapped", answer.json(t)["verdict"])
			kept := d.journal.next(t)
			require.Equal(t, journal.VerdictUnmapped, kept.Verdict)
			require.Contains(t, kept.Reason, test.reason)
			require.Equal(t, string(test.body), string(kept.Body))
		})
	}
}

// noise is JSON that does not shrink to less than a hundredth.
func noise(length int) string {
	var text strings.Builder
	state := uint32(1)
	for text.Len() < length {
		state = state*1664525 + 1013904223
		text.WriteByte('a' + byte(state>>24)%26)
	}
	return text.String()
}

func TestInflatedUpToTheLimit(t *testing.T) {
	source := compressed(t).sources.sources[0]
	read := func(body []byte, limit int64) ingress.Result {
		return ingress.Read(source, lms.Request{Header: http.Header{"Content-Encoding": {"gzip"}}, Body: body}, limit)
	}
	event := `{"event":"ping","pad":"` + noise(1<<20-25) + `"}`
	require.Len(t, event, 1<<20)
	require.Equal(t, journal.VerdictIgnored, read(zip(t, event), 0).Verdict)
	require.Equal(t, journal.VerdictUnmapped, read(zip(t, event+" "), 0).Verdict)
	require.Equal(t, journal.VerdictIgnored, read(zip(t, event+" "), 2<<20).Verdict, "a raised limit mends it")
	small := `{"event":"ping","pad":"` + strings.Repeat("x", 64<<10-25) + `"}`
	require.Equal(t, journal.VerdictIgnored, read(zip(t, small), 0).Verdict, "64 KiB may come from anything")
}

// FuzzRead: whatever is sent, compressed or not, reading ends, keeps its bounds and gives a verdict.
func FuzzRead(f *testing.F) {
	f.Add(zip(f, `{"event":"ping"}`), true)
	f.Add(sample(f), false)
	f.Add([]byte("\x1f\x8b\x08"), true)
	s := source(f, "acme", "main", secret)
	f.Fuzz(func(t *testing.T, body []byte, compressed bool) {
		r := lms.Request{Header: http.Header{}, Body: bytes.Clone(body)}
		if compressed {
			r.Header.Set("Content-Encoding", "gzip")
		}
		result := ingress.Read(s, r, 0)
		require.Equal(t, body, r.Body)
		require.Contains(t, []journal.Verdict{journal.VerdictAccepted, journal.VerdictIgnored, journal.VerdictUnmapped}, result.Verdict)
		require.Equal(t, result.Verdict == journal.VerdictAccepted, result.Reason == "")
		for _, completion := range result.Completions {
			require.NoError(t, completion.Validate())
			require.Equal(t, "acme", completion.Tenant)
		}
	})
}
