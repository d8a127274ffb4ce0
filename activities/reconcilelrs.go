package activities

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"countersign/internal/journal"
	"countersign/internal/training"
	"countersign/internal/xapi"
)

// reading is the part that reads statements back at the LRS. The LRS has a part of its own, so that one that does not
// answer keeps nothing else from being compared.
type reading struct {
	*reconciliation
	// proved says that an LRS answers at this address: only then is what it does not find missing.
	proved bool
	// asked counts the statements of the page.
	asked int
}

// statements reads back what the journal calls delivered: of what this run looks at, and again what the last run has
// found at the LRS. The cursor is the walk that is under way, and the place in it.
func (r *reconciliation) statements(ctx context.Context, cursor string) (page, error) {
	if r.tenant.LRS == nil { // not any more
		return page{done: true}, nil
	}
	if r.reads == nil {
		r.reads = &reading{reconciliation: r}
	}
	r.reads.asked = 0
	walks := []string{partListed, partJournal, partStanding}
	name, inner, _ := strings.Cut(cursor, " ")
	at := max(slices.Index(walks, name), 0)
	found, err := r.reads.walk(ctx, walks[at], inner)
	if err != nil {
		return page{}, err
	}
	if last := at == len(walks)-1; found.done && !last {
		at, found.next, found.done = at+1, "", false
	}
	found.next, found.looked = walks[at]+" "+found.next, r.reads.asked
	return found, nil
}

// walk does a page of one of the walks.
func (r *reading) walk(ctx context.Context, name, cursor string) (page, error) {
	switch {
	case name == partListed:
		return r.shown(ctx, cursor, r.sample)
	case name == partJournal && r.run.Upload != "": // a file is compared with what it names
		return page{done: true}, nil
	case name == partJournal:
		return r.journaled(ctx, cursor, r.sample)
	default:
		return r.again(ctx, cursor)
	}
}

// again reads what the last run has found at the LRS, whatever the share: a mismatch ends when it is mended.
func (r *reading) again(ctx context.Context, cursor string) (page, error) {
	if r.run.Previous == "" {
		return page{done: true}, nil
	}
	var after journal.MismatchPlace
	if err := place(cursor, &after); err != nil {
		return page{}, err
	}
	all, err := r.runs.Mismatches(ctx, r.run.Tenant, r.run.Previous, "", after, r.size())
	if err != nil {
		return page{}, journalFailure("list mismatches", err)
	}
	found := page{next: cursor, done: len(all) < r.size()}
	for i, m := range all {
		if r.full(i) {
			found.done = false
			break
		}
		still, err := r.asBefore(ctx, m)
		if err != nil {
			return found.upTo(cursor, err)
		}
		found.mismatches = append(found.mismatches, still...)
		found.next = placed(journal.MismatchPlace{Kind: m.Kind, ID: m.ID()})
	}
	return found, nil
}

// asBefore is what is left of a mismatch that was found at the LRS; nothing of any other.
func (r *reading) asBefore(ctx context.Context, m training.Mismatch) ([]training.Mismatch, error) {
	if m.Origin != training.MismatchFromStatement {
		return nil, nil
	}
	stored, ok, err := r.stored(ctx, m.Fingerprint)
	if err != nil || !ok {
		return nil, err
	}
	return r.statement(ctx, stored)
}

// sample reads a completion's statement back if the run's draw has it.
func (r *reading) sample(ctx context.Context, s journal.Stored) ([]training.Mismatch, error) {
	if !drawn(r.run.Run, s.Fingerprint, r.in.Settings.Statements) {
		return nil, nil
	}
	return r.statement(ctx, s)
}

// drawn draws a share of the completions: the same ones in every attempt of a run, others in the next run.
func drawn(run string, f training.Fingerprint, share float64) bool {
	if share >= 1 {
		return true
	}
	sum := sha256.Sum256([]byte(run + "\x00" + string(f)))
	return float64(binary.BigEndian.Uint64(sum[:8])) < share*math.MaxUint64
}

// statement compares a completion's delivered statement with what the LRS shows of it. What was delivered a moment ago is
// the next run's: an LRS need not show it yet.
func (r *reading) statement(ctx context.Context, s journal.Stored) ([]training.Mismatch, error) {
	sent, err := r.a.cfg.Journal.Effect(ctx, r.run.Tenant, s.Fingerprint, training.EffectStatement)
	switch {
	case errors.Is(err, journal.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, journalFailure("read statement", err)
	case sent.DeliveredAt.IsZero() || sent.DeliveredAt.After(r.run.StartedAt.Add(-r.in.Settings.Settle)):
		return nil, nil
	}
	if err := r.pace.Wait(ctx); err != nil {
		return nil, err
	}
	shown, err := r.tenant.LRS.ReadBack(ctx, sent.ID, sent.Bytes)
	var kind training.MismatchKind
	detail := "statement " + sent.ID
	failure, _ := errors.AsType[*training.Failure](err)
	switch {
	case failure != nil && failure.Class == training.FailureMisread:
		kind, detail = training.MismatchUnreadable, detail+" cannot be compared: "+failure.Detail
	case err != nil:
		return nil, err
	case shown.Standing == xapi.Missing:
		kind = training.MismatchMissingInLRS
		if !shown.Through.IsZero() && shown.Through.Before(sent.DeliveredAt) {
			detail += "; the LRS shows nothing yet that is newer than " + shown.Through.UTC().Format(time.RFC3339)
		}
	case shown.Standing == xapi.Voided:
		kind = training.MismatchVoidedInLRS
	case shown.Standing == xapi.Different:
		kind, detail = training.MismatchDifferentInLRS, detail+", another "+shown.Part
	default:
		r.asked++
		return nil, nil
	}
	if err := r.prove(ctx); err != nil {
		return nil, err
	}
	r.asked++
	m := r.about(s, kind, detail)
	m.Origin = training.MismatchFromStatement
	return []training.Mismatch{m}, nil
}

// prove asks once whether it is an LRS that answers, before anything that it says counts against a statement. It also
// waits for the second request that a missing statement has cost.
func (r *reading) prove(ctx context.Context) error {
	if err := r.pace.Wait(ctx); err != nil || r.proved {
		return err
	}
	if err := r.tenant.LRS.Readable(ctx); err != nil {
		return err
	}
	r.proved = true
	return nil
}
