package rig

import (
	"bytes"
	"fmt"
	"net/mail"
	"strconv"
	"strings"

	"countersign/bench/faults/traffic"
	"countersign/internal/training"
)

// statements counts by fingerprint what the LRS holds of ours. A statement that leads to no
// completion is a stray.
func (w *world) statements() (counts map[training.Fingerprint]int, strays []string) {
	counts = map[training.Fingerprint]int{}
	for _, s := range w.lrs.Statements() {
		f, _, ok := fingerprintOf(s.Raw)
		switch {
		case !ok:
			strays = append(strays, "a statement without a fingerprint")
		case w.foreignID(f) != s.ID:
			counts[f]++
		}
	}
	return counts, strays
}

func (w *world) foreignID(f training.Fingerprint) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.foreign[f]
}

// strayChanges are effective changes of records that belong to no key.
func (w *world) strayChanges() []string {
	ours := map[string]bool{}
	for _, id := range w.records {
		ours[id] = true
	}
	var strays []string
	for _, record := range w.qms.Records() {
		if !ours[record.ID] {
			strays = append(strays, fmt.Sprintf("record %s was created, with %d changes", record.ID, len(w.qms.Changes(record.ID))))
		}
	}
	return strays
}

func (w *world) changes(k traffic.Key) []training.RecordStatus {
	var to []training.RecordStatus
	for _, change := range w.qms.Changes(w.records[k.Number]) {
		to = append(to, change.To)
	}
	return to
}

// record is the key's training record in the language's terms.
func (w *world) record(k traffic.Key) training.Record {
	r, ok := w.qms.Record(w.records[k.Number])
	if !ok {
		return training.Record{}
	}
	out := training.Record{
		ID: r.ID, EmployeeID: r.EmployeeID, TrainingID: r.TrainingID, Status: r.Status,
		TracksScore: r.TracksScore, ApprovalRequired: r.ApprovalRequired, Locked: r.Locked, ExternalRef: r.ExternalRef,
	}
	if r.CompletionDate != nil {
		out.CompletedAt = *r.CompletionDate
	}
	if r.Score != nil {
		out.Score = strconv.FormatFloat(*r.Score, 'f', -1, 64)
	}
	return out
}

// notices counts the different notices that name a completion. A mail that was sent twice, because its
// acceptance was not heard of, is one notice: it has one Message-ID (RFC 5322, section 3.6.4).
func (w *world) notices(f training.Fingerprint) int {
	different := map[string]bool{}
	for _, m := range w.mail.Messages() {
		if !strings.Contains(m.Text, f.Short()) {
			continue
		}
		id := fmt.Sprint("unreadable ", len(different))
		if parsed, err := mail.ReadMessage(bytes.NewReader(m.Raw)); err == nil {
			id = parsed.Header.Get("Message-ID")
		}
		different[id] = true
	}
	return len(different)
}

func (w *world) earlyOf(f training.Fingerprint) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.early[f]
}
