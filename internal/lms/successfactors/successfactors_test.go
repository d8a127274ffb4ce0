package successfactors_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/issuer"
	"countersign/internal/lms"
	"countersign/internal/lms/lmstest"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/successfactors"
	"countersign/internal/training"
)

const secret = "s3cret-successfactors"

// table is a tenant's mapping: what its status codes stand for.
func table(t testing.TB) *mapping.Mapping {
	t.Helper()
	return override(t, map[mapping.Target]mapping.Field{
		mapping.Passed: {Path: "$.completionStatusID", Transform: "statusMap:COURSE-PASS=passed,DOC-READ=passed,COURSE-FAIL=failed,COURSE-INC=ignore"},
	})
}

func override(t testing.TB, fields map[mapping.Target]mapping.Field) *mapping.Mapping {
	t.Helper()
	m, err := successfactors.DefaultMapping().Override(mapping.Definition{Version: "plant-a", Fields: fields})
	require.NoError(t, err)
	return m
}

// jdoe is the sample of one row, and with a change the others.
func jdoe(change func(*training.Completion)) training.Completion {
	truth := true
	c := training.Completion{
		Learner:           training.Learner{ID: "jdoe", Email: "jane.doe@example.test", ExternalID: "EMP-20001"},
		Course:            training.Course{ID: "COURSE/SOP-017", Title: "SOP-017 Line clearance", Code: "SOP-017"},
		CompletedAt:       time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC),
		Precision:         training.PrecisionMillisecond,
		CompletedAtSource: "value[0].completionDate",
		Score:             training.Score{Raw: "91.5", Passed: &truth},
	}
	change(&c)
	return c
}

// row is the least that the contract asks for, and further members.
func row(members string) string {
	return `{"studentID":"jdoe","componentTypeID":"COURSE","componentID":"SOP-017","completionDate":1775658600000,"completionStatusID":"COURSE-PASS"` + members + `}`
}

func value(rows ...string) string { return `{"value":[` + strings.Join(rows, ",") + `]}` }

// least is what row says.
func least(change func(*training.Completion)) []training.Completion {
	return []training.Completion{jdoe(func(c *training.Completion) {
		c.Learner, c.Course.Title, c.Score.Raw = training.Learner{ID: "jdoe"}, "", ""
		change(c)
	})}
}

func same(*training.Completion) {}

// with is row with one text replaced.
func with(before, after string) lmstest.Recorded {
	return lmstest.JSON(before+" -> "+after, value(strings.Replace(row(""), before, after, 1)))
}

func failed(c *training.Completion) {
	truth := false
	c.Score.Passed = &truth
}

func batch() []training.Completion {
	muster := training.Learner{ID: "mmuster", ExternalID: "EMP-20002"}
	return []training.Completion{
		jdoe(same),
		jdoe(func(c *training.Completion) {
			failed(c)
			c.Learner, c.Score.Raw = muster, "45"
			c.CompletedAt, c.CompletedAtSource = time.Date(2026, 4, 8, 14, 35, 0, 0, time.UTC), "value[1].completionDate"
		}),
		jdoe(func(c *training.Completion) {
			c.Learner, c.Score.Raw = muster, ""
			c.Course = training.Course{ID: "DOCUMENT/WI-300", Title: "WI-300 Cleaning", Code: "WI-300"}
			c.CompletedAt, c.CompletedAtSource = time.Date(2026, 4, 8, 14, 36, 40, 0, time.UTC), "value[2].completionDate"
		}),
	}
}

