package setup

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// altered is the files that are compiled in, with one text replaced in one of them.
func altered(t *testing.T, name, from, to string) fs.FS {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(embedded, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := embedded.ReadFile(path)
		files[path] = &fstest.MapFile{Data: data}
		return err
	})
	require.NoError(t, err)
	if name != "" {
		text := string(files[name].Data)
		require.Contains(t, text, from)
		files[name].Data = []byte(strings.Replace(text, from, to, 1))
	}
	return files
}

func TestLoadIsStrict(t *testing.T) {
	const docebo = "platforms/docebo.yaml"
	for name, test := range map[string]struct{ file, from, to, want string }{
		"unknown key":          {docebo, "title: Docebo", "title: Docebo\ncolour: blue", "field colour not found"},
		"key twice":            {docebo, "title: Docebo", "title: Docebo\ntitle: Docebo", "already defined"},
		"missing text":         {docebo, "title: Docebo", `title: ""`, "title is empty"},
		"other platform":       {docebo, "platform: docebo", "platform: docbo", `platform is "docbo"`},
		"two marks":            {docebo, `{unknown: "Whether Docebo has`, `{ours: "", unknown: "Whether Docebo has`, "one mark"},
		"no mark":              {docebo, `{unknown: "Whether Docebo has`, `{"source": api, "x": "Whether Docebo has`, `a fact has no "x"`},
		"unmarked text":        {docebo, `verified: {assumed: "`, `verified: {source: api, assumed: "", documented: "`, "one mark"},
		"mark without words":   {docebo, `  timeout: {observed: "A receiver's`, `  timeout: {observed: ""} #`, "outage.timeout has no text"},
		"documented nowhere":   {docebo, `, source: questions}`, `}`, "is documented, but not where"},
		"ours with a source":   {docebo, `{ours: "Save, switch`, `{source: api, ours: "Save, switch`, "is ours and needs no source"},
		"unknown source":       {docebo, `source: questions}`, `source: nowhere}`, `source "nowhere" that the page does not list`},
		"source never cited":   {docebo, "sources:\n  - {id: events", "sources:\n  - {id: idle, title: Idle}\n  - {id: events", `source "idle" is cited nowhere`},
		"missing sample":       {docebo, "file: course.enrollment.created.json", "file: created.json", "created.json"},
		"unknown kind":         {docebo, "kind: not a completion", "kind: nothing", `kind is "nothing"`},
		"unknown need":         {docebo, "need: required", "need: perhaps", `need is "perhaps"`},
		"no steps":             {docebo, "steps:\n", "steps: []\nx-steps:\n", "x-steps"},
		"unknown kind of auth": {docebo, "basic:\n          username", "digest:\n          username", "field digest not found"},
		"unknown key of auth":  {docebo, "username: docebo\n", "user: docebo\n", "field user not found"},
		"hmac without headers": {docebo, "headers: [X-Docebo-Signature] #", "encoding: hex #", "must name its headers"},
		"none on a live one":   {"platforms/lessonly.yaml", "      mode: test\n      auth: none", "      auth: none", "auth: none needs mode: test"},
		"unknown credential":   {"platforms/axis.yaml", "credential: parameter", "credential: guess", `credential "guess" that the page does not have`},
		"header for a shell":   {"platforms/learnupon.yaml", "X-Webhook-Id: 6a1f", "X-Webhook-Id: $(id)6a1f", "mean something to a shell"},
		"answer without a fix": {"answers.yaml", "  fix: \"Set the method to POST.\"\n", "", "lacks code, says or fix"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(altered(t, test.file, test.from, test.to))
			require.ErrorContains(t, err, test.want)
			require.ErrorContains(t, err, strings.TrimPrefix(test.file, "platforms/"), "the mistake's file")
		})
	}
	_, err := read(altered(t, "", "", ""))
	require.NoError(t, err)
}

// A sample nobody shows is a mistake, and so is one that a shell would not send as it is.
func TestLoadChecksSamples(t *testing.T) {
	files, ok := altered(t, "", "", "").(fstest.MapFS)
	require.True(t, ok)
	files["platforms/samples/docebo/stray.json"] = &fstest.MapFile{Data: []byte("{}")}
	_, err := read(files)
	require.ErrorContains(t, err, "stray.json is no sample of the page")

	files["platforms/samples/docebo/stray.json"] = nil
	delete(files, "platforms/samples/docebo/stray.json")
	files["platforms/samples/docebo/course.enrollment.created.json"].Data = []byte("{}\n")
	_, err = read(files)
	require.ErrorContains(t, err, "ends with a line end")
}

func TestLoadWithoutPages(t *testing.T) {
	_, err := read(fstest.MapFS{})
	require.ErrorContains(t, err, "there is none")
}

func TestSamplesHaveNoCredentials_R32(t *testing.T) {
	for _, p := range book(t).All() {
		for _, s := range p.Samples {
			found, ok := p.Sample(s.Name)
			require.True(t, ok)
			header := found.Header()
			require.NotEmpty(t, header.Get("Content-Type"))
			for name := range header {
				for _, word := range []string{"Authorization", "Signature", "Key", "Secret", "Token"} {
					require.NotContains(t, name, word, "%s/%s", p.Platform, s.Name)
				}
			}
			require.NotContains(t, string(found.Body()), "s3cret", "%s/%s", p.Platform, s.Name)
			require.NotContains(t, string(found.Body()), endOfBody)
			body := found.Body()
			body[0] = 'X'
			require.NotEqual(t, body, found.Body(), "a caller may not change a sample")
		}
		_, ok := p.Sample("no such sample")
		require.False(t, ok)
	}
}

// What a fact sheet must have is on every page, and every page can be told from the others.
func TestPagesSayWhatTheyMust_R21(t *testing.T) {
	b := book(t)
	summaries := map[string]string{}
	for _, p := range b.All() {
		text := b.Markdown(p, Options{BaseURL: "https://hooks.acme.example"})
		for _, want := range []string{
			"https://hooks.acme.example/webhooks/lms/{tenant}/{source}", "/test", "## The credential", "## Fields",
			"`completedAt`", "learner.", "course.", "## When Countersign is down", "## Addresses", "How long it may be", "| 401 |",
		} {
			require.Contains(t, text, want, p.Platform)
		}
		require.NotContains(t, text, "YOUR-HOST/webhooks", p.Platform)
		require.NotContains(t, summaries, p.Summary, p.Platform)
		summaries[p.Summary] = p.Platform
	}
}
