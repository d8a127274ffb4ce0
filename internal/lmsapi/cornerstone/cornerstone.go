// Package cornerstone looks up what Cornerstone's Edge Webhooks lack (e-mail address, score, pass or fail), and lists
// completions, both by the Reporting API: views as OData 4 over the data warehouse, which follows the portal some
// minutes later.
//
// Documented by the vendor (csod.dev/guides/reporting): the views, 1,000 rows a page and @odata.nextLink, addresses of at
// most 2,083 characters, 400 calls a minute and 24,000 an hour for a view. Seen in several public clients: the token's
// request, the fields of transcript, user and training, and the form of filters. Seen in two forms, so that
// both are tried: the training's id, object_id and lo_object_id. Assumed: user_lo_comp_dt is the instant that the
// webhook states as trainingActionDateTimestamp, and transc_object_id its trainingId, letter for letter; a row that
// was removed from the transcript is none. Unknown: the score's scale, so that it is stated without one.
//
// A listed completion has the learner id, training id and instant that the webhook carries, and so its
// fingerprint. Names and titles are looked up when it is processed.
package cornerstone

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"countersign/internal/lmsapi"
	"countersign/internal/lmsapi/rest"
	"countersign/internal/training"
)

// Platform is the name of this platform in settings.
const Platform = "cornerstone"

// Manner is how Cornerstone's API behaves. An OAuth 2.0 application (Edge, API Management) with the scopes of the three
// views gives client_id and client_secret; the URL is that of the portal, https://{corp}.csod.com.
func Manner() rest.Manner {
	return rest.Manner{
		Platform: Platform, Needs: []rest.Key{rest.KeyClientID, rest.KeyClientSecret}, Fetch: fetch,
		// A tenth of it may go at once: 2,400 would be six times what a minute allows.
		PerHour: 3000, PerEndpoint: true,
	}
}

// fetch asks for a token with JSON in the vendor's own spelling, not with a form as RFC 6749 has it.
func fetch(ctx context.Context, c *rest.Client) (string, time.Duration, error) {
	var answer struct {
		AccessToken string  `json:"access_token"`
		ExpiresIn   float64 `json:"expires_in"`
	}
	_, err := c.Do(ctx, rest.Call{Operation: "get token", Path: "/services/api/oauth2/token", Open: true, Body: map[string]string{
		"clientId": c.Credential(rest.KeyClientID), "clientSecret": c.Credential(rest.KeyClientSecret),
		"grantType": "client_credentials", "scope": "all",
	}}, &answer)
	const year = 365 * 24 * 3600
	return answer.AccessToken, time.Duration(min(max(answer.ExpiresIn, 0), year)) * time.Second, err
}

// The views.
const (
	views      = "/services/api/x/odata/api/views/"
	transcript = views + "vw_rpt_transcript"
	users      = views + "vw_rpt_user"
	trainings  = views + "vw_rpt_training"
)

// What stands in a filter without quotes is checked first, so that nothing else gets into the filter.
var (
	userID = regexp.MustCompile(`^[0-9]{1,18}$`)
	guid   = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)
)

// Client is one source's access to its Cornerstone portal.
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

// rowsOf asks a view for the rows that the filter holds.
func rowsOf[T any](ctx context.Context, c *Client, operation, path, filter, fields string) ([]T, error) {
	var answer struct {
		Value *[]T `json:"value"`
	}
	_, err := c.api.Do(ctx, rest.Call{Operation: operation, Path: path, Query: url.Values{"$filter": {filter}, "$select": {fields}}}, &answer)
	if err == nil && answer.Value == nil {
		err = training.Fail(training.FailureMisread, operation, path, "answer holds no value")
	}
	if err != nil {
		return nil, err
	}
	return *answer.Value, nil
}

// Lookup implements lmsapi.Client. The user gives e-mail address, reference and names, the training its title and
// reference, the transcript the score.
func (c *Client) Lookup(ctx context.Context, have training.Completion) (lmsapi.Details, error) {
	ctx = rest.Together(ctx)
	var d lmsapi.Details
	knownUser, knownCourse := userID.MatchString(have.Learner.ID), guid.MatchString(have.Course.ID)
	l := have.Learner
	if knownUser && (l.Email == "" || l.ExternalID == "" || l.Username == "" || l.FirstName == "" || l.LastName == "") {
		if err := c.user(ctx, l, &d.Learner); err != nil {
			return lmsapi.Details{}, err
		}
	}
	if knownCourse && (have.Course.Title == "" || have.Course.Code == "") {
		if err := c.training(ctx, have.Course.ID, &d.Course); err != nil {
			return lmsapi.Details{}, err
		}
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

// user asks for the login only where the event does not have it: as a field of the view it was seen once, and a view
// answers a field that it does not know with 400.
func (c *Client) user(ctx context.Context, have training.Learner, into *training.Learner) error {
	type user struct {
		ID        rest.Text `json:"user_id"`
		Reference string    `json:"user_ref"`
		Login     string    `json:"user_login"`
		Email     string    `json:"user_email"`
		First     string    `json:"user_name_first"`
		Last      string    `json:"user_name_last"`
	}
	fields := "user_id,user_ref,user_email,user_name_first,user_name_last"
	if have.Username == "" {
		fields += ",user_login"
	}
	rows, err := rowsOf[user](ctx, c, "look up user", users, "user_id eq "+have.ID, fields)
	if err == nil && len(rows) == 1 {
		if err := rest.About("look up user", users, have.ID, rows[0].ID); err != nil {
			return err
		}
		r := rows[0]
		*into = training.Learner{ExternalID: r.Reference, Username: r.Login, Email: r.Email, FirstName: r.First, LastName: r.Last}
	}
	return err
}

func (c *Client) training(ctx context.Context, id string, into *training.Course) error {
	type learningObject struct {
		Title     string `json:"lo_title"`
		Reference string `json:"lo_ref"`
	}
	const operation, fields = "look up training", "lo_title,lo_ref"
	rows, err := rowsOf[learningObject](ctx, c, operation, trainings, "object_id eq "+id, fields)
	if unknownField(err) {
		rows, err = rowsOf[learningObject](ctx, c, operation, trainings, "lo_object_id eq "+id, fields)
	}
	if err == nil && len(rows) == 1 {
		*into = training.Course{Title: rows[0].Title, Code: rows[0].Reference}
	}
	return err
}

// unknownField reports a 400: the view does not have what the filter asks for.
func unknownField(err error) bool {
	failure, ok := errors.AsType[*training.Failure](err)
	return ok && failure.Class == training.FailureRefused && failure.Detail == strconv.Itoa(http.StatusBadRequest)
}

// Check implements lmsapi.Client: the token, and the right to read the three views.
func (c *Client) Check(ctx context.Context) error {
	for _, v := range []struct{ path, field string }{{transcript, "reg_num"}, {users, "user_id"}, {trainings, "lo_title"}} {
		var answer struct{}
		query := url.Values{"$top": {"1"}, "$select": {v.field}}
		if _, err := c.api.Do(ctx, rest.Call{Operation: "read view", Path: v.path, Query: query}, &answer); err != nil {
			return err
		}
	}
	return nil
}
