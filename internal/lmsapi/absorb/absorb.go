// Package absorb looks up what Absorb's webhooks lack, and lists its completions. Nobody has published a body of a
// webhook, so the look-up is what can be relied on.
//
// Documented by the vendor (docs.myabsorb.com/integration-api/v2): the headers x-api-key and x-api-version, that a new
// token ends the old one, so that this needs an account of its own, pages by _limit and _offset, the status numbers. Seen
// in reference clients: the token as bearer, that _offset counts pages, the names of fields, 200 calls per second. Assumed:
// private key and API key are one, as in those clients; the employee number is employeeNumber, else externalId
// (external_id_field chooses one).
//
// A listed completion has the user id, course id and dateCompleted that the webhook carries, and so its fingerprint. The
// API shows no sessions of instructor-led courses.
package absorb

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"countersign/internal/lms"
	"countersign/internal/lmsapi"
	"countersign/internal/lmsapi/rest"
	"countersign/internal/training"
)

// Platform is the name of this platform in settings.
const Platform = "absorb"

const (
	// tokenLife is what the vendor documents.
	tokenLife = 4 * time.Hour

	complete = 3
	failed   = 5
)

// Manner is how Absorb's API behaves. The URL is the region's, e.g. https://rest.myabsorb.eu.
func Manner() rest.Manner {
	return rest.Manner{
		Platform: Platform, Needs: []rest.Key{rest.KeyUsername, rest.KeyPassword, rest.KeyAPIKey}, ExternalIDField: true, Fetch: fetch,
	}
}

// header goes with every call.
func header(c *rest.Client) http.Header {
	return http.Header{"X-Api-Key": {c.Credential(rest.KeyAPIKey)}, "X-Api-Version": {"2"}}
}

func fetch(ctx context.Context, c *rest.Client) (string, time.Duration, error) {
	var token string
	_, err := c.Do(ctx, rest.Call{
		Operation: "get token", Path: "/authenticate", Open: true, Header: header(c),
		Body: map[string]string{
			"username": c.Credential(rest.KeyUsername), "password": c.Credential(rest.KeyPassword), "privateKey": c.Credential(rest.KeyAPIKey),
		},
	}, &token)
	return token, tokenLife, err
}

// Client is one source's access to its Absorb.
type Client struct{ api *rest.Client }

var _ lmsapi.Lister = (*Client)(nil)

// New makes a client. It calls nobody.
func New(cfg rest.Config) (*Client, error) {
	switch cfg.ExternalIDField {
	case "", "employeeNumber", "externalId", "referenceNumber":
	default:
		return nil, fmt.Errorf("%s api: external_id_field must be employeeNumber, externalId or referenceNumber", Platform)
	}
	api, err := rest.New(cfg, Manner())
	if err != nil {
		return nil, err
	}
	return &Client{api}, nil
}

// get is a reading call.
func (c *Client) get(ctx context.Context, operation, path string, args []string, query url.Values, out any) error {
	_, err := c.api.Do(ctx, rest.Call{Operation: operation, Path: path, Args: args, Query: query, Header: header(c.api)}, out)
	return err
}

// Lookup implements lmsapi.Client. The user gives e-mail, names and employee number, the enrollment score, expiry and its id.
// A course has no code.
func (c *Client) Lookup(ctx context.Context, have training.Completion) (lmsapi.Details, error) {
	ctx = rest.Together(ctx)
	var d lmsapi.Details
	l := have.Learner
	if l.ID != "" && (l.Username == "" || l.Email == "" || l.ExternalID == "" || l.FullName() == "") {
		learner, err := c.user(ctx, l.ID)
		if err != nil {
			return lmsapi.Details{}, err
		}
		d.Learner = learner
	}
	if l.ID == "" || have.Course.ID == "" || (have.Course.Title != "" && have.EnrollmentID != "" && have.Score.Known() && have.ExpiresAt != nil) {
		return d, nil
	}
	const operation, path = "look up enrollment", "/users/{}/enrollments/{}"
	var e enrollment
	err := c.get(ctx, operation, path, []string{l.ID, have.Course.ID}, nil, &e)
	if rest.NotFound(err) {
		return d, nil
	}
	if err != nil {
		return lmsapi.Details{}, err
	}
	if err := errors.Join(rest.About(operation, path, l.ID, e.UserID), rest.About(operation, path, have.Course.ID, e.CourseID)); err != nil {
		return lmsapi.Details{}, err
	}
	d.Course.Title, d.EnrollmentID = e.CourseName, e.ID
	if finished, _, err := lms.ParseInstant(e.Completed); err != nil || !rest.Near(finished, have.CompletedAt) {
		return d, nil // enrolled anew: result and expiry are those of another completion
	}
	d.Score = e.score()
	if at, _, err := lms.ParseInstant(e.Expires); err == nil && at.Year() > 1970 {
		d.ExpiresAt = &at
	}
	return d, nil
}

func (c *Client) user(ctx context.Context, id string) (training.Learner, error) {
	var user struct {
		ID              string `json:"id"`
		Username        string `json:"username"`
		Email           string `json:"emailAddress"`
		FirstName       string `json:"firstName"`
		LastName        string `json:"lastName"`
		EmployeeNumber  string `json:"employeeNumber"`
		ExternalID      string `json:"externalId"`
		ReferenceNumber string `json:"referenceNumber"`
	}
	err := c.get(ctx, "look up user", "/users/{}", []string{id}, nil, &user)
	if rest.NotFound(err) {
		return training.Learner{}, nil
	}
	if err == nil {
		err = rest.About("look up user", "/users/{}", id, user.ID)
	}
	number := user.EmployeeNumber
	switch c.api.ExternalIDField() {
	case "externalId":
		number = user.ExternalID
	case "referenceNumber":
		number = user.ReferenceNumber
	case "":
		if number == "" {
			number = user.ExternalID
		}
	}
	if err != nil {
		return training.Learner{}, err
	}
	return training.Learner{Username: user.Username, Email: user.Email, ExternalID: number, FirstName: user.FirstName, LastName: user.LastName}, nil
}

// Check implements lmsapi.Client: the token, and the right to read users, courses and enrollments.
func (c *Client) Check(ctx context.Context) error {
	one := url.Values{"_limit": {"1"}}
	if err := c.get(ctx, "read users", "/users", nil, one, nil); err != nil {
		return err
	}
	var courses struct{ Courses []course }
	if err := c.get(ctx, "read courses", "/courses", nil, one, &courses); err != nil {
		return err
	}
	if len(courses.Courses) == 0 {
		return nil
	}
	return c.get(ctx, "read enrollments", "/courses/{}/enrollments", []string{courses.Courses[0].ID}, one, nil)
}

// enrollment is an enrollment as Absorb shows it.
type enrollment struct {
	ID         string    `json:"id"`
	UserID     string    `json:"userId"`
	CourseID   string    `json:"courseId"`
	CourseName string    `json:"courseName"`
	Status     int       `json:"status"`
	Score      rest.Text `json:"score"`
	Completed  string    `json:"dateCompleted"`
	Expires    string    `json:"dateExpires"`
}

// score is on the scale to 100. "Complete" alone does not say that anybody passed; "failed" says who did not.
func (e enrollment) score() training.Score {
	s := training.Score{}
	if e.Score != "" {
		s = rest.Score(string(e.Score), "100")
	}
	if e.Status == failed {
		passed := false
		s.Passed = &passed
	}
	return s
}

type course struct {
	ID string `json:"id"`
}
