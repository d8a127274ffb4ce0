package arena

import (
	"fmt"
	"strings"

	"countersign/internal/training"
)

// The methods of this file are called with a.mu held.

// move makes one effective change: status, version, time and history go together.
func (a *Arena) move(record *Record, to training.RecordStatus, change Change) {
	change.RecordID, change.At, change.From, change.To = record.ID, a.clock.Now(), record.Status, to
	record.Status = to
	record.Version++
	record.UpdatedAt = change.At
	a.changes[record.ID] = append(a.changes[record.ID], change)
	a.state.Save(kindMove, moved{*record, change})
}

// view is the record with what it inherits from its training.
func (a *Arena) view(record *Record) Record {
	out := *record
	if t, ok := a.trainings[record.TrainingID]; ok {
		out.TracksScore = out.TracksScore || t.TracksScore
		out.ApprovalRequired = out.ApprovalRequired || t.ApprovalRequired
		if out.TrainingName == "" {
			out.TrainingName = t.Name
		}
		if out.Revision == "" {
			out.Revision = t.Revision
		}
	}
	return out
}

// insert adds a new record and fills in what the caller left out.
func (a *Arena) insert(record Record) *Record {
	if record.ID == "" {
		for taken := true; taken; _, taken = a.records[record.ID] {
			a.sequence++
			record.ID = fmt.Sprintf("TR-%06d", a.sequence)
		}
	}
	if record.Status == "" {
		record.Status = training.RecordAssigned
	}
	now := a.clock.Now()
	if record.AssignedDate.IsZero() {
		record.AssignedDate = now
	}
	if record.UpdatedAt.IsZero() {
		record.UpdatedAt = now
	}
	if record.Version == 0 {
		record.Version = 1
	}
	a.put(record)
	a.state.Save(kindRecord, record)
	return a.records[record.ID]
}

// put stores a record under its id and in the indexes, replacing one that is there.
func (a *Arena) put(record Record) {
	pair := pairKey(record.EmployeeID, record.TrainingID)
	if old, ok := a.records[record.ID]; ok {
		a.unlink(old)
	} else {
		a.order = append(a.order, record.ID)
	}
	a.records[record.ID] = &record
	a.pairs[pair] = append(a.pairs[pair], record.ID)
	if record.ExternalRef != "" {
		a.refs[record.ExternalRef] = record.ID
	}
}

func (a *Arena) unlink(old *Record) {
	pair := pairKey(old.EmployeeID, old.TrainingID)
	kept := a.pairs[pair][:0]
	for _, id := range a.pairs[pair] {
		if id != old.ID {
			kept = append(kept, id)
		}
	}
	a.pairs[pair] = kept
	if a.refs[old.ExternalRef] == old.ID {
		delete(a.refs, old.ExternalRef)
	}
}

func pairKey(employeeID, trainingID string) string { return employeeID + "\x00" + trainingID }

// employee finds a user; with magic ids, some come into being by being asked for.
func (a *Arena) employee(id string) (User, bool) {
	user, ok := a.users[id]
	if ok || !a.options.AutoProvision || !magicEmployee(id) {
		return user, ok
	}
	user = User{EmployeeID: id, Email: strings.ToLower(id) + "@example.com", FullName: "Employee " + id, Active: true, UpdatedAt: a.clock.Now()}
	a.users[id] = user
	a.state.Save(kindUser, user)
	return user, true
}
