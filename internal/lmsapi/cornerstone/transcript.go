package cornerstone

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"time"

	"countersign/internal/lms"
	"countersign/internal/lmsapi"
	"countersign/internal/lmsapi/rest"
	"countersign/internal/training"
)

const rowFields = "transc_user_id,transc_object_id,reg_num,user_lo_comp_dt,user_lo_score,user_lo_pass,is_removed"

// row is one registration of a user for a training.
type row struct {
	UserID    rest.Text `json:"transc_user_id"`
	ObjectID  string    `json:"transc_object_id"`
	Completed string    `json:"user_lo_comp_dt"`
	Score     rest.Text `json:"user_lo_score"`
	Pass      flag      `json:"user_lo_pass"`
	Removed   flag      `json:"is_removed"`
}

// flag is a truth that some portals write as 0 and 1 (seen in public clients); nil for null.
type flag struct{ truth *bool }

// UnmarshalJSON takes a truth, 0, 1 or null.
func (f *flag) UnmarshalJSON(data []byte) error {
	switch string(data) {
	case "null":
		return nil
	case "0", "1":
		truth := string(data) == "1"
		f.truth = &truth
		return nil
	}
	return json.Unmarshal(data, &f.truth)
}

func (f flag) holds() bool { return f.truth != nil && *f.truth }

// score is the result as the transcript states it. A false beside no score says nothing: a training without a test has
// nothing to pass (assumed).
func (r row) score() training.Score {
	s := rest.Score(string(r.Score), "")
	if r.Pass.holds() || s.Known() {
		s.Passed = r.Pass.truth
	}
	return s
}

// nearness is how far the transcript's instant may lie from the event's, where there is only one it can be.
const nearness = 24 * time.Hour

// score is that of the registration the event is about: the one that was completed at the same second, or the only one
// that was completed within a day of it. A registration number would say it, but the completion does not keep it.
func (c *Client) score(ctx context.Context, have training.Completion) (training.Score, error) {
	filter := "transc_user_id eq " + have.Learner.ID + " and transc_object_id eq " + have.Course.ID
	rows, err := rowsOf[row](ctx, c, "look up transcript", transcript, filter, rowFields)
	if err != nil {
		return training.Score{}, err
	}
	var near []row
	for _, r := range rows {
		at, precision, err := lms.ParseInstant(r.Completed)
		if err := errors.Join(rest.About("look up transcript", transcript, have.Learner.ID, r.UserID),
			rest.About("look up transcript", transcript, have.Course.ID, r.ObjectID)); err != nil {
			return training.Score{}, err
		}
		if err != nil || r.Removed.holds() {
			continue
		}
		if precision == have.Precision && at.Truncate(time.Second).Equal(have.CompletedAt.Truncate(time.Second)) {
			return r.score(), nil
		}
		if at.Sub(have.CompletedAt).Abs() < nearness {
			near = append(near, r)
		}
	}
	if len(near) != 1 {
		return training.Score{}, nil
	}
	return near[0].score(), nil
}

// Completions implements lmsapi.Lister. A cursor is the query of the vendor's link to the next page.
func (c *Client) Completions(ctx context.Context, w lmsapi.Window, cursor string) (lmsapi.Page, error) {
	const operation = "list completions"
	query := openingQuery(w)
	if cursor != "" {
		resumed, err := decodeCursor(cursor)
		if err != nil {
			return lmsapi.Page{}, training.Fail(training.FailureDefect, operation, "", err.Error())
		}
		query = resumed
	}
	var answer struct {
		Value *[]row `json:"value"`
		Next  string `json:"@odata.nextLink"`
	}
	_, err := c.api.Do(ctx, rest.Call{Operation: operation, Path: transcript, Query: query}, &answer)
	if err == nil && answer.Value == nil { // nothing would look like a portal without completions
		err = training.Fail(training.FailureMisread, operation, transcript, "answer holds no value")
	}
	if err != nil {
		return lmsapi.Page{}, err
	}
	var page lmsapi.Page
	for _, r := range *answer.Value {
		if r.Removed.holds() {
			continue
		}
		completion, err := r.completion()
		switch {
		case err != nil:
			page.Unreadable = append(page.Unreadable, err.Error())
		case w.Holds(completion.CompletedAt):
			page.Completions = append(page.Completions, completion)
		}
	}
	if answer.Next != "" {
		if page.Next, err = nextCursor(answer.Next, query); err != nil {
			return lmsapi.Page{}, training.Fail(training.FailureMisread, operation, transcript, err.Error())
		}
	}
	return page, nil
}

// openingQuery asks for the rows of the window in the form of dates that the vendor documents.
func openingQuery(w lmsapi.Window) url.Values {
	instant := func(t time.Time) string {
		return "cast('" + t.UTC().Format("2006-01-02T15:04:05.000Z") + "', Edm.DateTimeOffset)"
	}
	return url.Values{
		"$filter": {"user_lo_comp_dt ge " + instant(w.From) + " and user_lo_comp_dt lt " + instant(w.To)},
		"$select": {rowFields},
	}
}

// nextCursor keeps the query of a link and drops where it leads: a token goes to the configured host and to this view
// only. One that leads to the page it stands on would be followed for ever.
func nextCursor(link string, current url.Values) (string, error) {
	u, err := url.Parse(link)
	if err != nil || u.RawQuery == "" {
		return "", errors.New("@odata.nextLink is no link with a query")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil || !leadsOn(query) || query.Encode() == current.Encode() {
		return "", errors.New("@odata.nextLink does not lead on")
	}
	return base64.RawURLEncoding.EncodeToString([]byte(query.Encode())), nil
}

// leadsOn tells a query that still knows what was asked for, itself or by a token, from one for the whole view.
func leadsOn(query url.Values) bool { return query.Has("$filter") || query.Has("$skiptoken") }

func decodeCursor(cursor string) (url.Values, error) {
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		var query url.Values
		if query, err = url.ParseQuery(string(raw)); err == nil && leadsOn(query) {
			return query, nil
		}
	}
	return nil, errors.New("cursor is not one of ours")
}

// completion reads the row as the webhook states it.
func (r row) completion() (training.Completion, error) {
	at, precision, err := lms.ParseInstant(r.Completed)
	if err != nil {
		return training.Completion{}, errors.New("user_lo_comp_dt: " + err.Error())
	}
	c := training.Completion{
		Platform: Platform, Learner: training.Learner{ID: string(r.UserID)}, Course: training.Course{ID: r.ObjectID},
		CompletedAt: at, Precision: precision, CompletedAtSource: "user_lo_comp_dt", Score: r.score(),
	}
	return c, c.Validate()
}
