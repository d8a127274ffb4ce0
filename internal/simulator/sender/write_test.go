package sender_test

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/simulator/sender"
)

var (
	site  = sender.Site{Domain: "acme.lms.example.com"}
	ended = time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC)
)

// finish is the n-th learner's.
func finish(n int) sender.Finish {
	score, passed := 91.5, true
	return sender.Finish{
		Learner: sender.Learner{ID: 1000 + n, Username: "HR-" + string(rune('0'+n)), ExternalID: "HR-" + string(rune('0'+n)),
			Email: "jane.doe@example.com", First: "Jane", Last: "Doe"},
		Course: sender.DemoCourses()[0], At: ended, Score: &score, Passed: &passed,
	}
}

func finishes(n int) []sender.Finish {
	var all []sender.Finish
	for i := range n {
		all = append(all, finish(i))
	}
	return all
}

// shape is what members a document has, and of which type; of an array all elements together.
func shape(t *testing.T, body []byte) map[string]string {
	t.Helper()
	all := map[string]string{}
	if !json.Valid(body) {
		form, err := url.ParseQuery(string(body))
		require.NoError(t, err)
		for key := range form {
			all["."+key] = "string"
		}
		return all
	}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		kind := ""
		switch v := v.(type) {
		case map[string]any:
			kind = "object"
			for key, member := range v {
				walk(path+"."+key, member)
			}
		case []any:
			kind = "array"
			for _, item := range v {
				walk(path+"[]", item)
			}
		case string:
			kind = "string"
		case float64:
			kind = "number"
		case bool:
			kind = "bool"
		}
		if kind != "" || all[path] == "" { // null says nothing against another type
			all[path] = kind
		}
	}
	var document any
	require.NoError(t, json.Unmarshal(body, &document))
	walk("", document)
	return all
}

