package arenav1

import (
	"errors"
	"slices"
	"time"
)

// What people do in Arena's own user interface, and what tests look at past the API.

// AddAccount lets somebody use the API, as the given user, who is added too.
func (w *Workspace) AddAccount(a Account) {
	w.AddUser(a.User)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.accounts = append(w.accounts, a)
}

// AddUser adds a user, with a GUID if it has none, unless one of this GUID is there.
func (w *Workspace) AddUser(u User) User {
	w.mu.Lock()
	defer w.mu.Unlock()
	if known, ok := w.user(u.GUID); ok {
		return known
	}
	if u.GUID == "" {
		u.GUID = w.guid("U")
	}
	w.users = append(w.users, u)
	return u
}

// AddPlan adds a plan with its items: numbers, each in revision A. It is OPEN unless it says otherwise.
func (w *Workspace) AddPlan(p Plan, items ...string) Plan {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p.GUID == "" {
		p.GUID = w.guid("P")
	}
	if p.Status == "" {
		p.Status = Open
	}
	added := &plan{Plan: p}
	for _, number := range items {
		added.items = append(added.items, Item{GUID: w.guid("I"), Number: number, Name: "SOP " + number, RevisionNumber: "A", RevisionStatus: "EFFECTIVE"})
	}
	w.plans = append(w.plans, added)
	return p
}

// Delete is the plan's manager deleting the plan.
func (w *Workspace) Delete(planGUID string) error {
	return w.change(planGUID, func(gone *plan) error {
		w.plans = slices.DeleteFunc(w.plans, func(p *plan) bool { return p == gone })
		return nil
	})
}

// Enroll is the plan's manager adding a user in Arena.
func (w *Workspace) Enroll(planGUID, userGUID string) error {
	return w.change(planGUID, func(p *plan) error {
		user, ok := w.user(userGUID)
		if !ok {
			return errors.New("enroll: no such user")
		}
		w.add(p, Trainee{User: user})
		return nil
	})
}

// Remove is the plan's manager taking a user off it. What was signed stays.
func (w *Workspace) Remove(planGUID, userGUID string) error {
	return w.change(planGUID, func(p *plan) error {
		p.roster = slices.DeleteFunc(p.roster, func(t Trainee) bool { return t.User.GUID == userGUID })
		p.records = slices.DeleteFunc(p.records, func(r *Record) bool { return r.User.GUID == userGUID && r.SignedDateTime == nil })
		return nil
	})
}

// Sign is the trainee signing, now: one item by its number, or, with "", all that are open.
func (w *Workspace) Sign(planGUID, userGUID, item string) error {
	return w.change(planGUID, func(p *plan) error {
		now, signed := w.clock.Now().Truncate(time.Second), 0
		if p.Status == Closed {
			return errors.New("sign: the plan is closed")
		}
		for _, r := range p.records {
			if r.User.GUID == userGUID && r.SignedDateTime == nil && (item == "" || r.Item.Number == item) {
				r.SignedDateTime = &now
				signed++
			}
		}
		if signed == 0 {
			return errors.New("sign: the trainee has nothing to sign")
		}
		return nil
	})
}

// SetStatus opens or closes a plan.
func (w *Workspace) SetStatus(planGUID, status string) error {
	return w.change(planGUID, func(p *plan) error { p.Status = status; return nil })
}

// Revise puts a new revision of an item in force. With retrain everybody on the roster has to sign it.
func (w *Workspace) Revise(planGUID, number, revision string, retrain bool) error {
	return w.change(planGUID, func(p *plan) error {
		i := slices.IndexFunc(p.items, func(item Item) bool { return item.Number == number })
		if i < 0 {
			return errors.New("revise: no such item")
		}
		old := p.items[i].GUID
		p.items[i].GUID, p.items[i].RevisionNumber = w.guid("I"), revision
		for _, r := range p.records {
			if r.Item.GUID == old {
				r.Item.RevisionStatus = "SUPERSEDED"
			}
		}
		for _, t := range p.roster {
			if retrain {
				w.openRecord(p, t, p.items[i])
			}
		}
		return nil
	})
}

func (w *Workspace) change(planGUID string, do func(*plan) error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.find(planGUID)
	if p == nil {
		return errors.New("no such plan")
	}
	return do(p)
}

// Switches are the readings that are switched on.
func (w *Workspace) Switches() Switches {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.switches
}

// SetSwitches chooses readings.
func (w *Workspace) SetSwitches(s Switches) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.switches = s
}

// Visit is the bridge's user having been in another workspace last: a login that names none lands there.
func (w *Workspace) Visit(workspaceID string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lastIn = workspaceID
}

// EndSessions ends every session and token before its time.
func (w *Workspace) EndSessions() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.sessions)
}

// Spend leaves so many requests of the day's budget.
func (w *Workspace) Spend(left int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.day, w.spent = w.clock.Now().Truncate(24*time.Hour), w.options.Budget-left
}

// Logins counts the sessions and tokens that were given out.
func (w *Workspace) Logins() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.logins
}

// Roster is who is enrolled in a plan, whatever the API shows; so are Records and Files.
func (w *Workspace) Roster(planGUID string) (all []Trainee) {
	_ = w.change(planGUID, func(p *plan) error { all = slices.Clone(p.roster); return nil }) // no such plan has none
	return all
}

// Records are a plan's records.
func (w *Workspace) Records(planGUID string) (all []Record) {
	_ = w.change(planGUID, func(p *plan) error {
		for _, r := range p.records {
			all = append(all, *r)
		}
		return nil
	})
	return all
}

// Files are the files that are kept with a plan.
func (w *Workspace) Files(planGUID string) (all []File) {
	_ = w.change(planGUID, func(p *plan) error { all = slices.Clone(p.files); return nil })
	return all
}

// RemoveFile takes a file off a plan, as a person does.
func (w *Workspace) RemoveFile(planGUID, fileGUID string) error {
	return w.change(planGUID, func(p *plan) error {
		p.files = slices.DeleteFunc(p.files, func(f File) bool { return f.GUID == fileGUID })
		return nil
	})
}

// SpoilFiles cuts every file that is kept with a plan down to its first byte, as an upload that broke off.
func (w *Workspace) SpoilFiles(planGUID string) error {
	return w.change(planGUID, func(p *plan) error {
		for i := range p.files {
			p.files[i].Bytes = p.files[i].Bytes[:1]
		}
		return nil
	})
}

// SignRevision is the trainee signing one revision of an item.
func (w *Workspace) SignRevision(planGUID, userGUID, item, revision string) error {
	return w.change(planGUID, func(p *plan) error {
		now := w.clock.Now().Truncate(time.Second)
		for _, r := range p.records {
			if r.User.GUID == userGUID && r.SignedDateTime == nil && r.Item.Number == item && r.Item.RevisionNumber == revision {
				r.SignedDateTime = &now
				return nil
			}
		}
		return errors.New("sign: the trainee has nothing to sign")
	})
}
