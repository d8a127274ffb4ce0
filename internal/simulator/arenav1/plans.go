package arenav1

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"countersign/internal/simulator/fault"
)

// searchPlans is GET /trainingplans: number is the number, or its beginning and a "*".
func (w *Workspace) searchPlans(c call) {
	wanted := c.r.URL.Query().Get("number")
	w.mu.Lock()
	found := []Plan{}
	for _, p := range w.plans {
		beginning, wild := strings.CutSuffix(wanted, "*")
		if wanted == "" || strings.EqualFold(p.Number, wanted) || wild && strings.HasPrefix(p.Number, beginning) {
			found = append(found, p.Plan)
		}
	}
	w.mu.Unlock()
	writePage(w, c, found)
}

func (w *Workspace) getPlan(c call) {
	withPlan(w, c, func(p *plan) any { return p.Plan })
}

// withPlan answers with what show makes of the plan in the path.
func withPlan(w *Workspace, c call, show func(*plan) any) {
	w.mu.Lock()
	p := w.find(c.r.PathValue("guid"))
	var body any
	if p != nil {
		body = show(p)
	}
	w.mu.Unlock()
	if p == nil || body == nil {
		errGUID.write(c.w, c.x)
		return
	}
	writeJSON(c.w, http.StatusOK, body)
}

// listing answers with a page of what of makes of the plan in the path.
func listing[T any](w *Workspace, c call, of func(*plan) []T) {
	w.mu.Lock()
	p := w.find(c.r.PathValue("guid"))
	var all []T
	if p != nil {
		all = of(p)
	}
	w.mu.Unlock()
	if p == nil {
		errGUID.write(c.w, c.x)
		return
	}
	writePage(w, c, all)
}

func (w *Workspace) listItems(c call) {
	type entry struct {
		GUID string `json:"guid"`
		Item Item   `json:"item"`
	}
	listing(w, c, func(p *plan) (all []entry) {
		for _, item := range p.items {
			if w.switches.ItemsWithoutRevision {
				item.RevisionNumber, item.RevisionStatus = "", ""
			}
			all = append(all, entry{"A" + item.GUID[1:], item})
		}
		return all
	})
}

func (w *Workspace) listRoster(c call) {
	listing(w, c, func(p *plan) []Trainee { return slices.Clone(p.roster) })
}

// enroll is POST …/users: the plan's manager adds a user.
func (w *Workspace) enroll(c call) {
	var body struct {
		User struct {
			GUID string `json:"guid"`
		} `json:"user"`
		DueDate string `json:"dueDate"`
	}
	due, dueErr := time.Time{}, error(nil)
	err := json.Unmarshal(c.x.Body, &body)
	if body.DueDate != "" {
		due, dueErr = time.Parse(time.DateOnly, body.DueDate)
	}
	if err != nil || dueErr != nil || body.User.GUID == "" {
		errRequired.write(c.w, c.x)
		return
	}
	type result struct {
		problem problem
		trainee Trainee
	}
	got := fault.Attempt(c.x, func(commit bool) (result, bool) {
		w.mu.Lock()
		defer w.mu.Unlock()
		p := w.find(c.r.PathValue("guid"))
		user, known := w.user(body.User.GUID)
		switch {
		case p == nil || !known:
			return result{problem: errGUID}, false
		case p.Status == Closed:
			return result{problem: errClosed}, false
		case p.Manager.GUID != c.user.GUID:
			return result{problem: errManager}, false
		case !w.switches.DuplicateTrainees && p.enrolled(user.GUID):
			return result{problem: errOnPlan}, false
		}
		trainee := Trainee{User: user}
		if body.DueDate != "" {
			endOfDay := due.Add(32*time.Hour - time.Second) // in a workspace on Pacific time
			trainee.DueDate = &endOfDay
		}
		if commit {
			trainee = w.add(p, trainee)
		}
		return result{trainee: trainee}, true
	})
	if got.problem != none {
		got.problem.write(c.w, c.x)
		return
	}
	writeJSON(c.w, http.StatusCreated, got.trainee)
}

func (p *plan) enrolled(userGUID string) bool {
	return slices.ContainsFunc(p.roster, func(t Trainee) bool { return t.User.GUID == userGUID })
}

// add puts a trainee on the roster, with an open record of each item; w.mu is held.
func (w *Workspace) add(p *plan, t Trainee) Trainee {
	t.GUID = w.guid("T")
	p.roster = append(p.roster, t)
	for _, item := range p.items {
		w.openRecord(p, t, item)
	}
	return t
}

func (w *Workspace) openRecord(p *plan, t Trainee, item Item) {
	p.records = append(p.records, &Record{GUID: w.guid("R"), User: t.User, Item: item, DueDate: t.DueDate})
}