// TestWrittenAsRecorded holds what a profile writes against the records: the same members of the same types.
// What is empty in one of them says nothing about what would stand in it.
func TestWrittenAsRecorded(t *testing.T) {
	completion := func(p sender.Profile, n int) sender.Post { return p.Posts(site, finishes(n)...)[0] }
	noise := func(p sender.Profile, event string) sender.Post {
		for _, post := range p.Noise(site, finish(1)) {
			if post.Event == event {
				return post
			}
		}
		require.Fail(t, "no such noise", event)
		return sender.Post{}
	}
	for _, tt := range []struct {
		sample string
		post   sender.Post
		// open are members that stand in one of them only.
		open []string
	}{
		{"absorb/course-completed-by-learner", completion(sender.Absorb(), 1), nil},
		{"activate/completion-apikey", completion(sender.Activate(), 1), nil},
		{"adobe-learning-manager/COURSE_COMPLETED", completion(sender.Adobe(), 1), nil},
		{"adobe-learning-manager/COURSE_COMPLETED_BATCH", completion(sender.Adobe(), 3), nil},
		{"adobe-learning-manager/COURSE_ENROLLMENT", noise(sender.Adobe(), "COURSE_ENROLLMENT"), nil},
		{"axis/course-completed", completion(sender.Axis(), 1), nil},
		{"axis/course-started", noise(sender.Axis(), "course_start"), nil},
		{"axis/course-completed-form", completion(sender.AxisForm(), 1), []string{".auth_secret"}},
		{"brightspace/award_issued", completion(sender.Brightspace(), 1), nil},
		{"brightspace/array-variant.assumed", completion(sender.Brightspace(), 2),
			[]string{`[].context.extensions.https://api.brightspace.com/xapi/extension_keys/context/object.id`}},
		{"brightspace/enrollment", noise(sender.Brightspace(), "classlist:enrolled"), nil},
		{"brightspace/content_topic_completed.not-a-course-completion", noise(sender.Brightspace(), "content/topic:completed"), nil},
		{"canonical/course-completion", completion(sender.Canonical(), 1), nil},
		{"canonical/enrollment-created", noise(sender.Canonical(), "enrollment.created"), nil},
		{"canvas/course_completed", completion(sender.Canvas(), 1), nil},
		{"canvas/course_progress.not-a-completion", noise(sender.Canvas(), "course_progress"), nil},
		{"canvas/enrollment_created", noise(sender.Canvas(), "enrollment_created"), []string{
			// The record is of a click, ours of a job.
			".metadata.job_id", ".metadata.job_tag", ".metadata.client_ip", ".metadata.context_account_id", ".metadata.context_id",
			".metadata.context_sis_source_id", ".metadata.context_type", ".metadata.developer_key_id", ".metadata.hostname",
			".metadata.http_method", ".metadata.referrer", ".metadata.request_id", ".metadata.session_id", ".metadata.time_zone",
			".metadata.url", ".metadata.user_account_id", ".metadata.user_agent", ".metadata.user_id", ".metadata.user_login",
			".metadata.user_sis_id",
		}},
		{"cornerstone/training_completed", completion(sender.Cornerstone(), 1), nil},
		{"cornerstone/heartbeat", noise(sender.Cornerstone(), "heartbeat"), nil},
		{"cornerstone/training_assigned.assumed-key", noise(sender.Cornerstone(), "TrainingAssigned"), nil},
		{"docebo/course.enrollment.completed", completion(sender.Docebo(), 1), nil},
		{"docebo/course.enrollment.completed.batch", completion(sender.Docebo(), 2), nil},
		{"docebo/course.enrollment.created", noise(sender.Docebo(), "course.enrollment.created"), nil},
		{"learnupon/course_completion.v1", completion(sender.LearnUponV1(), 1), []string{".header.signature"}},
		{"learnupon/course_completion.v2", completion(sender.LearnUpon(), 1), nil},
		{"learnupon/course_completion.v2.batch", completion(sender.LearnUpon(), 3), nil},
		{"lessonly/lesson-completed", completion(sender.Lessonly(), 1), nil},
		{"moodle/course_completed", completion(sender.MoodleEvents(), 1), nil},
		{"moodle/user_graded.not-a-completion", noise(sender.MoodleEvents(), `\core\event\user_graded`), nil},
		{"moodle/user_enrolment_created", noise(sender.MoodleEvents(), `\core\event\user_enrolment_created`), nil},
		{"moodle/webhookengine.course_completed", completion(sender.Moodle(), 1), nil},
		{"moodle/tool_trigger.course_completed", completion(sender.MoodleTrigger(), 1), nil},
		{"moodle/xapi.statements-batch", completion(sender.MoodleStatements(), 2),
			[]string{"[].actor.mbox", "[].context.instructor", "[].context.instructor.account", "[].context.instructor.account.homePage",
				"[].context.instructor.account.name", "[].context.instructor.name"}},
		{"successfactors/learning_history_batch", completion(sender.SuccessFactors(), 3), nil},
		{"talentlms/course_completion", completion(sender.TalentLMS(), 1), nil},
		{"talentlms/course_completion.batch", completion(sender.TalentLMS(), 2), nil},
		{"talentlms/course_add_user", noise(sender.TalentLMS(), "course_add_user"), nil},
		{"talentlms/course_failure", noise(sender.TalentLMS(), "course_failure"), nil},
	} {
		t.Run(tt.sample, func(t *testing.T) {
			want, got := shape(t, sampleBody(t, tt.sample)), shape(t, tt.post.Body)
			for path := range union(want, got) {
				if slices.Contains(tt.open, path) || insideEmpty(path, want) || insideEmpty(path, got) {
					continue
				}
				recorded, isRecorded := want[path]
				written, isWritten := got[path]
				require.Equal(t, isRecorded, isWritten, "%s stands in one of them only", path)
				if recorded != "" && written != "" {
					require.Equal(t, recorded, written, path)
				}
			}
			if !strings.Contains(tt.sample, ".assumed") {
				requireHeaders(t, tt.sample, tt.post)
			}
		})
	}
}

