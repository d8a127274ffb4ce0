package arenav1

import (
	"net/http"
	"strings"
)

// seen is what the API shows of a plan's records; w.mu is held.
func (w *Workspace) seen(p *plan) (all []Record) {
	for _, r := range p.records {
		if r.SignedDateTime != nil || !w.switches.UnsignedHidden {
			all = append(all, *r)
		}
	}
	return all
}

func (w *Workspace) listRecords(c call) {
	listing(w, c, func(p *plan) (all []any) {
		for _, r := range w.seen(p) {
			if r.SignedDateTime == nil && w.switches.EmptyDates {
				all = append(all, struct {
					Record
					SignedDateTime string `json:"signedDateTime"`
				}{Record: r})
				continue
			}
			all = append(all, r)
		}
		return all
	})
}

func (w *Workspace) getRecord(c call) {
	withPlan(w, c, func(p *plan) any {
		for _, r := range w.seen(p) {
			if r.GUID == c.r.PathValue("record") {
				return r
			}
		}
		return nil
	})
}

// searchUsers is GET /settings/users?email=, without regard to case.
func (w *Workspace) searchUsers(c call) {
	email := c.r.URL.Query().Get("email")
	w.mu.Lock()
	found := []User{}
	for _, u := range w.users {
		if email == "" || strings.EqualFold(u.Email, email) {
			found = append(found, u)
		}
	}
	w.mu.Unlock()
	writePage(w, c, found)
}

func (w *Workspace) getUser(c call) {
	w.mu.Lock()
	user, ok := w.user(c.r.PathValue("guid"))
	w.mu.Unlock()
	if !ok {
		errGUID.write(c.w, c.x)
		return
	}
	writeJSON(c.w, http.StatusOK, user)
}

// user is the user with this GUID; w.mu is held.
func (w *Workspace) user(guid string) (User, bool) {
	for _, u := range w.users {
		if u.GUID == guid {
			return u, true
		}
	}
	return User{}, false
}
