package activate_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/lms/activate"
	"countersign/internal/lms/lmstest"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/signature"
	"countersign/internal/training"
)

const secret = "s3cret-activate"

var yes, no = true, false

// lena is the vendor's own example, and with a change the others.
func lena(change func(*training.Completion)) []training.Completion {
	c := training.Completion{
		Learner:           training.Learner{Email: "lena@example.com"},
		Course:            training.Course{Title: "GDPR introduction"},
		CompletedAt:       time.Date(2026, 4, 11, 14, 32, 0, 0, time.UTC),
		Precision:         training.PrecisionMillisecond,
		CompletedAtSource: "completedOn",
		Score:             training.Score{Raw: "95", Max: "100", Passed: &yes},
	}
	change(&c)
	return []training.Completion{c}
}

// least is a completion with the given members besides what it cannot do without.
func least(members string) string {
	return `{"userName":"omar.h","activityId":2207,"completionDate":"2026-05-02T07:05:41Z"` + members + `}`
}

func omar(change func(*training.Completion)) []training.Completion {
	return lena(func(c *training.Completion) {
		c.Learner = training.Learner{ID: "omar.h", Username: "omar.h"}
		c.Course = training.Course{ID: "2207"}
		c.CompletedAt, c.CompletedAtSource = time.Date(2026, 5, 2, 7, 5, 41, 0, time.UTC), "completionDate"
		c.Score = training.Score{}
		change(c)
	})
}

func same(*training.Completion) {}

func valid(r lmstest.Recorded, want []training.Completion) lmstest.Valid {
	return lmstest.Valid{Recorded: r, Want: want}
}

func samples(tb testing.TB) []lmstest.Valid {
	return []lmstest.Valid{
		valid(lmstest.Sample(tb, "testdata", "completion-apikey"), lena(same)),
		valid(body(tb, "completion-basic-failed"), lena(func(c *training.Completion) {
			c.Learner = training.Learner{ExternalID: "EMP20417", Email: "mei@example.com"}
			c.Course.Title, c.CompletedAt = "Deviation handling", time.Date(2026, 5, 2, 9, 0, 0, 0, time.UTC)
			c.Score = training.Score{Raw: "41", Max: "100", Passed: &no}
		})),
		valid(body(tb, "completion-bearer-all-fields"), omar(func(c *training.Completion) {
			c.Learner.Email, c.Learner.FirstName, c.Learner.LastName = "omar@example.com", "Omar", "Haddad"
			c.Course.Title = "Clean room gowning"
			c.Score = training.Score{Raw: "88", Max: "100", Passed: &yes}
		})),
		valid(body(tb, "completion-bearerlogin-dateonly"), lena(func(c *training.Completion) {
			c.Learner, c.Course.Title = training.Learner{ExternalID: "EMP20417"}, "Deviation handling"
			c.CompletedAt, c.Precision = time.Date(2026, 5, 3, 0, 0, 0, 0, time.UTC), training.PrecisionDay
			c.Score.Raw = "90"
		})),
		valid(body(tb, "completion-mtls-score-omitted"), lena(func(c *training.Completion) {
			c.Learner, c.Course.Title = training.Learner{ExternalID: "EMP20991"}, "Label control"
			c.CompletedAt, c.Score = time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC), training.Score{Passed: &yes}
		})),
		valid(body(tb, "completion-noauth"), lena(func(c *training.Completion) {
			c.Learner.Email, c.Course.Title = "test.user@example.com", "Connection rehearsal"
			c.CompletedAt = time.Date(2026, 5, 5, 8, 0, 0, 0, time.UTC)
			c.Score = training.Score{Raw: "0", Max: "100", Passed: &no}
		})),
		valid(body(tb, "completion-oauth2-epoch"), omar(func(c *training.Completion) {
			c.Learner = training.Learner{ID: "ines.r", Username: "ines.r"}
			c.Course = training.Course{ID: "COMP-2026", Title: "Annual compliance 2026"}
			c.CompletedAt, c.Score = time.Unix(1777712741, 0).UTC(), training.Score{Passed: &yes}
		})),
	}
}

