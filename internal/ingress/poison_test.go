package ingress_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/ingress"
	"countersign/internal/journal"
	"countersign/internal/lms"
	"countersign/internal/lms/platform"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// poison is one row of testdata/poison/manifest.csv: something that no honest sender sends, and what
// becomes of it.
type poison struct {
	// name is a file of the corpus, or "generated/" and a key of generated.
	name   string
	status int
	// verdict is that of the journal's entry, "" where there is none.
	verdict journal.Verdict
	// reason is a part of the entry's reason, or, without an entry, of the answer.
	reason string
	// content is the body, or a whole request where the name ends in .http.
	content []byte
}

// corpus reads the manifest, and holds that it and the folder say the same.
func corpus(t *testing.T) []poison {
	t.Helper()
	manifest, err := os.Open("testdata/poison/manifest.csv")
	require.NoError(t, err)
	defer func() { require.NoError(t, manifest.Close()) }()
	reader := csv.NewReader(manifest)
	reader.Comment, reader.FieldsPerRecord = '#', 4
	rows, err := reader.ReadAll()
	require.NoError(t, err)
	var all []poison
	var listed, there []string
	made := generated(t)
	for _, row := range rows {
		status, err := strconv.Atoi(row[1])
		require.NoError(t, err, row)
		content, isGenerated := made[strings.TrimPrefix(row[0], "generated/")]
		if !isGenerated {
			content, err = os.ReadFile(filepath.Join("testdata", "poison", filepath.FromSlash(row[0])))
			require.NoError(t, err)
		}
		all = append(all, poison{row[0], status, journal.Verdict(row[2]), row[3], content})
		listed = append(listed, row[0])
	}
	require.NoError(t, filepath.WalkDir("testdata/poison", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && filepath.Dir(name) != filepath.Join("testdata", "poison") {
			there = append(there, strings.TrimPrefix(filepath.ToSlash(name), "testdata/poison/"))
		}
		return err
	}))
	require.GreaterOrEqual(t, len(there), 60)
	for key := range made {
		there = append(there, "generated/"+key)
	}
	require.ElementsMatch(t, there, listed, "every file has its row, and every row its file")
	return all
}

// generated are those that would be large files.
func generated(t testing.TB) map[string][]byte {
	event := []byte(`{"event":"course.completion","payload":`)
	many := func(n int, write func(w *bytes.Buffer, i int)) []byte {
		var all bytes.Buffer
		for i := range n {
			write(&all, i)
		}
		return all.Bytes()
	}
	return map[string][]byte{
		"depth-500000.json":        bytes.Repeat([]byte("["), 500_000),
		"depth-objects.json":       bytes.Repeat([]byte(`{"a":`), 200_000),
		"tokens.json":              append(append([]byte("["), bytes.Repeat([]byte("0,"), 500_000)...), "0]"...),
		"keys.json":                append(append([]byte("{"), many(60_000, func(w *bytes.Buffer, i int) { fmt.Fprintf(w, `"k%d":0,`, i) })...), `"k":0}`...),
		"empty-objects.json":       append(append([]byte("["), bytes.Repeat([]byte("{},"), 300_000)...), "0]"...),
		"one-string.json":          append(append([]byte(`"`), bytes.Repeat([]byte("x"), 1<<20-2)...), '"'),
		"one-number.json":          bytes.Repeat([]byte("9"), 1<<20),
		"escapes.json":             append(append([]byte(`{"event":"`), bytes.Repeat([]byte(`\u0041`), 170_000)...), `"}`...),
		"key-of-500-kb.json":       append(append([]byte(`{"`), bytes.Repeat([]byte("k"), 500_000)...), `":1}`...),
		"spaces.json":              bytes.Repeat([]byte(" "), 1<<20),
		"cut-at-the-limit.json":    append(event, bytes.Repeat([]byte("["), 1<<20-len(event))...),
		"over-the-limit.json":      bytes.Repeat([]byte("x"), 1<<20+1),
		"form-keys.form":           many(60_000, func(w *bytes.Buffer, i int) { fmt.Fprintf(w, "k%d=0&", i) }),
		"form-ampersands.form":     bytes.Repeat([]byte("&"), 1<<20),
		"members.gz":               bytes.Repeat(zip(t, ""), 40_000),
		"bomb.gz":                  zip(t, strings.Repeat(" ", 20<<20)),
		"bomb-in-a-bomb.gz":        zip(t, string(zip(t, strings.Repeat(" ", 20<<20)))),
		"many-small-bombs.gz":      bytes.Repeat(zip(t, strings.Repeat(" ", 1<<20)), 500),
		"header-of-30-kb.http":     request(http.MethodPost, "X-Long: "+strings.Repeat("x", 30<<10)),
		"headers-1000.http":        request(http.MethodPost, strings.Split(strings.TrimSuffix(string(many(1000, func(w *bytes.Buffer, i int) { fmt.Fprintf(w, "X-%d: a\n", i) })), "\n"), "\n")...),
		"headers-3000.http":        request(http.MethodPost, strings.Split(strings.TrimSuffix(string(many(3000, func(w *bytes.Buffer, i int) { fmt.Fprintf(w, "X-%d: a\n", i) })), "\n"), "\n")...),
		"header-1000-times.http":   request(http.MethodPost, slices.Repeat([]string{"Accept: */*"}, 1000)...),
		"cookie-of-15-kb.http":     request(http.MethodPost, "Cookie: "+strings.Repeat("x", 15<<10)),
		"method-of-10-kb.http":     request(strings.Repeat("A", 10<<10)),
		"target-of-30-kb.http":     request(http.MethodPost + " /" + strings.Repeat("a", 30<<10)),
		"query-of-10-kb.http":      request("POST " + deliveries + "?" + strings.Repeat("a=b&", 2500)),
		"chunks-of-one-byte.http":  chunked(many(20_000, func(w *bytes.Buffer, _ int) { w.WriteString("1\r\n \r\n") })),
		"chunks-without-end.http":  chunked(bytes.Repeat([]byte("1000\r\n"+strings.Repeat(" ", 0x1000)+"\r\n"), 300)),
		"trailers-of-100-kb.http":  chunked([]byte("0\r\n" + strings.Repeat("X-Trailer: x\r\n", 7000))),
		"pipelined-garbage.http":   append(request(http.MethodPost), bytes.Repeat([]byte("\xff"), 5000)...),
		"expect-and-too-long.http": request(http.MethodPost, "Expect: 100-continue", "Content-Length: 1048577"),
	}
}

