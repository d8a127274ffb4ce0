package xapi_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"countersign/internal/training"
	"countersign/internal/xapi"
)

func options() xapi.Options {
	return xapi.Options{
		HomePage:  "https://acme.docebosaas.example",
		CourseIRI: "https://acme.docebosaas.example/course/{id}",
	}
}

func completion() training.Completion {
	passed := true
	return training.Completion{
		Tenant: "acme", Source: "lms", Platform: "docebo", EnrollmentID: "enr-77",
		Learner: training.Learner{ID: "0042", Username: "jdoe", Email: "Jane.Doe+t@Acme.example", FirstName: "Jane", LastName: "Doe"},
		Course:  training.Course{ID: "C 1/ä", Title: "GDPR <2026> & more", Code: "GDPR-2026"},
		// 14:30:00.123456 UTC
		CompletedAt: time.Date(2026, 3, 14, 15, 30, 0, 123456000, time.FixedZone("CET", 3600)),
		Precision:   training.PrecisionMillisecond,
		Score:       training.Score{Raw: "91.5", Max: "100", Passed: &passed},
	}
}

// The bytes are compared, not only the meaning: a statement that another build would write in
// another way is in conflict with its own earlier send.
func TestStatementIsTheGoldenOne_R148_to_R154(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*training.Completion, *xapi.Options)
	}{
		"account": {func(*training.Completion, *xapi.Options) {}},
		"mbox": {func(_ *training.Completion, o *xapi.Options) {
			o.Mbox, o.Names, o.Platform, o.Language = true, true, "Docebo", "en-US"
		}},
		"bare": {func(c *training.Completion, o *xapi.Options) {
			c.EnrollmentID, c.Course.ID, c.Score, c.Precision = "", "", training.Score{}, training.PrecisionDay
			o.CourseIRI = "https://acme.example/courses/"
		}},
	} {
		t.Run(name, func(t *testing.T) {
			c, o := completion(), options()
			tt.change(&c, &o)
			id, body, err := xapi.New(c.Fingerprint(), c, o)
			require.NoError(t, err)
			require.Empty(t, strictly(id, body))
			want, err := os.ReadFile("testdata/" + name + ".json")
			require.NoError(t, err)
			require.Equal(t, string(bytes.TrimSpace(want)), string(body))
		})
	}
}

func TestStatementIDNamesFingerprintVerbAndObject(t *testing.T) {
	id, _, err := xapi.New(completion().Fingerprint(), completion(), options())
	require.NoError(t, err)

	renamed := completion()
	renamed.Course.Title, renamed.Score.Raw = "Other", "1"
	same, _, err := xapi.New(renamed.Fingerprint(), renamed, options())
	require.NoError(t, err)
	require.Equal(t, id, same, "what does not make another completion does not make another id")

	other := completion()
	other.Tenant = "globex"
	tenant, _, err := xapi.New(other.Fingerprint(), other, options())
	require.NoError(t, err)
	require.NotEqual(t, id, tenant)

	o := options()
	o.CourseIRI = "https://elsewhere.example/{id}"
	object, _, err := xapi.New(completion().Fingerprint(), completion(), o)
	require.NoError(t, err)
	require.NotEqual(t, id, object)
}

