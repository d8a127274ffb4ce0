package arena

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"

	"countersign/internal/simulator/fault"
)

func (a *Arena) health(w http.ResponseWriter, _ *http.Request, _ *fault.Exchange) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "UP"})
}

func (a *Arena) getConfig(w http.ResponseWriter, _ *http.Request, _ *fault.Exchange) {
	writeJSON(w, http.StatusOK, map[string]bool{"allowExternalStatusUpdates": !a.Switches().ExternalUpdatesOff})
}

// getUser is GET /users/{employeeId}: the id is compared exactly (R100, R114).
func (a *Arena) getUser(w http.ResponseWriter, r *http.Request, x *fault.Exchange) {
	a.mu.Lock()
	user, ok := a.employee(r.PathValue("id"))
	a.mu.Unlock()
	if !ok {
		errNoEmployee.write(w, x, "")
		return
	}
	writeJSON(w, http.StatusOK, user)
}

// listUsers is GET /users?email=, without regard to case.
func (a *Arena) listUsers(w http.ResponseWriter, r *http.Request, x *fault.Exchange) {
	offset, limit, ok := paging(r.URL.Query())
	email := r.URL.Query().Get("email")
	if !ok || email == "" {
		errMalformed.write(w, x, "")
		return
	}
	found := slices.DeleteFunc(a.Users(), func(u User) bool { return !strings.EqualFold(u.Email, email) })
	writeJSON(w, http.StatusOK, cut(found, offset, limit))
}

// listTrainings is GET /trainings: number is the exact id, name any part of the name.
func (a *Arena) listTrainings(w http.ResponseWriter, r *http.Request, x *fault.Exchange) {
	query := r.URL.Query()
	offset, limit, ok := paging(query)
	if !ok {
		errMalformed.write(w, x, "")
		return
	}
	number, name := query.Get("number"), strings.ToLower(query.Get("name"))
	found := slices.DeleteFunc(a.Trainings(), func(t Training) bool {
		return (number != "" && t.ID != number) || !strings.Contains(strings.ToLower(t.Name), name)
	})
	writeJSON(w, http.StatusOK, cut(found, offset, limit))
}

// Users lists the employees by id.
func (a *Arena) Users() []User {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.SortedFunc(maps.Values(a.users), func(p, q User) int { return cmp.Compare(p.EmployeeID, q.EmployeeID) })
}

// Trainings lists the training programs by id.
func (a *Arena) Trainings() []Training {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.SortedFunc(maps.Values(a.trainings), func(p, q Training) int { return cmp.Compare(p.ID, q.ID) })
}
