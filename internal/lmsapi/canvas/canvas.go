// Package canvas looks up what Canvas's live events lack, and lists its completions: events are best effort, and
// course_completed has been seen to stop while others went on.
//
// Documented by the vendor (canvas-lms doc/api, developerdocs.instructure.com): the calls, pages by the Link header, and
// a throttle by cost that answers 403 or 429 with "Rate Limit Exceeded". Assumed: the employee number is the SIS user id;
// a final_score of more than 100 (extra credit) is no score that a QMS takes.
//
// A listed completion has the local ids and the completed_at that course_completed carries, and so its fingerprint,
// except where the event carried no completed_at. Courses without modules have no completion.
package canvas

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strconv"

	"countersign/internal/lms"
	"countersign/internal/lmsapi"
	"countersign/internal/lmsapi/rest"
	"countersign/internal/training"
)

// Platform is the name of this platform in settings.
const Platform = "canvas"

// Manner is how Canvas's API behaves. The token is an access token of an administrator of the account; account is the
// account's id, "self" when empty.
func Manner() rest.Manner {
	return rest.Manner{
		Platform: Platform, Needs: []rest.Key{rest.KeyToken}, May: []rest.Key{rest.KeyAccount},
		Judge: throttled,
	}
}

// throttled tells a 403 for too many calls from one for permissions.
func throttled(status int, body []byte) (training.FailureClass, string) {
	if status == http.StatusForbidden && bytes.Contains(body, []byte("Rate Limit Exceeded")) {
		return training.FailureRateLimited, "rate limit exceeded"
	}
	return "", ""
}

// Client is one source's access to its Canvas.
type Client struct{ api *rest.Client }

var _ lmsapi.Lister = (*Client)(nil)

// New makes a client. It calls nobody.
func New(cfg rest.Config) (*Client, error) {
	api, err := rest.New(cfg, Manner())
	if err != nil {
		return nil, err
	}
	return &Client{api}, nil
}

// Lookup implements lmsapi.Client.
func (c *Client) Lookup(ctx context.Context, have training.Completion) (lmsapi.Details, error) {
	ctx = rest.Together(ctx)
	var d lmsapi.Details
	l, k := have.Learner, have.Course
	if l.ID != "" && (l.Username == "" || l.Email == "" || l.ExternalID == "" || l.FullName() == "") {
		learner, err := c.user(ctx, l.ID)
		if err != nil {
			return lmsapi.Details{}, err
		}
		d.Learner = learner
	}
	if k.ID != "" && (k.Title == "" || k.Code == "") {
		course, err := c.course(ctx, k.ID)
		if err != nil {
			return lmsapi.Details{}, err
		}
		d.Course = course
	}
	if l.ID == "" || k.ID == "" {
		return d, nil
	}
	if !have.Score.Known() {
		score, err := c.score(ctx, k.ID, l.ID)
		if err != nil {
			return lmsapi.Details{}, err
		}
		d.Score = score
	}
	if have.CompletedAtSource == "metadata.event_time" { // the event carried no completed_at
		err := c.instant(ctx, have, &d)
		return d, err
	}
	return d, nil
}

// get is a reading call; found is false where Canvas has no such thing.
func (c *Client) get(ctx context.Context, operation, path string, args []string, query url.Values, out any) (found bool, err error) {
	_, err = c.api.Do(ctx, rest.Call{Operation: operation, Path: path, Args: args, Query: query}, out)
	if rest.NotFound(err) {
		return false, nil
	}
	return err == nil, err
}

func (c *Client) user(ctx context.Context, id string) (training.Learner, error) {
	var user struct {
		ID    rest.Text `json:"id"`
		Name  string    `json:"name"`
		Email string    `json:"primary_email"`
		Login string    `json:"login_id"`
		SISID rest.Text `json:"sis_user_id"`
	}
	const operation, path = "look up user", "/api/v1/users/{}/profile"
	_, err := c.get(ctx, operation, path, []string{id}, nil, &user)
	if err == nil {
		err = rest.About(operation, path, local(id), user.ID) // "self" is whose token it is
	}
	if err != nil {
		return training.Learner{}, err
	}
	// The whole name stays in one piece, as the event's does.
	return training.Learner{Username: user.Login, Email: user.Email, ExternalID: string(user.SISID), FirstName: user.Name}, nil
}

// course gives the SIS id as the code, as events do, else Canvas's own code.
func (c *Client) course(ctx context.Context, id string) (training.Course, error) {
	var course courseJSON
	const operation, path = "look up course", "/api/v1/courses/{}"
	_, err := c.get(ctx, operation, path, []string{id}, nil, &course)
	if err == nil {
		err = rest.About(operation, path, local(id), course.ID)
	}
	if err != nil {
		return training.Course{}, err
	}
	return course.training(), nil
}

type courseJSON struct {
	ID    rest.Text `json:"id"`
	Name  string    `json:"name"`
	Code  string    `json:"course_code"`
	SISID rest.Text `json:"sis_course_id"`
}

func (k courseJSON) training() training.Course {
	code := string(k.SISID)
	if code == "" {
		code = k.Code
	}
	return training.Course{Title: k.Name, Code: code}
}

// local is an id as the account itself writes it: a global one is the shard's number times ten to the power of 13,
// and the local one.
func local(id string) string {
	const shard = 10_000_000_000_000
	if number, err := strconv.ParseUint(id, 10, 63); err == nil && number > shard {
		return strconv.FormatUint(number%shard, 10)
	}
	return id
}

// score is the final score of the student's enrollment, in percent.
func (c *Client) score(ctx context.Context, course, user string) (training.Score, error) {
	var enrollments []struct {
		User   rest.Text `json:"user_id"`
		Grades struct {
			Final rest.Text `json:"final_score"`
		} `json:"grades"`
	}
	_, err := c.get(ctx, "look up enrollment", "/api/v1/courses/{}/enrollments", []string{course}, url.Values{
		"user_id": {user}, "type[]": {"StudentEnrollment"}, "state[]": {"active", "completed", "inactive"},
	}, &enrollments)
	if err != nil {
		return training.Score{}, err
	}
	for _, e := range enrollments {
		if e.Grades.Final != "" && string(e.User) == local(user) {
			return rest.Score(string(e.Grades.Final), "100"), nil
		}
	}
	return training.Score{}, nil
}

// instant asks when the last requirement was met.
func (c *Client) instant(ctx context.Context, have training.Completion, d *lmsapi.Details) error {
	var progress progress
	if _, err := c.get(ctx, "look up progress", "/api/v1/courses/{}/users/{}/progress", []string{have.Course.ID, have.Learner.ID}, nil, &progress); err != nil {
		return err
	}
	// The event was sent afterwards: a later instant is that of another completion.
	if at, precision, err := lms.ParseInstant(progress.CompletedAt); err == nil && !at.After(have.CompletedAt) {
		d.CompletedAt, d.Precision = at, precision
	}
	return nil
}

type progress struct {
	CompletedAt string `json:"completed_at"`
}

// account is the account whose courses are listed.
func (c *Client) account() string {
	if account := c.api.Credential(rest.KeyAccount); account != "" {
		return account
	}
	return "self"
}

// Check implements lmsapi.Client: the token, and the right to list the account's courses.
func (c *Client) Check(ctx context.Context) error {
	var courses []courseJSON
	_, err := c.api.Do(ctx, rest.Call{Operation: "read courses", Path: coursesPath, Args: []string{c.account()}, Query: url.Values{"per_page": {"1"}}}, &courses)
	return err
}
