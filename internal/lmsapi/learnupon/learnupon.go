// Package learnupon looks up what LearnUpon's webhooks lack (version 2 has no names and no title), and lists completions.
//
// Documented by the vendor (docs.learnupon.com/api/): the calls, the fields, Basic with the portal's API keys, UTC
// dates, 500 rows a page and LU-Has-Next-Page. Seen in public clients: that there is no list of all enrollments, so that
// the courses are walked; answers under "user" and "users", "enrollment" and "enrollments" alike; a weekly
// limit beside the one of the minute. Unknown: which date date_from and date_to filter by, so that
// every enrollment of a course is read and the window is applied here; the numbers of both limits.
//
// A listed completion has the learner id, course id and completion date that the webhook carries, and so its
// fingerprint. API and version 1 state whole seconds; version 2 writes milliseconds, which are 000 in what
// was seen (assumed: always). A new version of a course has an id of its own, here as there.
package learnupon

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"

	"countersign/internal/lmsapi"
	"countersign/internal/lmsapi/rest"
	"countersign/internal/training"
)

// Platform is the name of this platform in settings.
const Platform = "learnupon"

// Manner is how LearnUpon's API behaves. The portal's API keys (Settings, Integrations, API Keys) are username and password;
// the URL is that of the portal, https://{portal}.learnupon.com.
func Manner() rest.Manner {
	return rest.Manner{
		Platform: Platform, Needs: []rest.Key{rest.KeyUsername, rest.KeyPassword}, ExternalIDField: true,
		PerHour: 3600, // public clients go at up to 5 a second, and the limit of the week is real
	}
}

// Client is one source's access to its LearnUpon portal.
type Client struct{ api *rest.Client }

var _ lmsapi.Lister = (*Client)(nil)

// New makes a client. It calls nobody.
func New(cfg rest.Config) (*Client, error) {
	manner := Manner()
	user, password := cfg.Credentials[rest.KeyUsername], cfg.Credentials[rest.KeyPassword]
	manner.Sign = func(r *http.Request, _ string) { r.SetBasicAuth(user, password) }
	api, err := rest.New(cfg, manner)
	if err != nil {
		return nil, err
	}
	return &Client{api}, nil
}

// id is how LearnUpon writes every id. Another text is one of an event that was mapped differently, and not asked for.
var id = regexp.MustCompile(`^[0-9]{1,18}$`)

// rows are one thing or several: single things come alone or as a list of one.
type rows[T any] []T

// UnmarshalJSON takes an object or an array of them.
func (r *rows[T]) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '{' {
		data = append(append([]byte{'['}, data...), ']')
	}
	return json.Unmarshal(data, (*[]T)(r))
}

// Lookup implements lmsapi.Client. The enrollment gives names, title, score and expiry, the course its reference code,
// the user's custom data the external id where one is configured.
func (c *Client) Lookup(ctx context.Context, have training.Completion) (lmsapi.Details, error) {
	ctx = rest.Together(ctx)
	var d lmsapi.Details
	l := have.Learner
	if l.Email == "" || l.FirstName == "" || l.LastName == "" || have.EnrollmentID == "" || have.Course.Title == "" || !have.Score.Known() {
		e, ok, err := c.enrollment(ctx, have)
		if err != nil {
			return lmsapi.Details{}, err
		}
		if ok {
			d = e.details(have)
		}
	}
	if have.Course.Code == "" && id.MatchString(have.Course.ID) {
		code, err := c.courseCode(ctx, have.Course.ID)
		if err != nil {
			return lmsapi.Details{}, err
		}
		d.Course.Code = code
	}
	if l.ExternalID == "" && c.api.ExternalIDField() != "" && id.MatchString(l.ID) {
		external, err := c.customData(ctx, l.ID)
		if err != nil {
			return lmsapi.Details{}, err
		}
		d.Learner.ExternalID = external
	}
	return d, nil
}

// enrollment is the one that the event names, else the learner's only one in the course that was completed when the
// event says. One of another learner or course is none.
func (c *Client) enrollment(ctx context.Context, have training.Completion) (enrollment, bool, error) {
	if !id.MatchString(have.Learner.ID) || !id.MatchString(have.Course.ID) {
		return enrollment{}, false, nil
	}
	call := rest.Call{Operation: "look up enrollment", Path: "/api/v1/enrollments/{}", Args: []string{have.EnrollmentID}}
	if !id.MatchString(have.EnrollmentID) {
		call.Path, call.Args, call.Query = search, nil, url.Values{"user_id": {have.Learner.ID}}
	}
	var answer struct {
		Several rows[enrollment] `json:"enrollments"`
		One     rows[enrollment] `json:"enrollment"`
	}
	_, err := c.api.Do(ctx, call, &answer)
	if rest.NotFound(err) {
		return enrollment{}, false, nil
	}
	if err != nil {
		return enrollment{}, false, err
	}
	var found []enrollment
	for _, e := range append(answer.Several, answer.One...) {
		if string(e.UserID) == have.Learner.ID && string(e.CourseID) == have.Course.ID && (call.Query == nil || e.completedAt(have.CompletedAt)) {
			found = append(found, e)
		}
	}
	if len(found) != 1 {
		return enrollment{}, false, nil
	}
	return found[0], true, nil
}

// courseCode is the reference code of a course of whatever version.
func (c *Client) courseCode(ctx context.Context, course string) (string, error) {
	var answer struct {
		Courses rows[struct {
			ID   rest.Text `json:"id"`
			Code rest.Text `json:"reference_code"`
		}] `json:"courses"`
	}
	query := everyVersion()
	query.Set("course_id", course)
	_, err := c.api.Do(ctx, rest.Call{Operation: "look up course", Path: courses, Query: query}, &answer)
	if rest.NotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	for _, found := range answer.Courses {
		if string(found.ID) == course {
			return string(found.Code), nil
		}
	}
	return "", nil
}

// customData is the configured field of the user's custom data.
func (c *Client) customData(ctx context.Context, user string) (string, error) {
	var answer struct {
		One rows[struct {
			ID     rest.Text      `json:"id"`
			Custom map[string]any `json:"CustomData"`
		}] `json:"user"`
	}
	_, err := c.api.Do(ctx, rest.Call{Operation: "look up user", Path: "/api/v1/users/{}", Args: []string{user}}, &answer)
	if rest.NotFound(err) {
		return "", nil
	}
	if err != nil || len(answer.One) != 1 || string(answer.One[0].ID) != user {
		return "", err
	}
	switch value := answer.One[0].Custom[c.api.ExternalIDField()].(type) {
	case string:
		return value, nil
	case json.Number:
		return value.String(), nil
	default:
		return "", nil
	}
}

// Check implements lmsapi.Client: the keys, and the right to read courses.
func (c *Client) Check(ctx context.Context) error {
	var answer struct{}
	_, err := c.api.Do(ctx, rest.Call{Operation: "read courses", Path: courses}, &answer)
	return err
}