func spec(tb testing.TB) lmstest.Spec {
	stated := func(p *bool) func(*training.Completion) {
		return func(c *training.Completion) { c.Score.Passed = p }
	}
	handmade := []lmstest.Valid{
		valid(lmstest.JSON("least", least(``)), omar(same)),
		valid(lmstest.Form("a form", "employeeId=lena%40example.com&courseName=GDPR+introduction&completedOn=2026-04-11T14%3A32%3A00Z&score=95&status=passed"), lena(same)),
		valid(lmstest.JSON("an e-mail stated outright", least(`,"employeeId":"a@example.com","mail":"b@example.com"`)),
			omar(func(c *training.Completion) { c.Learner.Email = "b@example.com" })),
		valid(lmstest.JSON("the first name that says something", least(`,"employeeId":null,"employeeNumber":" ","externalId":"007"`)),
			omar(func(c *training.Completion) { c.Learner.ExternalID = "007" })),
		valid(lmstest.JSON("milliseconds", strings.Replace(least(``), `"2026-05-02T07:05:41Z"`, `1777705541000`, 1)), omar(same)),
		valid(lmstest.JSON("no offset is UTC", strings.Replace(least(``), `41Z`, `41`, 1)), omar(same)),
		valid(lmstest.JSON("a quoted score of zero", least(`,"bestScore":"0"`)),
			omar(func(c *training.Completion) { c.Score.Raw, c.Score.Max = "0", "100" })),
	}
	for status, want := range map[string]*bool{
		`100`: &yes, `"100"`: &yes, `100.0`: &yes, `"100.00"`: &yes, `1e2`: &yes, `"PASSED"`: &yes, `"Pass"`: &yes, `true`: &yes, `"True"`: &yes,
		`0`: &no, `"0"`: &no, `0.0`: &no, `"Failed"`: &no, `"FAIL"`: &no, `false`: &no, `"false"`: &no,
		`99.9`: nil, `1`: nil, `"50"`: nil, `-100`: nil, `"completed"`: nil, `"Passed!"`: nil, `"100%"`: nil, `""`: nil, `null`: nil,
	} {
		handmade = append(handmade, valid(lmstest.JSON("status "+status, least(`,"bestCombined":`+status)), omar(stated(want))))
	}
	return lmstest.Spec{
		New:              lmstest.With(activate.New),
		Mapping:          activate.DefaultMapping(),
		Verifier:         func(keys ...string) (lms.Verifier, error) { return signature.NewAPIKey(keys, "X-API-Key") },
		Sign:             func(_ []byte, key string) http.Header { return http.Header{"X-Api-Key": {key}} },
		Secret:           secret,
		CredentialHeader: "X-API-Key",
		AnyType:          true,
		Valid:            append(samples(tb), handmade...),
		Problems: []lmstest.Problem{
			{Recorded: lmstest.JSON("nothing in it", `{}`), Reason: "no learner id, external id, username or e-mail; no course id, code or title; no completion date"},
			{Recorded: lmstest.Form("nothing in the form", ``), Reason: "no completion date"},
			{Recorded: lmstest.JSON("names of the administrator's own", `{"staffNo":"3391","trainingCode":"ESD-2","doneAt":"04/11/2026 09:05"}`), Reason: "no learner id"},
			{Recorded: lmstest.JSON("the American order", strings.Replace(least(``), "2026-05-02T07:05:41Z", "05/02/2026", 1)), Reason: "completionDate: neither"},
			{Recorded: lmstest.JSON("a day that never was", strings.Replace(least(``), "2026-05-02T07:05:41Z", "2026-02-30", 1)), Reason: "completionDate: there is no such day"},
			{Recorded: lmstest.JSON("seconds as a text", strings.Replace(least(``), "2026-05-02T07:05:41Z", "1777705541", 1)), Reason: "completionDate: neither"},
			{Recorded: lmstest.JSON("a score with a sign", least(`,"score":"95%"`)), Reason: "score: want a number"},
			{Recorded: lmstest.JSON("a score beyond 100", least(`,"bestScore":101`)), Reason: "score lies outside 0 to its maximum"},
			{Recorded: lmstest.JSON("a status that is none", least(`,"status":{}`)), Reason: "status: transform step 1, toString: has no text, is an object"},
			{Recorded: lmstest.JSON("an id through floating point", least(`,"employeeId":7.0`)), Reason: "employeeId: want"},
		},
		Unreadable: []lmstest.Unreadable{
			{Recorded: lmstest.JSON("nothing", ``), Reason: "incomplete JSON"},
			{Recorded: lmstest.JSON("a batch", `[`+least(``)+`]`), Reason: "want one completion, an object; is an array"},
			{Recorded: lmstest.JSON("a member twice", `{"status":1,"status":0}`), Reason: "key given twice"},
			{Recorded: lmstest.Form("a field twice", `status=1&status=0`), Reason: "key given twice"},
		},
	}
}

