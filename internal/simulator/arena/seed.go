package arena

import (
	"fmt"
	"time"

	"countersign/internal/training"
)

// The methods of this file are the controls of contract §10 for tests in the same process.

// AddAccount adds or replaces a service account. Accounts survive Reset and are not in the
// state file: they belong to the installation.
func (a *Arena) AddAccount(account Account) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.accounts[account.ClientID] = account
}

// AddUser adds or replaces an employee.
func (a *Arena) AddUser(user User) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if user.UpdatedAt.IsZero() {
		user.UpdatedAt = a.clock.Now()
	}
	a.users[user.EmployeeID] = user
	a.state.Save(kindUser, user)
}

// AddTraining adds or replaces a training program.
func (a *Arena) AddTraining(t Training) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.addTraining(t)
}

func (a *Arena) addTraining(t Training) {
	a.trainings[t.ID] = t
	a.state.Save(kindTraining, t)
}

// AddRecord adds or replaces a training record and returns it with what it was given: id,
// ASSIGNED, dates and version, where the caller left them empty. It counts as no change.
func (a *Arena) AddRecord(record Record) Record {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.view(a.insert(record))
}

// Record is the present state of a record.
func (a *Arena) Record(id string) (Record, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	record, ok := a.records[id]
	if !ok {
		return Record{}, false
	}
	return a.view(record), true
}

// Records lists every record in order of creation.
func (a *Arena) Records() []Record {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := make([]Record, 0, len(a.order))
	for _, id := range a.order {
		out = append(out, a.view(a.records[id]))
	}
	return out
}

// Changes is the history of a record: one entry per effective transition, whoever made it.
func (a *Arena) Changes(recordID string) []Change {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]Change{}, a.changes[recordID]...)
}

// simulatorActor is who the history names for changes made through the controls.
const simulatorActor = "simulator"

// SetStatus moves a record to any status, as somebody else would; it is a change in the
// history, by the actor "simulator". It is an error for an unknown record or status.
func (a *Arena) SetStatus(recordID string, status training.RecordStatus) error {
	if !status.Valid() {
		return fmt.Errorf("set status of %s: unknown status %q", recordID, status)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	record, ok := a.records[recordID]
	if !ok {
		return fmt.Errorf("set status of %s: no such record", recordID)
	}
	if status == training.RecordCompleted && record.CompletionDate == nil {
		now := a.clock.Now()
		record.CompletionDate = &now
	}
	a.move(record, status, Change{Actor: simulatorActor})
	return nil
}

// Lock locks a record for editing, or unlocks it; an error for an unknown record.
func (a *Arena) Lock(recordID string, locked bool) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	record, ok := a.records[recordID]
	if !ok {
		return fmt.Errorf("lock %s: no such record", recordID)
	}
	record.Locked = locked
	record.Version++
	record.UpdatedAt = a.clock.Now()
	a.state.Save(kindRecord, *record)
	return nil
}

// Decide is the person in the QMS's own user interface who approves (Approve) or rejects
// (Reject) a pending record; an error when there is nothing to decide.
func (a *Arena) Decide(recordID, decision, approver, comment string) error {
	if decision != Approve && decision != Reject {
		return fmt.Errorf("decide %s: unknown decision %q", recordID, decision)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if v, _ := a.decide(recordID, decision, Change{Actor: approver, Comment: comment}, true); v.problem != (problem{}) {
		return fmt.Errorf("decide %s: %s", recordID, v.problem.reason)
	}
	return nil
}

// SetSwitches replaces the switches; empty values mean the contract's default, and an unknown
// value is an error.
func (a *Arena) SetSwitches(s Switches) error {
	if !s.valid() {
		return fmt.Errorf("set switches: unknown value in %+v", s)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.switches = s.normal()
	a.state.Save(kindSwitches, a.switches)
	return nil
}

// Switches are the present ones.
func (a *Arena) Switches() Switches {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.switches
}

// ExpireTokens lets every issued token expire now: the next call with one is 401 TOKEN_EXPIRED.
func (a *Arena) ExpireTokens() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for value, t := range a.tokens {
		t.expires = a.clock.Now()
		a.tokens[value] = t
	}
}

// RevokeTokens forgets every issued token: the next call with one is 401 UNAUTHENTICATED.
func (a *Arena) RevokeTokens() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.tokens)
}

// SetTokenLifetime sets the lifetime of tokens issued from now on, to the second.
func (a *Arena) SetTokenLifetime(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lifetime = d
}

// Reset empties the QMS: users, trainings, records, tokens, switches, faults, counters, log
// and clock offset. Accounts stay.
func (a *Arena) Reset() {
	a.Gate.Reset()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.clear()
	a.rewrite()
}