const deliveries = "/webhooks/lms/acme/main"

// request is an authentic ping with some more headers. The first words may be method and target.
func request(line string, headers ...string) []byte {
	body := `{"event":"ping"}`
	if !strings.Contains(line, " ") {
		line += " " + deliveries
	}
	text := line + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nabsorb-signature: " + sign(secret, []byte(body)) + "\r\n"
	if !slices.ContainsFunc(headers, func(h string) bool { return strings.HasPrefix(h, "Content-Length") }) {
		text += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	return []byte(text + strings.Join(append(headers, "", ""), "\r\n") + body)
}

func chunked(chunks []byte) []byte {
	text := "POST " + deliveries + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nabsorb-signature: x\r\n\r\n"
	return append([]byte(text), chunks...)
}

// witness is a real journal, and remembers which entries it was given.
type witness struct {
	*journal.Journal
	mu      sync.Mutex
	entries []journal.Delivery
	// committed gets every entry once it is.
	committed chan journal.Delivery
}

func (w *witness) Append(ctx context.Context, d journal.Delivery, completions []training.Completion, enrollments ...training.Enrollment) (journal.Receipt, error) {
	receipt, err := w.Journal.Append(ctx, d, completions, enrollments...)
	if err == nil {
		d.Verdict = receipt.Verdict
		w.mu.Lock()
		w.entries = append(w.entries, d)
		w.mu.Unlock()
		w.committed <- d
	}
	return receipt, err
}

// TestPoisonBetweenGoodDeliveries sends the corpus, a good delivery after each: every good one is accepted,
// every poison gets its verdict, nothing panics, and the journal holds exactly what was answered for.
func TestPoisonBetweenGoodDeliveries_R196_R197(t *testing.T) {
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "journal.db")
	store, err := journal.Open(t.Context(), dsn, journal.Options{})
	require.NoError(t, err)
	w := &witness{Journal: store, committed: make(chan journal.Delivery, 10)}
	d := open(t, func(d *door, cfg *ingress.Config, _ *http.Server) {
		cfg.Journal = w
		gzip, form := d.sources.sources[0], d.sources.sources[0]
		gzip.ID, gzip.Transport = "gzip", lms.Transport{Gzip: true}
		form.ID, form.Transport = "form", lms.Transport{Form: true}
		form.Adapter = reader(readForm)
		d.sources.sources = append(d.sources.sources, gzip, form)
	})
	all := corpus(t)
	for n, bad := range all {
		status, answered := d.poison(t, bad)
		require.Equal(t, bad.status, status, "%s: %.300s", bad.name, answered)
		if bad.verdict == "" {
			require.Contains(t, answered, bad.reason, bad.name)
		} else {
			kept := next(t, w.committed)
			require.Equal(t, bad.verdict, kept.Verdict, "%s: %s", bad.name, kept.Reason)
			require.Contains(t, kept.Reason, bad.reason, bad.name)
		}
		good := d.post(strings.Replace(string(sample(t)), "10291", strconv.Itoa(20000+n), 1))
		require.Equal(t, "accepted", good.json(t)["verdict"], "after %s", bad.name)
		require.Equal(t, journal.VerdictAccepted, next(t, w.committed).Verdict, "nothing else was kept of %s", bad.name)
		d.clock.move(time.Second) // refusals are kept once a second
	}
	require.Equal(t, http.StatusOK, d.send(http.MethodGet, "/readyz", nil).status)
	require.Contains(t, string(d.send(http.MethodGet, "/metrics", nil).body), "countersign_deliveries_in_flight 0")
	d.stop()
	require.NotContains(t, d.logs.String(), `"msg":"panic`)
	require.NotContains(t, d.logs.String(), "fault")
	require.NotContains(t, d.logs.String(), `"tenant":"beta"`, "the request behind another's end was not smuggled")

	require.NoError(t, store.Close())
	again, err := journal.Open(t.Context(), dsn, journal.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, again.Close()) }()
	accepted := 0
	for _, want := range w.entries {
		kept, err := again.Delivery(t.Context(), "acme", want.ID)
		require.NoError(t, err)
		require.Equal(t, want.Verdict, kept.Verdict)
		require.True(t, bytes.Equal(want.Body, kept.Body))
		if kept.Verdict == journal.VerdictAccepted {
			accepted++
		}
	}
	counts, err := again.Counts(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[training.State]int{training.StateQueued: accepted}, counts, "each one completion, no more and no less")
	require.GreaterOrEqual(t, accepted, len(all))
}