func TestActivate_R56_R60(t *testing.T) { lmstest.Run(t, spec(t)) }

// TestCredentials_R34_R38: what the vendor can send besides an API key.
func TestCredentials_R34_R38(t *testing.T) {
	s := spec(t)
	s.CredentialHeader = "Authorization"
	s.Verifier = func(tokens ...string) (lms.Verifier, error) { return signature.NewBearer(tokens) }
	s.Sign = func(_ []byte, token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }
	s.Valid = []lmstest.Valid{{Recorded: lmstest.Sample(t, "testdata", "completion-bearer-all-fields")}}
	t.Run("bearer", func(t *testing.T) { lmstest.RunVerify(t, s) })

	s.Verifier = func(passwords ...string) (lms.Verifier, error) { return signature.NewBasic("activate-svc", passwords) }
	s.Sign = func(_ []byte, password string) http.Header {
		r := http.Request{Header: http.Header{}}
		r.SetBasicAuth("activate-svc", password)
		return r.Header
	}
	s.Valid = []lmstest.Valid{{Recorded: lmstest.Sample(t, "testdata", "completion-basic-failed")}}
	t.Run("basic", func(t *testing.T) { lmstest.RunVerify(t, s) })
}

// renamed is an administrator's mapping of another body over the preset.
func renamed(t *testing.T, condition *mapping.Condition) *mapping.Mapping {
	t.Helper()
	m, err := activate.DefaultMapping().Override(mapping.Definition{
		Version: "acme-3", CompletionWhen: condition,
		Fields: map[mapping.Target]mapping.Field{
			mapping.LearnerExternalID: {Path: "$.staffNo", Transform: "concat:EMP{value}"},
			mapping.LearnerEmail:      {Path: "$.staffMail"},
			mapping.CourseID:          {Path: "$.trainingCode"},
			mapping.CourseTitle:       {Path: "$.trainingName"},
			mapping.CompletedAt:       {Path: "$.doneAt", Parse: "MM/dd/yyyy HH:mm", Zone: "America/Chicago"},
			mapping.ScoreRaw:          {Path: "$.points"},
			mapping.ScoreMax:          {Path: "$.pointsMax"},
			mapping.Passed:            {Path: "$.result", Transform: "statusMap:OK=true,NOT OK=false"},
		},
	})
	require.NoError(t, err)
	return m
}

func TestRenamedFields(t *testing.T) {
	decoded, err := activate.New(renamed(t, nil)).Decode(lmstest.Sample(t, "testdata", "completion-renamed-fields").Request())
	require.NoError(t, err)
	require.Empty(t, decoded.Problems)
	require.Equal(t, lena(func(c *training.Completion) {
		c.Platform, c.MappingVersion = "activate", "activate/acme-3"
		c.Learner = training.Learner{ExternalID: "EMP3391", Email: "jo@example.com"}
		c.Course = training.Course{ID: "ESD-2", Title: "ESD handling"}
		c.CompletedAt, c.CompletedAtSource = time.Date(2026, 4, 11, 14, 5, 0, 0, time.UTC), "doneAt"
		c.Score = training.Score{Raw: "45", Max: "50", Passed: &yes}
	}), decoded.Completions)
}

