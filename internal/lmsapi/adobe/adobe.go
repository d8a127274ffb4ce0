// Package adobe looks up what the webhooks of Adobe Learning Manager lack (e-mail address, names, title, score, and since August
// 2026 the seconds), and lists completions.
//
// Documented by the vendor (experienceleague.adobe.com, developer manual, API rate limits): the refresh token for an
// access token of seven days, "Authorization: oauth …", application/vnd.api+json, include, page[limit] and links.next, GET
// /enrollments/{id} with its id of instance and user, GET /users/{id}/enrollments, 500 calls an hour for an administrator's
// users and learning objects. Seen in the vendor's reference site: the attributes and relationships; a score is quiz
// points, whose maximum stands in loResourceGrades. Assumed: the 500 are counted per endpoint; a page holds 10, as in
// every sample; from 1 August 2026 the webhook's seconds are cut off, not rounded.
//
// There is no list of completions by date: the users are walked, each with his enrollments, which costs at least one
// call per user. The job that exports the learner transcript is named nowhere that we know of.
//
// A listed completion has the learner id, learning object id and instant that the webhook carries (without seconds
// where the webhook has none), and so its fingerprint; it belongs to the window that holds the true instant.
package adobe

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"countersign/internal/lmsapi"
	"countersign/internal/lmsapi/rest"
	"countersign/internal/training"
)

// Platform is the name of this platform in settings.
const Platform = "adobe-learning-manager"

// Manner is how the API behaves. An application of the integration administrator's with the scope admin:read gives client_id and
// client_secret, and its first authorization refresh_token; the URL is https://learningmanager.adobe.com or the region's.
func Manner() rest.Manner {
	return rest.Manner{
		Platform: Platform, Needs: []rest.Key{rest.KeyClientID, rest.KeyClientSecret, rest.KeyRefreshToken},
		PerHour: 500, PerEndpoint: true, Fetch: fetch,
		Sign: func(r *http.Request, token string) {
			r.Header.Set("Authorization", "oauth "+token)
			r.Header.Set("Accept", "application/vnd.api+json") // 406 without
		},
	}
}

// fetch trades the refresh token for an access token. While one lives, the same one comes again; the vendor wants to be
// asked each day.
func fetch(ctx context.Context, c *rest.Client) (string, time.Duration, error) {
	token, life, err := c.OAuth(ctx, "/oauth/token/refresh", url.Values{
		"client_id": {c.Credential(rest.KeyClientID)}, "client_secret": {c.Credential(rest.KeyClientSecret)},
		"refresh_token": {c.Credential(rest.KeyRefreshToken)},
	})
	return token, min(life, 24*time.Hour), err
}

// The paths.
const (
	api            = "/primeapi/v2"
	users          = api + "/users"
	userByID       = api + "/users/{}"
	enrollmentByID = api + "/enrollments/{}"
	objectByID     = api + "/learningObjects/{}"
)

// Ids as Adobe writes them. Another text is one of an event that was mapped differently, and not asked for.
var (
	userID       = regexp.MustCompile(`^[0-9]{1,18}$`)
	objectID     = regexp.MustCompile(`^[A-Za-z]{1,40}:[0-9]{1,18}$`)
	enrollmentID = regexp.MustCompile(`^[A-Za-z]{1,40}:[0-9]{1,18}_[0-9]{1,18}_[0-9]{1,18}$`)
)

// Client is one source's access to its Adobe Learning Manager.
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

// get reads one resource, ok is false where there is none.
func (c *Client) get(ctx context.Context, operation, path, id string, query url.Values) (doc document, ok bool, err error) {
	_, err = c.api.Do(ctx, rest.Call{Operation: operation, Path: path, Args: []string{id}, Query: query}, &doc)
	if rest.NotFound(err) {
		return document{}, false, nil
	}
	if err == nil && doc.Data.ID == "" {
		err = training.Fail(training.FailureMisread, operation, path, "answer holds no data")
	}
	if err == nil {
		err = rest.About(operation, path, id, doc.Data.ID)
	}
	return doc, err == nil, err
}

// Lookup implements lmsapi.Client. The enrollment brings everything in one call; what it did not include is asked for alone.
func (c *Client) Lookup(ctx context.Context, have training.Completion) (lmsapi.Details, error) {
	ctx = rest.Together(ctx)
	var d lmsapi.Details
	l := have.Learner
	lacksLearner := userID.MatchString(l.ID) && (l.Email == "" || l.ExternalID == "" || l.FirstName == "")
	lacksCourse := objectID.MatchString(have.Course.ID) && (have.Course.Title == "" || have.Course.Code == "")
	var doc document
	if lacksLearner || lacksCourse || !have.Score.Known() || cut(have.CompletedAt) {
		found, ok, err := c.enrollment(ctx, have)
		if err != nil {
			return lmsapi.Details{}, err
		}
		if ok {
			doc = found
			d = doc.details(have)
		}
	}
	if lacksLearner {
		learner, ok := doc.included("user", l.ID)
		if !ok {
			alone, _, err := c.get(ctx, "look up user", userByID, l.ID, nil)
			if err != nil {
				return lmsapi.Details{}, err
			}
			learner = alone.Data
		}
		d.Learner = learner.learner(l)
	}
	if lacksCourse {
		object, ok := doc.included("learningObject", have.Course.ID)
		if !ok {
			alone, _, err := c.get(ctx, "look up learning object", objectByID, have.Course.ID, nil)
			if err != nil {
				return lmsapi.Details{}, err
			}
			object = alone.Data
		}
		d.Course = object.course()
	}
	return d, nil
}

// enrollment is the one that the event names. One of another learner or learning object is none.
func (c *Client) enrollment(ctx context.Context, have training.Completion) (document, bool, error) {
	if !enrollmentID.MatchString(have.EnrollmentID) || !strings.HasSuffix(have.EnrollmentID, "_"+have.Learner.ID) ||
		!strings.HasPrefix(have.EnrollmentID, have.Course.ID+"_") {
		return document{}, false, nil
	}
	return c.get(ctx, "look up enrollment", enrollmentByID, have.EnrollmentID, url.Values{"include": {"learner,learningObject,loResourceGrades"}})
}

// Check implements lmsapi.Client: the token, and the right to read users and learning objects.
func (c *Client) Check(ctx context.Context) error {
	for _, path := range []string{users, api + "/learningObjects"} {
		var doc struct {
			Data *[]resource `json:"data"`
		}
		_, err := c.api.Do(ctx, rest.Call{Operation: "read resources", Path: path, Query: url.Values{"page[limit]": {"1"}}}, &doc)
		if err == nil && doc.Data == nil {
			err = training.Fail(training.FailureMisread, "read resources", path, "answer holds no data")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// secondsCut is when the webhook began to cut off the seconds (documented: August 2026; assumed: its first day).
var secondsCut = time.Date(2026, time.August, 1, 0, 0, 0, 0, time.UTC)

// cut reports whether the webhook stated this instant without its seconds.
func cut(at time.Time) bool {
	return !at.Before(secondsCut) && at.Equal(at.Truncate(time.Minute))
}

// asSent is the true instant as the webhook states it.
func asSent(at time.Time) time.Time {
	if at.Before(secondsCut) {
		return at
	}
	return at.Truncate(time.Minute)
}

var errNoDate = errors.New("dateCompleted: want an RFC 3339 date-time")