func spec(t testing.TB) lmstest.Spec {
	t.Helper()
	sender := newSender(t)
	sample := func(name string) lmstest.Recorded {
		r := lmstest.Sample(t, "testdata", name)
		r.Header.Set("Authorization", "Bearer "+sender.token(secret)) // in place of {{access_token}}
		return r
	}
	scored := func(members, raw string) lmstest.Valid {
		return lmstest.Valid{Recorded: lmstest.JSON(members, value(row(members))), Want: least(func(c *training.Completion) { c.Score.Raw = raw })}
	}
	return lmstest.Spec{
		New:      lmstest.With(successfactors.New),
		Mapping:  table(t),
		Verifier: sender.verifier,
		Sign: func(_ []byte, secret string) http.Header {
			return http.Header{"Authorization": {"Bearer " + sender.token(secret)}}
		},
		Secret:           secret,
		CredentialHeader: "Authorization",
		Refused: []lmstest.Recorded{
			{Name: "the client's own secret", Header: http.Header{"Authorization": {"Basic YnJpZGdlLXNmOnMzY3JldC1zdWNjZXNzZmFjdG9ycw=="}}, Body: []byte(value())},
			{Name: "the secret as a token", Header: http.Header{"Authorization": {"Bearer " + secret}}, Body: []byte(value())},
		},
		Valid: []lmstest.Valid{
			{Recorded: sample("learning_history_completion"), Want: []training.Completion{jdoe(same)}},
			{Recorded: sample("learning_history_batch"), Want: batch()},
			{Recorded: lmstest.JSON("least", value(row(""))), Want: least(same)},
			{Recorded: lmstest.JSON("a row alone", row("")), Want: least(func(c *training.Completion) { c.CompletedAtSource = "completionDate" })},
			{Recorded: lmstest.JSON("one row without an array", `{"@odata.count":1,"value":`+row("")+`}`),
				Want: least(func(c *training.Completion) { c.CompletedAtSource = "value.completionDate" })},
			{Recorded: with(`COURSE-PASS`, `COURSE-FAIL`), Want: least(failed)},
			{Recorded: with(`"jdoe"`, `"0042"`), Want: least(func(c *training.Completion) { c.Learner.ID = "0042" })},
			{Recorded: with(`"jdoe"`, `"JDoe \u00c5"`), Want: least(func(c *training.Completion) { c.Learner.ID = "JDoe \u00c5" })},
			{Recorded: with(`"jdoe"`, `42`), Want: least(func(c *training.Completion) { c.Learner.ID = "42" })},
			{Recorded: with(`"SOP-017"`, `"SOP/017"`), Want: least(func(c *training.Completion) { c.Course.ID, c.Course.Code = "COURSE/SOP/017", "SOP/017" })},
			{Recorded: with(`1775658600000`, `"1775658600000"`), Want: least(same)},
			{Recorded: with(`1775658600000`, `"2026-04-08T16:30:00+02:00"`), Want: least(same)},
			{Recorded: with(`1775658600000`, `"2026-04-08"`), Want: least(func(c *training.Completion) {
				c.CompletedAt, c.Precision = time.Date(2026, 4, 8, 0, 0, 0, 0, time.UTC), training.PrecisionDay
			})},
			scored(`,"grade":"85"`, "85"), scored(`,"grade":85.5`, "85.5"), scored(`,"grade":" 0 "`, "0"),
			scored(`,"grade":"A"`, ""), scored(`,"grade":"85/100"`, ""), scored(`,"grade":"Pass"`, ""), scored(`,"grade":"85,5"`, ""),
			scored(`,"grade":"85%"`, ""), scored(`,"grade":"1e2"`, ""), scored(`,"grade":"085"`, ""), scored(`,"grade":null`, ""),
			scored(`,"derived":{"score":"7","item":"X/Y"}`, ""),
		},
		Ignored: []lmstest.Ignored{
			{Recorded: lmstest.JSON("no rows", value()), Want: []lms.Ignored{{Reason: "value holds no row"}}},
			{Recorded: with(`COURSE-PASS`, `COURSE-INC`), Want: []lms.Ignored{{Reason: "value[0]: completionStatusID: the mapping of passed sets this status aside"}}},
		},
		Problems: []lmstest.Problem{
			{Recorded: lmstest.JSON("nothing in it", `{}`), Reason: "completionStatusID: is missing"},
			{Recorded: lmstest.JSON("value is null", `{"value":null}`), Reason: "value: want a row, an object; is null"},
			{Recorded: lmstest.JSON("a row that is none", `{"value":["x"]}`), Reason: "value[0]: want a row, an object; is a string"},
			{Recorded: with(`"COURSE-PASS"`, `"COURSE-OTHER"`), Reason: "value[0]: completionStatusID: "},
			{Recorded: with(`"COURSE-PASS"`, `"course-pass"`), Reason: "value[0]: completionStatusID: "},
			{Recorded: with(`"COURSE-PASS"`, `null`), Reason: "completionStatusID: is missing"},
			{Recorded: with(`"COURSE-PASS"`, `{}`), Reason: "completionStatusID: "},
			{Recorded: with(`"jdoe"`, `""`), Reason: "no learner id"},
			{Recorded: with(`"jdoe"`, `4.2`), Reason: "studentID: want"},
			{Recorded: with(`"COURSE"`, `null`), Reason: "componentTypeID: is missing"},
			{Recorded: with(`"COURSE"`, `"A/B"`), Reason: "componentTypeID: has a slash in it"},
			{Recorded: with(`"COURSE"`, `[]`), Reason: "componentTypeID: want a string or an integer, is an array"},
			{Recorded: with(`"SOP-017"`, `" "`), Reason: "componentID: is missing"},
			{Recorded: with(`1775658600000`, `null`), Reason: "no completion date"},
			{Recorded: with(`1775658600000`, `1775658600`), Reason: "value[0]: completionDate: want milliseconds since 1970"},
			{Recorded: with(`1775658600000`, `"0"`), Reason: "completionDate: want milliseconds since 1970"},
			{Recorded: with(`1775658600000`, `253402300800000`), Reason: "completionDate: want milliseconds since 1970"},
			{Recorded: with(`1775658600000`, `1.7756586e12`), Reason: "completionDate: want"},
			{Recorded: with(`1775658600000`, `"2026-04-08T14:30:00"`), Reason: "completionDate: date-time without a time zone"},
			{Recorded: with(`1775658600000`, `"/Date(1775658600000)/"`), Reason: "completionDate: neither"},
		},
		Unreadable: []lmstest.Unreadable{
			{Recorded: lmstest.JSON("nothing", ``), Reason: "incomplete JSON"},
			{Recorded: lmstest.JSON("XML", `<value/>`), Reason: "not JSON"},
			{Recorded: lmstest.JSON("rows without an object", `[`+row("")+`]`), Reason: "want an object with value; is an array"},
		},
	}
}

