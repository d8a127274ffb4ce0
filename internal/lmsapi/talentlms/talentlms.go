// Package talentlms looks up what a TalentLMS timeline record lacks (code, score, names in two pieces), and lists
// completions: TalentLMS sends nothing twice, and its timeline forgets all but the last 200 events, so that listing is
// what nothing gets lost by (R132, R145, R169).
//
// It speaks version 1 of the API, whose answers were seen in public clients: users, courses with their users,
// a user's status in a course, Basic with the API key as user and no password, errors as {"error":{"type","message"}}.
// Version 2 is documented without its answers. Documented by the vendor: 2,000 to 10,000 calls an hour, by plan.
// Assumed: completed_on_timestamp is the instant that the timeline states as unix_timestamp; only it is read, because the
// date beside it is the portal's local time in the portal's own order of day and month. There is no list of completions: the
// courses are walked, and a course answers with all of its users at once.
//
// A listed completion has the learner id, course id and instant of the timeline's record, and so its fingerprint.
package talentlms

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"countersign/internal/lmsapi"
	"countersign/internal/lmsapi/rest"
	"countersign/internal/training"
)

// Platform is the name of this platform in settings.
const Platform = "talentlms"

// Manner is how TalentLMS's API behaves. The portal's API key (Account & Settings, Integrations, API) is api_key; the URL is
// that of the portal, https://{domain}.talentlms.com.
func Manner() rest.Manner {
	return rest.Manner{
		Platform: Platform, Needs: []rest.Key{rest.KeyAPIKey}, ExternalIDField: true,
		PerHour: 2000, // that of the smallest plan
		Judge:   judge,
	}
}

// Client is one source's access to its TalentLMS portal.
type Client struct {
	api     *rest.Client
	catalog catalog
}

var _ lmsapi.Lister = (*Client)(nil)

// New makes a client. It calls nobody.
func New(cfg rest.Config) (*Client, error) {
	manner := Manner()
	key := cfg.Credentials[rest.KeyAPIKey]
	manner.Sign = func(r *http.Request, _ string) { r.SetBasicAuth(key, "") }
	api, err := rest.New(cfg, manner)
	if err != nil {
		return nil, err
	}
	return &Client{api: api}, nil
}

// notThere is the detail of an answer that says that what was asked for does not exist.
const notThere = "does not exist"

// judge reads an error whatever its status is: public clients look at the body alone. The message of another error is
// left out, because it may name somebody.
func judge(status int, body []byte) (training.FailureClass, string) {
	var answer struct {
		Error *struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.Error == nil {
		return "", ""
	}
	m := answer.Error.Message
	switch {
	case strings.HasSuffix(m, " does not exist") && !strings.Contains(m, "action"), strings.HasSuffix(m, " is not enrolled in this course"):
		return training.FailureRefused, notThere
	case status == http.StatusOK:
		return training.FailureRefused, "answer is an error"
	default:
		return "", ""
	}
}

// absent reports an answer that says that there is no such user, course or enrollment.
func absent(err error) bool {
	failure, ok := errors.AsType[*training.Failure](err)
	return ok && failure.Class == training.FailureRefused && strings.HasSuffix(failure.Detail, " "+notThere)
}

// id is how TalentLMS writes every id. Another text is one of an event that was mapped differently, and not asked for.
var id = regexp.MustCompile(`^[0-9]{1,18}$`)

// Lookup implements lmsapi.Client. The user gives e-mail address, names and, from the configured custom field, the external
// id; the course list gives title and code; the user's status in the course gives the score.
func (c *Client) Lookup(ctx context.Context, have training.Completion) (lmsapi.Details, error) {
	ctx = rest.Together(ctx)
	var d lmsapi.Details
	l := have.Learner
	knownUser, knownCourse := id.MatchString(l.ID), id.MatchString(have.Course.ID)
	lacksNumber := l.ExternalID == "" && c.api.ExternalIDField() != ""
	if knownUser && (l.Email == "" || l.Username == "" || l.FirstName == "" || lacksNumber) {
		if err := c.user(ctx, have, &d.Learner); err != nil {
			return lmsapi.Details{}, err
		}
	}
	if knownCourse && (have.Course.Title == "" || have.Course.Code == "") {
		course, err := c.catalog.find(ctx, c, have.Course.ID)
		if err != nil {
			return lmsapi.Details{}, err
		}
		d.Course = course
	}
	if knownUser && knownCourse && !have.Score.Known() {
		score, err := c.score(ctx, have)
		if err != nil {
			return lmsapi.Details{}, err
		}
		d.Score = score
	}
	return d, nil
}

// user is GET /users/id:{}. Where the event already has the whole name in one piece, the pieces are not put beside it.
func (c *Client) user(ctx context.Context, have training.Completion, into *training.Learner) error {
	var answer map[string]any
	_, err := c.api.Do(ctx, rest.Call{Operation: "look up user", Path: "/api/v1/users/id:{}", Args: []string{have.Learner.ID}}, &answer)
	if absent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	text := func(key string) string {
		switch value := answer[key].(type) {
		case string:
			return value
		case json.Number:
			return value.String()
		default:
			return ""
		}
	}
	if text("id") != have.Learner.ID {
		return training.Fail(training.FailureMisread, "look up user", "/api/v1/users/id:{}", "answer is about another id")
	}
	into.Username, into.Email = text("login"), text("email")
	if have.Learner.FirstName == "" {
		into.FirstName, into.LastName = text("first_name"), text("last_name")
	}
	if field := c.api.ExternalIDField(); field != "" {
		into.ExternalID = text(field)
	}
	return nil
}

// score is that of the unit, where only one of the course has a score: with it the course's own is known (assumed).
// The status is the user's present one, so it counts only while it is about the event's completion.
func (c *Client) score(ctx context.Context, have training.Completion) (training.Score, error) {
	var answer struct {
		Completed rest.Text `json:"completed_on_timestamp"`
		Units     []struct {
			Score rest.Text `json:"score"`
		} `json:"units"`
	}
	_, err := c.api.Do(ctx, rest.Call{Operation: "look up status in course", Path: "/api/v1/getuserstatusincourse/course_id:{},user_id:{}",
		Args: []string{have.Course.ID, have.Learner.ID}}, &answer)
	if absent(err) {
		return training.Score{}, nil
	}
	if err != nil {
		return training.Score{}, err
	}
	at, ok := epoch(string(answer.Completed))
	if !ok || !at.Equal(have.CompletedAt) {
		return training.Score{}, nil
	}
	var scores []string
	for _, unit := range answer.Units {
		if unit.Score != "" && unit.Score != "-" {
			scores = append(scores, string(unit.Score))
		}
	}
	if len(scores) != 1 {
		return training.Score{}, nil
	}
	return rest.Score(scores[0], "100"), nil
}

// epoch reads whole seconds since 1970. A 0 stands for no time.
func epoch(digits string) (time.Time, bool) {
	const lastSecond = 253_402_300_799 // 9999-12-31T23:59:59Z
	seconds, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || seconds == 0 || seconds > lastSecond {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0).UTC(), true
}

// Check implements lmsapi.Client: the key. It opens everything that is read here.
func (c *Client) Check(ctx context.Context) error {
	var answer struct{}
	_, err := c.api.Do(ctx, rest.Call{Operation: "read site", Path: "/api/v1/siteinfo"}, &answer)
	return err
}