func TestCompletionWhenIgnores(t *testing.T) {
	adapter := activate.New(renamed(t, &mapping.Condition{Path: "$.result", In: []string{"NOT OK"}}))
	decoded, err := adapter.Decode(lmstest.Sample(t, "testdata", "completion-renamed-fields").Request())
	require.NoError(t, err)
	require.Empty(t, decoded.Completions)
	require.Equal(t, []lms.Ignored{{Reason: "result: is none of the mapping's completionWhen"}}, decoded.Ignored)
}

// TestStatusOfAnOverride: an administrator who gives another name to the status keeps its rules, and one who writes
// a transform decides what it says.
func TestStatusOfAnOverride(t *testing.T) {
	for _, test := range []struct {
		field mapping.Field
		value string
		want  *bool
	}{
		{mapping.Field{Path: "$.result"}, `"Passed"`, &yes},
		{mapping.Field{Path: "$.result"}, `0`, &no},
		{mapping.Field{Path: "$.result"}, `false`, &no},
		{mapping.Field{Path: "$.result", Transform: "omitIfNull"}, `true`, &yes},
		{mapping.Field{Path: "$.result", Transform: "toInt"}, `"100.9"`, &yes},
		{mapping.Field{Path: "$.result", Transform: "statusMap:passed=false,*=null"}, `"passed"`, &no},
		{mapping.Field{Path: "$.result", Transform: "statusMap:passed=false,*=null"}, `"failed"`, nil},
		{mapping.Field{Omit: true}, `"passed"`, nil},
	} {
		m, err := activate.DefaultMapping().Override(mapping.Definition{
			Version: "2", Fields: map[mapping.Target]mapping.Field{mapping.Passed: test.field},
		})
		require.NoError(t, err)
		decoded, err := activate.New(m).Decode(lmstest.JSON("", least(`,"result":`+test.value)).Request())
		require.NoError(t, err)
		require.Equal(t, omar(func(c *training.Completion) {
			c.Platform, c.MappingVersion, c.Score.Passed = "activate", "activate/2", test.want
		}), decoded.Completions, "%+v of %s", test.field, test.value)
	}
}

// TestExternalIDOfAnOverrideIsTakenAsItStands: an administrator who says that it is one knows better.
func TestExternalIDOfAnOverrideIsTakenAsItStands(t *testing.T) {
	m, err := activate.DefaultMapping().Override(mapping.Definition{
		Version: "2", Fields: map[mapping.Target]mapping.Field{mapping.LearnerExternalID: {Path: "$.employeeId"}},
	})
	require.NoError(t, err)
	decoded, err := activate.New(m).Decode(lmstest.JSON("", least(`,"employeeId":"jo@acme"`)).Request())
	require.NoError(t, err)
	require.Equal(t, training.Learner{ID: "omar.h", Username: "omar.h", ExternalID: "jo@acme"}, decoded.Completions[0].Learner)
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{least(`,"status":"passed"`), least(`,"bestCombined":1e2,"employeeId":"a@b"`), `{}`, `[]`, ``} {
		f.Add("application/json", []byte(seed))
	}
	f.Add("application/x-www-form-urlencoded", []byte("login=a&courseId=1&completedAt=20260411&score=%39"))
	adapter := activate.New(nil)
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		decoded, err := adapter.Decode(lms.Request{Header: http.Header{"Content-Type": {contentType}}, Body: body})
		lmstest.Check(t, adapter, decoded, err)
	})
}

func BenchmarkActivate(b *testing.B) { lmstest.Benchmark(b, spec(b)) }

// body is a sample without its credential, which is none of the suite's.
func body(tb testing.TB, name string) lmstest.Recorded {
	r := lmstest.Sample(tb, "testdata", name)
	r.Header = http.Header{"Content-Type": r.Header["Content-Type"]}
	return r
}
