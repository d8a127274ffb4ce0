package arena

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"countersign/internal/simulator/fault"
	"countersign/internal/training"
)

// page is the shape of every list (contract §6).
type page[T any] struct {
	Count   int `json:"count"`
	Offset  int `json:"offset"`
	Limit   int `json:"limit"`
	Results []T `json:"results"`
}

const (
	defaultLimit = 20
	maxLimit     = 400
)

func (a *Arena) getRecord(w http.ResponseWriter, r *http.Request, x *fault.Exchange) {
	record, ok := a.Record(r.PathValue("id"))
	if !ok {
		errNoRecord.write(w, x, "")
		return
	}
	writeJSON(w, http.StatusOK, record)
}

func (a *Arena) getHistory(w http.ResponseWriter, r *http.Request, x *fault.Exchange) {
	id := r.PathValue("id")
	if _, ok := a.Record(id); !ok {
		errNoRecord.write(w, x, "")
		return
	}
	changes := a.Changes(id)
	writeJSON(w, http.StatusOK, page[Change]{len(changes), 0, len(changes), changes})
}

// listRecords is GET /training/records with its filters, in order of updatedAt and id.
func (a *Arena) listRecords(w http.ResponseWriter, r *http.Request, x *fault.Exchange) {
	query := r.URL.Query()
	match, ok := recordFilter(query)
	offset, limit, pageOK := paging(query)
	if !ok || !pageOK {
		errMalformed.write(w, x, "")
		return
	}
	a.mu.Lock()
	a.provision(query.Get("employeeId"), query.Get("trainingId"))
	ids := a.order
	if query.Get("employeeId") != "" && query.Get("trainingId") != "" {
		ids = a.pairs[pairKey(query.Get("employeeId"), query.Get("trainingId"))]
	}
	found := []Record{}
	for _, id := range ids {
		if record := a.view(a.records[id]); match(record) {
			found = append(found, record)
		}
	}
	a.mu.Unlock()
	slices.SortFunc(found, func(p, q Record) int {
		return cmp.Or(p.UpdatedAt.Compare(q.UpdatedAt), strings.Compare(p.ID, q.ID))
	})
	writeJSON(w, http.StatusOK, cut(found, offset, limit))
}

func cut[T any](all []T, offset, limit int) page[T] {
	from := min(offset, len(all))
	return page[T]{len(all), offset, limit, all[from:min(from+limit, len(all))]}
}

func paging(query url.Values) (offset, limit int, ok bool) {
	limit = defaultLimit
	for name, target := range map[string]*int{"offset": &offset, "limit": &limit} {
		if text := query.Get(name); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < 0 {
				return 0, 0, false
			}
			*target = n
		}
	}
	if limit == 0 {
		return 0, 0, false
	}
	return offset, min(limit, maxLimit), true
}

// recordFilter builds the test that the query asks for; ok is false for an unknown status or
// an unreadable time.
func recordFilter(query url.Values) (match func(Record) bool, ok bool) {
	var statuses []string
	if text := query.Get("status"); text != "" {
		statuses = strings.Split(text, ",")
	}
	for _, s := range statuses {
		if !training.RecordStatus(s).Valid() {
			return nil, false
		}
	}
	updated, ok1 := sinceParam(query.Get("updatedSince"))
	completed, ok2 := sinceParam(query.Get("completedSince"))
	if !ok1 || !ok2 {
		return nil, false
	}
	is := func(name, value string) bool { return query.Get(name) == "" || query.Get(name) == value }
	return func(r Record) bool {
		return is("employeeId", r.EmployeeID) && is("trainingId", r.TrainingID) && is("externalRef", r.ExternalRef) &&
			(statuses == nil || slices.Contains(statuses, string(r.Status))) &&
			(updated.IsZero() || !r.UpdatedAt.Before(updated)) &&
			(completed.IsZero() || (r.CompletionDate != nil && !r.CompletionDate.Before(completed)))
	}, true
}

func sinceParam(text string) (time.Time, bool) {
	if text == "" {
		return time.Time{}, true
	}
	t, err := time.Parse(time.RFC3339, text)
	return t, err == nil
}

// createRecord is POST /training/records; the external reference makes it repeatable (R98).
func (a *Arena) createRecord(w http.ResponseWriter, r *http.Request, x *fault.Exchange) {
	var body struct {
		EmployeeID  string     `json:"employeeId"`
		TrainingID  string     `json:"trainingId"`
		DueDate     *time.Time `json:"dueDate"`
		ExternalRef string     `json:"externalRef"`
	}
	if err := json.Unmarshal(x.Body, &body); err != nil || body.EmployeeID == "" || body.TrainingID == "" {
		errMalformed.write(w, x, "")
		return
	}
	type result struct {
		problem problem
		other   string
		record  Record
	}
	got := fault.Attempt(x, func(commit bool) (result, bool) {
		a.mu.Lock()
		defer a.mu.Unlock()
		if _, ok := a.employee(body.EmployeeID); !ok {
			return result{problem: errNoEmployee}, false
		}
		if _, ok := a.trainings[body.TrainingID]; !ok {
			return result{problem: errNoTraining}, false
		}
		if other, taken := a.refs[body.ExternalRef]; taken && body.ExternalRef != "" {
			return result{problem: errDuplicateRef, other: other}, false
		}
		record := Record{EmployeeID: body.EmployeeID, TrainingID: body.TrainingID, DueDate: body.DueDate, ExternalRef: body.ExternalRef}
		if commit {
			record = a.view(a.insert(record))
		}
		return result{record: record}, true
	})
	if got.problem != (problem{}) {
		got.problem.write(w, x, got.other)
		return
	}
	w.Header().Set("Location", r.URL.Path+"/"+url.PathEscape(got.record.ID))
	writeJSON(w, http.StatusCreated, got.record)
}

// decideRecord is POST …/approval: the person in the QMS (contract §6).
func (a *Arena) decideRecord(w http.ResponseWriter, r *http.Request, x *fault.Exchange) {
	var body struct {
		Decision string `json:"decision"`
		Approver string `json:"approver"`
		Comment  string `json:"comment"`
	}
	if err := json.Unmarshal(x.Body, &body); err != nil || body.Approver == "" || (body.Decision != Approve && body.Decision != Reject) {
		errMalformed.write(w, x, "")
		return
	}
	id, requestID := r.PathValue("id"), x.RequestID
	v := fault.Attempt(x, func(commit bool) (verdict, bool) {
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.decide(id, body.Decision, Change{Actor: body.Approver, RequestID: requestID, Comment: body.Comment}, commit)
	})
	if v.problem != (problem{}) {
		v.problem.write(w, x, "")
		return
	}
	writeJSON(w, http.StatusOK, v.record)
}

// The decisions of the approval step.
const (
	Approve = "APPROVE"
	Reject  = "REJECT"
)

// decide moves a pending record on; a.mu is held.
func (a *Arena) decide(id, decision string, by Change, commit bool) (verdict, bool) {
	record, ok := a.records[id]
	switch {
	case !ok:
		return verdict{problem: errNoRecord}, false
	case record.Status != training.RecordPendingApproval:
		return verdict{problem: errTransition}, false
	case !commit:
		return verdict{record: a.view(record)}, true
	}
	to := training.RecordCompleted
	if decision == Reject {
		// What was submitted was not accepted: the record is as if it had never been.
		to, record.CompletionDate, record.Score = training.RecordInProgress, nil, nil
	}
	a.move(record, to, by)
	return verdict{record: a.view(record)}, true
}