func TestActorHasExactlyOneIdentifier_R150_R155(t *testing.T) {
	account := func(name string) map[string]any {
		return map[string]any{"objectType": "Agent", "account": map[string]any{"homePage": "https://acme.docebosaas.example", "name": name}}
	}
	mbox := func(iri string) map[string]any { return map[string]any{"objectType": "Agent", "mbox": iri} }
	for _, tt := range []struct {
		name     string
		learner  training.Learner
		mbox     bool
		homePage string
		want     map[string]any
		err      string
	}{
		{name: "account first, the id as text", learner: training.Learner{ID: "0042", Email: "a@b.example"}, homePage: "x", want: account("0042")},
		{name: "external id", learner: training.Learner{ExternalID: "E1", Username: "u"}, homePage: "x", want: account("E1")},
		{name: "mbox on request", learner: training.Learner{ID: "1", Email: "A.B@C.example"}, mbox: true, homePage: "x", want: mbox("mailto:a.b@c.example")},
		{name: "tag and apostrophe stay", learner: training.Learner{Email: "o'neil+x@c.example"}, mbox: true, want: mbox("mailto:o'neil+x@c.example")},
		{name: "reserved characters are escaped", learner: training.Learner{Email: "a%b/c@d.example"}, mbox: true, want: mbox("mailto:a%25b%2fc@d.example")},
		{name: "mail is all there is", learner: training.Learner{Email: "a@b.example"}, homePage: "x", want: mbox("mailto:a@b.example")},
		{name: "bad mbox gives way to the account", learner: training.Learner{ID: "1", Email: "not mail"}, mbox: true, homePage: "x", want: account("1")},
		{name: "non-ASCII mbox gives way", learner: training.Learner{ID: "1", Email: "jürgen@b.example"}, mbox: true, homePage: "x", want: account("1")},
		{name: "display name is no address", learner: training.Learner{ID: "1", Email: "Jane <a@b.example>"}, mbox: true, homePage: "x", want: account("1")},
		{name: "no home page, no mail", learner: training.Learner{ID: "1"}, mbox: true, err: "no usable e-mail address"},
		{name: "nothing usable", learner: training.Learner{Email: "nobody"}, homePage: "x", err: "no learner id"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, o := completion(), options()
			c.Learner, o.Mbox = tt.learner, tt.mbox
			if tt.homePage == "" {
				o.HomePage = ""
			}
			_, body, err := xapi.New(c.Fingerprint(), c, o)
			if tt.err != "" {
				require.ErrorContains(t, err, tt.err)
				require.Equal(t, training.FailureStatementRefused, classOf(t, err))
				return
			}
			require.NoError(t, err)
			var s struct{ Actor map[string]any }
			require.NoError(t, json.Unmarshal(body, &s))
			require.Equal(t, tt.want, s.Actor)
		})
	}
}

func TestScoreIsExactAndNeverGuessed_R153_R154(t *testing.T) {
	no := false
	for _, tt := range []struct {
		score training.Score
		want  string
	}{
		{training.Score{Raw: "91.5", Max: "100"}, `{"completion":true,"score":{"scaled":0.915,"raw":91.5,"min":0,"max":100}}`},
		{training.Score{Raw: "0", Max: "20"}, `{"completion":true,"score":{"scaled":0,"raw":0,"min":0,"max":20}}`},
		{training.Score{Raw: "91.50", Max: "+100"}, `{"completion":true,"score":{"scaled":0.915,"raw":91.50,"min":0,"max":100}}`},
		{training.Score{Raw: ".5", Max: "1."}, `{"completion":true,"score":{"scaled":0.5,"raw":0.5,"min":0,"max":1}}`},
		{training.Score{Raw: "17"}, `{"completion":true,"score":{"raw":17}}`},
		{training.Score{Passed: &no}, `{"completion":true,"success":false}`},
		{training.Score{}, `{"completion":true}`},
	} {
		c := completion()
		c.Score = tt.score
		id, body, err := xapi.New(c.Fingerprint(), c, options())
		require.NoError(t, err)
		require.Empty(t, strictly(id, body))
		var s struct{ Result json.RawMessage }
		require.NoError(t, json.Unmarshal(body, &s))
		require.Equal(t, tt.want, string(s.Result))
	}
}