func union(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// insideEmpty reports whether the path leads into what is null or an empty array in a document.
func insideEmpty(path string, all map[string]string) bool {
	for i := len(path) - 1; i > 0; i-- {
		if path[i] != '.' && path[i] != '[' {
			continue
		}
		if kind, there := all[path[:i]]; there && kind != "object" {
			if kind != "array" {
				return kind == ""
			}
			_, filled := all[path[:i]+"[]"]
			return !filled
		}
	}
	return false
}

// requireHeaders holds the headers that are no credential against those of the record.
func requireHeaders(t *testing.T, sample string, post sender.Post) {
	t.Helper()
	want := sampleHeaders(t, sample)
	for _, name := range []string{"Content-Type", "User-Agent", "X-Webhook-Type", "X-Experience-Api-Version", "X-Webhook-Event"} {
		if sample == "moodle/course_completed" && name == "Content-Type" || name == "User-Agent" && strings.HasPrefix(want.Get(name), "MoodleBot") {
			continue // the administrator's choice; and the site's own address
		}
		require.Equal(t, want.Get(name), post.Header.Get(name), name)
	}
}

// TestWritten: every profile writes batches as large as it says, the same for the same, and differently for others.
func TestWritten(t *testing.T) {
	names := map[string]bool{}
	for _, p := range append(sender.Profiles(), sender.Variants()...) {
		t.Run(p.Name(), func(t *testing.T) {
			require.False(t, names[p.Name()])
			names[p.Name()] = true
			found, ok := sender.Find(p.Name())
			require.True(t, ok)
			require.Equal(t, p.Platform, found.Platform)

			batch := max(1, p.Batch)
			posts := p.Posts(site, finishes(batch+1)...)
			require.Len(t, posts, 2)
			require.Len(t, posts[0].Finishes, batch)
			require.Len(t, posts[1].Finishes, 1)
			require.Equal(t, posts, p.Posts(site, finishes(batch+1)...), "the same again")
			require.NotEqual(t, posts[0].Body, posts[1].Body)
			if posts[0].ID != "" {
				require.NotEqual(t, posts[0].ID, posts[1].ID)
			}
			seen := map[string]bool{}
			for _, noise := range p.Noise(site, finish(1)) {
				require.Empty(t, noise.Finishes)
				require.False(t, seen[string(noise.Body)])
				seen[string(noise.Body)] = true
			}
		})
	}
	require.Len(t, sender.Profiles(), 15)
	_, ok := sender.Find("canvas/rot13")
	require.False(t, ok)
}

// TestEnvelopeIsTheCanonicalOne_R48 reads the recorded deliveries and writes them again.
func TestEnvelopeIsTheCanonicalOne_R48(t *testing.T) {
	for _, name := range []string{"course-completion", "enrollment-created"} {
		body := sampleBody(t, "canonical/"+name)
		var e sender.Envelope
		require.NoError(t, json.Unmarshal(body, &e))
		again, err := json.Marshal(e)
		require.NoError(t, err)
		require.JSONEq(t, string(body), string(again))
	}
	require.Equal(t, "sha256=b23771741a3446e135579f0eeca3a2d0f4052a4a570d3cf3949ca0c7e07cba75",
		sender.Sign("s3cret-canonical", sampleBody(t, "canonical/course-completion")))
}

// TestFailed_R71: who says that somebody failed says so, and nobody makes a pass of it.
func TestFailed_R71(t *testing.T) {
	failed, score := false, 41.0
	f := finish(1)
	f.Passed, f.Score = &failed, &score
	words := map[string]string{
		"absorb": `"status":5`, "activate": `"status":"failed"`, "adobe-learning-manager": `"hasPassed":false`, "axis": `"user_score":"41"`,
		"canonical": `"passed":false`, "generic": `"result":"NOT OK"`, "learnupon": `"enrollmentStatus":"failed"`,
		"lessonly": `"score_percent":41`, "successfactors": `"COURSE-FAIL"`,
	}
	for _, p := range sender.Profiles() {
		require.Equal(t, words[p.Platform] != "", p.SaysFailed, p.Platform)
		if p.SaysFailed {
			require.Contains(t, string(p.Posts(site, f)[0].Body), words[p.Platform])
		}
	}
}