func TestSuccessFactors_R39(t *testing.T) { lmstest.Run(t, spec(t)) }

// TestWithoutATable: nobody but the customer knows which codes are failures, so nothing is guessed.
func TestWithoutATable(t *testing.T) {
	adapter := successfactors.New(nil)
	decoded, err := adapter.Decode(lmstest.Sample(t, "testdata", "learning_history_batch").Request())
	require.NoError(t, err)
	lmstest.Check(t, adapter, decoded, err)
	require.Empty(t, decoded.Completions)
	require.Len(t, decoded.Problems, 3)
	require.Equal(t, "value[2]: completionStatusID: the mapping of passed does not say what this status stands for: want passed, failed or ignore",
		decoded.Problems[2].Reason)

	for _, code := range []string{`"PASSED"`, `"passed"`, `"True"`, `"Failed"`, `"Ignore"`} {
		decoded, err = adapter.Decode(lms.Request{Body: []byte(strings.Replace(row(""), `"COURSE-PASS"`, code, 1))})
		require.NoError(t, err)
		require.Empty(t, decoded.Completions, code)
		require.Empty(t, decoded.Ignored, code)
		require.Len(t, decoded.Problems, 1, "%s: a customer's code that is a word of ours need not mean it", code)
	}
	own := successfactors.New(override(t, map[mapping.Target]mapping.Field{mapping.Passed: {Path: "$.completionStatusID", Transform: "toString"}}))
	decoded, err = own.Decode(lms.Request{Body: []byte(strings.Replace(row(""), `"COURSE-PASS"`, `"PASSED"`, 1))})
	require.NoError(t, err)
	require.Len(t, decoded.Completions, 1, "the tenant says that its codes are these words")

	omitted := successfactors.New(override(t, map[mapping.Target]mapping.Field{mapping.Passed: {Omit: true}}))
	decoded, err = omitted.Decode(lms.Request{Body: []byte(value(row("")))})
	require.NoError(t, err)
	require.Len(t, decoded.Problems, 1)
}

// TestOneBadRowLeavesTheOthers: a batch is not refused for one of its rows (law 4).
func TestOneBadRowLeavesTheOthers(t *testing.T) {
	decoded, err := successfactors.New(table(t)).Decode(lms.Request{Body: []byte(value(
		row(""), strings.Replace(row(""), "jdoe", "", 1), strings.Replace(row(""), "-PASS", "-INC", 1), strings.Replace(row(""), "jdoe", "mmuster", 1)))})
	require.NoError(t, err)
	require.Len(t, decoded.Completions, 2)
	require.Len(t, decoded.Ignored, 1)
	require.Len(t, decoded.Problems, 1)
	require.Contains(t, decoded.Problems[0].Reason, "value[1]: ")
}