// readForm is as strict as the platforms are, and has no fields of its own.
func readForm(r lms.Request) (lms.Decoded, error) {
	if _, err := strictjson.DecodeForm(r.Body, strictjson.DefaultLimits()); err != nil {
		return lms.Decoded{}, fmt.Errorf("%w: %w", lms.ErrUnreadable, err)
	}
	return lms.Decoded{Problems: []lms.Problem{{Reason: "no field is known"}}}, nil
}

func next(t *testing.T, committed chan journal.Delivery) journal.Delivery {
	t.Helper()
	select {
	case d := <-committed:
		return d
	case <-time.After(20 * time.Second):
		require.FailNow(t, "nothing was committed")
		return journal.Delivery{}
	}
}

// poison sends one as its kind is sent: authentic, but for what is wrong with it.
func (d *door) poison(t *testing.T, bad poison) (status int, answered string) {
	t.Helper()
	headers := signed(sign(secret, bad.content))
	source := deliveries
	switch filepath.Ext(bad.name) {
	case ".http":
		return d.say(t, bad.content)
	case ".gz":
		source, headers = "/webhooks/lms/acme/gzip", append(headers, "Content-Encoding", "gzip")
	case ".form":
		source, headers[1] = "/webhooks/lms/acme/form", "application/x-www-form-urlencoded"
	}
	got := d.send(http.MethodPost, source, bytes.NewReader(bad.content), headers...)
	return got.status, string(got.body)
}

// say sends bytes as they are, says that no more come, and reads until the server hangs up. The status is the
// first answer's.
func (d *door) say(t *testing.T, content []byte) (status int, answered string) {
	t.Helper()
	conn, _ := d.raw()
	sent := make(chan struct{})
	go func() { // a server that refuses early does not read all of it
		defer close(sent)
		_, _ = conn.Write(content)
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	all, _ := io.ReadAll(conn) // ends with an error where the server hung up before it had read all
	_ = conn.Close()
	<-sent
	require.True(t, bytes.HasPrefix(all, []byte("HTTP/1.")), "%.100q", all)
	status, err := strconv.Atoi(string(all[9:12]))
	require.NoError(t, err)
	return status, string(all)
}

// TestEveryPlatformReadsPoison: what one platform's deliveries are is another one's poison. Whatever stands in
// the body, every adapter of this build gives a verdict, and none panics.
func TestEveryPlatformReadsPoison_R166(t *testing.T) {
	all := slices.DeleteFunc(corpus(t), func(bad poison) bool {
		return filepath.Ext(bad.name) == ".http" || strings.HasPrefix(bad.name, "generated/") // the large ones cost all the same
	})
	for _, name := range platform.Names() {
		found, ok := platform.Find(name)
		require.True(t, ok)
		s := ingress.Source{Tenant: "acme", ID: "main", Platform: name, Adapter: found.New(nil)}
		for _, bad := range all {
			r := lms.Request{Method: http.MethodPost, Header: http.Header{"Content-Type": {"application/json"}}, Body: bytes.Clone(bad.content)}
			switch filepath.Ext(bad.name) {
			case ".gz":
				r.Header.Set("Content-Encoding", "gzip")
			case ".form":
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			result := ingress.Read(s, r, 0)
			require.NotErrorIs(t, result.Err, ingress.ErrDefect, "%s: %s", name, bad.name)
			require.Contains(t, []journal.Verdict{journal.VerdictAccepted, journal.VerdictIgnored, journal.VerdictUnmapped}, result.Verdict)
			require.True(t, bytes.Equal(bad.content, r.Body), "%s: %s: the request stays as it came", name, bad.name)
		}
	}
}
