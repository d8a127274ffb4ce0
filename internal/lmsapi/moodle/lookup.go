package moodle

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"countersign/internal/lmsapi"
	"countersign/internal/lmsapi/rest"
	"countersign/internal/training"
)

// Lookup implements lmsapi.Client. The completion's state is asked for every time, because an event never states when
// the learner finished.
func (c *Client) Lookup(ctx context.Context, have training.Completion) (lmsapi.Details, error) {
	ctx = rest.Together(ctx)
	var d lmsapi.Details
	l := have.Learner
	if l.ID == "" || l.Username == "" || l.Email == "" || l.ExternalID == "" || l.FullName() == "" {
		learner, err := c.user(ctx, l)
		if err != nil {
			return lmsapi.Details{}, err
		}
		d.Learner = learner
	}
	if have.Course.ID != "" && (have.Course.Title == "" || have.Course.Code == "") {
		found, err := c.course(ctx, have.Course.ID)
		if err != nil {
			return lmsapi.Details{}, err
		}
		d.Course = found
	}
	learnerID := l.ID
	if learnerID == "" {
		learnerID = d.Learner.ID
	}
	if learnerID == "" || have.Course.ID == "" || have.CompletedAt.IsZero() {
		return d, nil
	}
	state, err := c.state(ctx, have.Course.ID, learnerID)
	if err != nil {
		return lmsapi.Details{}, err
	}
	if state.found && !state.completed && c.api.Now().Sub(have.CompletedAt) < commitTime {
		return lmsapi.Details{}, training.Fail(training.FailureUnreachable, "look up completion", path, "Moodle does not show the completion yet")
	}
	if state.at.After(have.CompletedAt) {
		return d, nil // Moodle notices afterwards: this is of a later completion, or of what was done beside it since
	}
	if state.completed && !state.at.IsZero() {
		d.CompletedAt, d.Precision = state.at, training.PrecisionMillisecond
	}
	if have.Score.Known() {
		return d, nil
	}
	if d.Score, err = c.grade(ctx, have.Course.ID, learnerID); err != nil {
		return lmsapi.Details{}, err
	}
	if state.graded {
		passed := true
		d.Score.Passed = &passed
	}
	return d, nil
}

// user finds a person by whatever the event says of them.
func (c *Client) user(ctx context.Context, l training.Learner) (training.Learner, error) {
	field, value := "id", l.ID
	for _, other := range []struct{ field, value string }{{"idnumber", l.ExternalID}, {"username", l.Username}, {"email", l.Email}} {
		if value == "" {
			field, value = other.field, other.value
		}
	}
	if value == "" {
		return training.Learner{}, nil
	}
	var users []user
	err := c.call(ctx, "look up user", usersByField, url.Values{"field": {field}, "values[0]": {value}}, &users)
	if absent(err) || err == nil && len(users) != 1 { // two people with one e-mail address are nobody
		return training.Learner{}, nil
	}
	if err != nil {
		return training.Learner{}, err
	}
	found := users[0].learner()
	same := false // Moodle's database may take "ä" for "a"
	switch field {
	case "id":
		return found, rest.About("look up user", path, value, found.ID) // Moodle reads "12b" as 12
	case "idnumber":
		same = found.ExternalID == value
	case "username":
		same = strings.EqualFold(found.Username, value)
	case "email":
		same = strings.EqualFold(found.Email, value)
	}
	if !same {
		return training.Learner{}, nil
	}
	return found, nil
}

func (c *Client) course(ctx context.Context, id string) (training.Course, error) {
	var answer struct {
		Courses []course `json:"courses"`
	}
	err := c.call(ctx, "look up course", coursesByField, url.Values{"field": {"id"}, "value": {id}}, &answer)
	if absent(err) || err == nil && len(answer.Courses) != 1 {
		return training.Course{}, nil
	}
	if err != nil {
		return training.Course{}, err
	}
	found := answer.Courses[0].training()
	return found, rest.About("look up course", path, id, found.ID)
}

// state is how far a learner got.
type state struct {
	found     bool // the learner is enrolled, and the course has criteria
	criteria  bool
	completed bool
	graded    bool // a required grade was reached
	at        time.Time
}

// state asks for the criteria. Moodle says no date of the whole; it computes it as the latest of its criteria,
// whether all or any of them are asked for.
func (c *Client) state(ctx context.Context, courseID, learnerID string) (state, error) {
	const gradeCriterion = 6
	var answer struct {
		Status struct {
			Completed   bool `json:"completed"`
			Completions []struct {
				Type     int    `json:"type"`
				Complete bool   `json:"complete"`
				At       *int64 `json:"timecompleted"`
			} `json:"completions"`
		} `json:"completionstatus"`
	}
	err := c.call(ctx, "look up completion", status, url.Values{"courseid": {courseID}, "userid": {learnerID}}, &answer)
	if absent(err) {
		return state{criteria: !isCode(err, "nocriteriaset") && !isCode(err, "completionnotenabled")}, nil
	}
	if err != nil {
		return state{}, err
	}
	s := state{found: true, criteria: true, completed: answer.Status.Completed}
	for _, criterion := range answer.Status.Completions {
		if criterion.At != nil && *criterion.At > 0 {
			if at := time.Unix(*criterion.At, 0).UTC(); at.After(s.at) {
				s.at = at
			}
		}
		s.graded = s.graded || criterion.Type == gradeCriterion && criterion.Complete
	}
	return s, nil
}

// grade is the course's total, on the scale from 0 to its maximum; none where the scale begins elsewhere or has
// names.
func (c *Client) grade(ctx context.Context, courseID, learnerID string) (training.Score, error) {
	var answer struct {
		Users []struct {
			Course rest.Text `json:"courseid"`
			User   rest.Text `json:"userid"`
			Items  []struct {
				Type  string      `json:"itemtype"`
				Raw   rest.Text   `json:"graderaw"`
				Min   json.Number `json:"grademin"`
				Max   rest.Text   `json:"grademax"`
				Scale *rest.Text  `json:"scaleid"`
			} `json:"gradeitems"`
		} `json:"usergrades"`
	}
	err := c.call(ctx, "look up grade", grades, url.Values{"courseid": {courseID}, "userid": {learnerID}}, &answer)
	if absent(err) || err == nil && len(answer.Users) != 1 {
		return training.Score{}, nil
	}
	if err != nil {
		return training.Score{}, err
	}
	if of := answer.Users[0]; string(of.User) != learnerID || string(of.Course) != courseID { // user 0 stands for all
		return training.Score{}, nil
	}
	for _, item := range answer.Users[0].Items {
		least, err := item.Min.Float64()
		if item.Type == "course" && item.Scale == nil && err == nil && least == 0 && item.Raw != "" {
			return rest.Score(string(item.Raw), string(item.Max)), nil
		}
	}
	return training.Score{}, nil
}