func TestWrongSettingsAndCompletionsAreRefusedWithoutNames(t *testing.T) {
	for _, tt := range []struct {
		change func(*training.Completion, *xapi.Options)
		want   string
	}{
		{func(_ *training.Completion, o *xapi.Options) { o.CourseIRI = "" }, "course IRI: not an absolute IRI"},
		{func(_ *training.Completion, o *xapi.Options) { o.CourseIRI = "/course" }, "course IRI: not an absolute IRI"},
		{func(_ *training.Completion, o *xapi.Options) { o.CourseIRI = "https://u:p@x.example/" }, "user name"},
		{func(_ *training.Completion, o *xapi.Options) { o.HomePage = "https://x.example/a b" }, "home page"},
		{func(_ *training.Completion, o *xapi.Options) { o.HomePage = "" }, "neither"},
		{func(c *training.Completion, _ *xapi.Options) { c.CompletedAt = time.Time{} }, "no completion date"},
	} {
		c, o := completion(), options()
		tt.change(&c, &o)
		_, _, err := xapi.New(c.Fingerprint(), c, o)
		require.ErrorContains(t, err, tt.want)
		require.Equal(t, training.FailureStatementRefused, classOf(t, err))
		for _, private := range []string{"Jane", "Doe", "acme.example", "0042", "u:p"} {
			require.NotContains(t, strings.ToLower(err.Error()), strings.ToLower(private))
		}
	}
}

func TestAnyValidCompletionGivesAValidStatement(t *testing.T) {
	text := rapid.StringOfN(rapid.RuneFrom([]rune("aZ0 ._-/?#%&=+'\"<>\\äß山🦺:{}")), 0, 30, -1)
	number := rapid.OneOf(rapid.Just(""), rapid.StringMatching(`[+-]?[0-9]{1,4}(\.[0-9]{0,6})?([eE][+-]?[0-9])?`), rapid.StringMatching(`\.[0-9]{1,3}`))
	rapid.Check(t, func(t *rapid.T) {
		c := training.Completion{
			Tenant: "acme", Source: text.Draw(t, "source"), Platform: text.Draw(t, "platform"), EnrollmentID: text.Draw(t, "enrollment"),
			Learner: training.Learner{
				ID: text.Draw(t, "id"), Username: text.Draw(t, "username"), ExternalID: text.Draw(t, "external"),
				Email:     rapid.OneOf(text, rapid.StringMatching(`[A-Za-z+'%/]{1,8}@[A-Z]{2,5}\.example`)).Draw(t, "email"),
				FirstName: text.Draw(t, "first"), LastName: text.Draw(t, "last"),
			},
			Course:      training.Course{ID: text.Draw(t, "course"), Title: text.Draw(t, "title"), Code: text.Draw(t, "code")},
			CompletedAt: time.UnixMicro(rapid.Int64Range(0, 253402300799_000_000-1).Draw(t, "at")).In(time.FixedZone("", rapid.IntRange(-50000, 50000).Draw(t, "zone"))),
			Precision:   rapid.SampledFrom([]training.Precision{training.PrecisionDay, training.PrecisionMillisecond}).Draw(t, "precision"),
			Score: training.Score{Raw: number.Draw(t, "raw"), Max: number.Draw(t, "max"),
				Passed: rapid.Ptr(rapid.Bool(), true).Draw(t, "passed")},
		}
		o := options()
		o.Mbox, o.Names = rapid.Bool().Draw(t, "mbox"), rapid.Bool().Draw(t, "names")

		id, body, err := xapi.New(c.Fingerprint(), c, o)
		if c.Validate() != nil {
			require.Error(t, err)
			return
		}
		if err != nil {
			require.ErrorContains(t, err, "no usable e-mail address")
			require.Empty(t, c.Learner.ID+c.Learner.ExternalID+c.Learner.Username)
			return
		}
		require.Empty(t, strictly(id, body), "%s", body)

		again := c
		again.CompletedAt = c.CompletedAt.UTC()
		sameID, sameBody, err := xapi.New(again.Fingerprint(), again, o)
		require.NoError(t, err)
		require.Equal(t, id, sameID)
		require.Equal(t, string(body), string(sameBody))
	})
}
