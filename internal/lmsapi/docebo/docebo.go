// Package docebo looks up what Docebo's webhooks lack, and lists its completions (R145): Docebo sends each event once at
// best, late under load, so that listing is what nothing gets lost by.
//
// Seen in several reference clients: the token endpoint, the calls' paths and parameters, the names of their fields.
// Assumed, as the webhook's adapter does: dates are UTC. Documented: 1,000 calls per hour, per endpoint and
// address (R146). Unknown: a filter by completion date; every page of completed enrollments is read and
// filtered here.
//
// A listed completion has the learner id, course id and completion date that the webhook carries, and so its
// fingerprint.
package docebo

import (
	"context"
	"net/url"
	"strings"
	"time"

	"countersign/internal/lmsapi"
	"countersign/internal/lmsapi/rest"
	"countersign/internal/training"
)

// Platform is the name of this platform in settings.
const Platform = "docebo"

// Manner is how Docebo's API behaves. An app of the superadmin's (Admin, API and SSO) gives client_id and
// client_secret; with username and password the calls are made in that user's name.
func Manner() rest.Manner {
	return rest.Manner{
		Platform: Platform, Needs: []rest.Key{rest.KeyClientID, rest.KeyClientSecret}, May: []rest.Key{rest.KeyUsername, rest.KeyPassword},
		ExternalIDField: true, PerHour: 1000, PerEndpoint: true, Fetch: fetch,
	}
}

func fetch(ctx context.Context, c *rest.Client) (string, time.Duration, error) {
	form := url.Values{
		"grant_type": {"client_credentials"}, "scope": {"api"},
		"client_id": {c.Credential(rest.KeyClientID)}, "client_secret": {c.Credential(rest.KeyClientSecret)},
	}
	if user := c.Credential(rest.KeyUsername); user != "" {
		form.Set("grant_type", "password")
		form.Set("username", user)
		form.Set("password", c.Credential(rest.KeyPassword))
	}
	return c.OAuth(ctx, "/oauth2/token", form)
}

// Client is one source's access to its Docebo.
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

// Lookup implements lmsapi.Client. The user gives e-mail, names and employee number; the enrollment gives the
// course's code and the score with its scale.
func (c *Client) Lookup(ctx context.Context, have training.Completion) (lmsapi.Details, error) {
	ctx = rest.Together(ctx)
	var d lmsapi.Details
	learner := have.Learner
	lacksNumber := learner.ExternalID == "" && c.api.ExternalIDField() != ""
	if learner.ID != "" && (learner.Email == "" || learner.Username == "" || learner.FullName() == "" || lacksNumber) {
		if err := c.user(ctx, learner.ID, &d); err != nil {
			return lmsapi.Details{}, err
		}
	}
	if learner.ID != "" && have.Course.ID != "" && (have.Course.Title == "" || have.Course.Code == "" || !have.Score.Known()) {
		if err := c.enrollment(ctx, have, &d); err != nil {
			return lmsapi.Details{}, err
		}
	}
	return d, nil
}

// user is GET /manage/v1/user/{id}.
func (c *Client) user(ctx context.Context, id string, d *lmsapi.Details) error {
	var answer struct {
		Data struct {
			User struct {
				ID        rest.Text `json:"user_id"`
				Username  string    `json:"username"`
				Email     string    `json:"email"`
				FirstName string    `json:"first_name"`
				LastName  string    `json:"last_name"`
			} `json:"user_data"`
			Fields []struct {
				ID    rest.Text `json:"id"`
				Title string    `json:"title"`
				Value any       `json:"value"`
			} `json:"additional_fields"`
		} `json:"data"`
	}
	const operation, path = "look up user", "/manage/v1/user/{}"
	_, err := c.api.Do(ctx, rest.Call{Operation: operation, Path: path, Args: []string{id}}, &answer)
	if rest.NotFound(err) {
		return nil
	}
	if err == nil {
		err = rest.About(operation, path, id, answer.Data.User.ID)
	}
	if err != nil {
		return err
	}
	user := answer.Data.User
	d.Learner.Username, d.Learner.Email = strings.TrimPrefix(user.Username, "/"), user.Email
	d.Learner.FirstName, d.Learner.LastName = user.FirstName, user.LastName
	for _, field := range answer.Data.Fields {
		value, isText := field.Value.(string)
		wanted := c.api.ExternalIDField()
		if isText && wanted != "" && (field.Title == wanted || string(field.ID) == wanted) {
			d.Learner.ExternalID = value
		}
	}
	return nil
}

// enrollment is GET /learn/v1/enrollments/{course}/{user}.
func (c *Client) enrollment(ctx context.Context, have training.Completion, d *lmsapi.Details) error {
	var answer struct {
		Data struct {
			Records struct {
				Name  string    `json:"name"`
				Code  rest.Text `json:"code"`
				Given rest.Text `json:"score_given"`
				Total rest.Text `json:"score_total"`
				Date  string    `json:"date_complete"`
			} `json:"records"`
		} `json:"data"`
	}
	_, err := c.api.Do(ctx, rest.Call{Operation: "look up enrollment", Path: "/learn/v1/enrollments/{}/{}",
		Args: []string{have.Course.ID, have.Learner.ID}}, &answer)
	if rest.NotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	record := answer.Data.Records
	d.Course.Title, d.Course.Code = record.Name, string(record.Code)
	if at, err := instant(record.Date); err == nil && !rest.Near(at, have.CompletedAt) {
		return nil // enrolled anew: the score is that of another completion
	}
	d.Score = rest.Score(string(record.Given), string(record.Total))
	return nil
}

// Check implements lmsapi.Client: the token, and the right to read enrollments and users.
func (c *Client) Check(ctx context.Context) error {
	if _, err := c.api.Do(ctx, rest.Call{Operation: "read enrollments", Path: enrollments, Query: url.Values{"page_size": {"1"}}}, nil); err != nil {
		return err
	}
	_, err := c.api.Do(ctx, rest.Call{Operation: "read users", Path: "/manage/v1/user", Query: url.Values{"page_size": {"1"}}}, nil)
	return err
}