// TestItemsAreToldApart: type and id together are the key, and the same item again is another completion.
func TestItemsAreToldApart_R91(t *testing.T) {
	prints := map[training.Fingerprint]bool{}
	for _, body := range []string{
		row(""), strings.Replace(row(""), `"COURSE"`, `"DOCUMENT"`, 1), strings.Replace(row(""), "SOP-017", "SOP-018", 1),
		strings.Replace(row(""), "1775658600000", "1807194600000", 1), strings.Replace(row(""), "jdoe", "JDOE", 1),
	} {
		decoded, err := successfactors.New(table(t)).Decode(lms.Request{Body: []byte(body)})
		require.NoError(t, err)
		prints[decoded.Completions[0].Fingerprint()] = true
	}
	require.Len(t, prints, 5)
}

// TestOverride: the scale of the grades, and only some kinds of items, are the tenant's to say.
func TestOverride_R61(t *testing.T) {
	hundred := "100"
	m, err := table(t).Override(mapping.Definition{
		Version:        "plant-b",
		Fields:         map[mapping.Target]mapping.Field{mapping.ScoreMax: {Const: &hundred}, mapping.CourseID: {Path: "$.componentID"}},
		CompletionWhen: &mapping.Condition{Path: "$.componentTypeID", In: []string{"COURSE"}},
	})
	require.NoError(t, err)
	decoded, err := successfactors.New(m).Decode(lmstest.Sample(t, "testdata", "learning_history_batch").Request())
	require.NoError(t, err)
	require.Len(t, decoded.Completions, 2)
	require.Equal(t, "100", decoded.Completions[0].Score.Max)
	require.Equal(t, "SOP-017", decoded.Completions[0].Course.ID)
	require.Equal(t, "successfactors/plant-b", decoded.Completions[0].MappingVersion)
	require.Equal(t, []lms.Ignored{{Reason: "value[2]: componentTypeID: is none of the mapping's completionWhen"}}, decoded.Ignored)
}

func FuzzDecode(f *testing.F) {
	for _, name := range []string{"learning_history_completion", "learning_history_batch"} {
		f.Add(lmstest.Sample(f, "testdata", name).Body)
	}
	f.Add([]byte(row(`,"grade":"1e9"`)))
	f.Add([]byte(`{"value":{}}`))
	adapter := successfactors.New(table(f))
	f.Fuzz(func(t *testing.T, body []byte) {
		decoded, err := adapter.Decode(lms.Request{Body: body})
		lmstest.Check(t, adapter, decoded, err)
	})
}

func BenchmarkRows(b *testing.B) { lmstest.Benchmark(b, spec(b)) }

// sender fetches tokens from our own endpoint, as an iFlow does.
type sender struct {
	t      testing.TB
	now    time.Time
	tokens map[string]string
}

func newSender(t testing.TB) *sender {
	t.Helper()
	return &sender{t: t, now: time.Date(2026, 4, 8, 14, 40, 0, 0, time.UTC), tokens: map[string]string{}}
}

func (s *sender) clock() time.Time { return s.now }

func account(secrets ...string) issuer.Account {
	return issuer.Account{Kind: issuer.ClientCredentials, Tenant: "acme", Source: "sf", Name: "bridge-sf", Secrets: secrets, Lifetime: 10 * time.Minute}
}

func (s *sender) verifier(secrets ...string) (lms.Verifier, error) {
	return issuer.NewVerifier(account(secrets...), s.clock)
}

// token is what the endpoint of a source with this secret answers.
func (s *sender) token(secret string) string {
	s.t.Helper()
	if token, ok := s.tokens[secret]; ok {
		return token
	}
	i, err := issuer.New(issuer.Config{Accounts: []issuer.Account{account(secret)}, Now: s.clock})
	require.NoError(s.t, err)
	server := httptest.NewServer(i.Handler())
	defer server.Close()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, server.URL+"/oauth/acme/sf/token",
		strings.NewReader(url.Values{"grant_type": {"client_credentials"}}.Encode()))
	require.NoError(s.t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth("bridge-sf", url.QueryEscape(secret))
	response, err := server.Client().Do(request)
	require.NoError(s.t, err)
	defer response.Body.Close()
	require.Equal(s.t, http.StatusOK, response.StatusCode)
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	require.NoError(s.t, json.NewDecoder(response.Body).Decode(&answer))
	s.tokens[secret] = answer.AccessToken
	return answer.AccessToken
}
