package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"countersign/internal/ingress"
	"countersign/internal/journal"
	"countersign/internal/process"
	"countersign/internal/training"
	"countersign/workflows"
)

// replay does again what came to nothing the first time: a completion whose workflow was ended from
// outside, or deliveries that nobody could read until the mapping was mended (R142, R206).
func replay(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("starter replay", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, "usage: starter replay TENANT FINGERPRINT          start a completion again whose workflow was ended from outside\n"+
			"       starter replay -by NAME -reason WHY TENANT FINGERPRINT  start one again that was closed or has expired in review\n"+
			"       starter replay -by NAME -reason WHY TENANT enrollment/KEY  begin an enrollment again that was closed or has expired in review\n"+
			"       starter replay -delivery ID TENANT         read a stored delivery again\n"+
			"       starter replay -unmapped [-source S] TENANT  read every unmapped delivery again\n")
	}
	delivery := flags.String("delivery", "", "id of the `delivery` to read again")
	unmapped := flags.Bool("unmapped", false, "read every delivery again that no mapping has understood yet")
	var decision training.Decision
	flags.StringVar(&decision.By, "by", "", "`name` of the person who decides, for what was closed or has expired")
	flags.StringVar(&decision.Reason, "reason", "", "`why`, kept with the decision")
	source := flags.String("source", "", "only deliveries of this `source`, with -unmapped")
	if err := flags.Parse(args); err != nil {
		return err
	}
	byDelivery := *delivery != "" || *unmapped
	switch {
	case *delivery != "" && *unmapped, *source != "" && !*unmapped,
		byDelivery && (flags.NArg() != 1 || decision != training.Decision{}), !byDelivery && flags.NArg() != 2:
		flags.Usage()
		return errors.New("replay: wrong arguments")
	case !byDelivery && strings.HasPrefix(flags.Arg(1), workflows.EnrollmentID("")):
		return replayEnrollment(ctx, flags.Arg(0), strings.TrimPrefix(flags.Arg(1), workflows.EnrollmentID("")), decision, stdout, stderr)
	case !byDelivery:
		return replayCompletion(ctx, flags.Arg(0), flags.Arg(1), decision, stdout, stderr)
	}
	return opened(ctx, stderr, func(p *process.Process) error {
		sources, err := newSources(p.Tenants, verifiers{log: p.Log})
		if err != nil {
			return err
		}
		r := replayer{journal: p.Journal, sources: sources, maxBody: p.Settings.MaxBody, out: stdout}
		if *unmapped {
			return r.all(ctx, flags.Arg(0), *source)
		}
		d, err := p.Journal.Delivery(ctx, flags.Arg(0), *delivery)
		if err != nil {
			return err
		}
		understood, err := r.one(ctx, d)
		if err == nil && !understood {
			err = errors.New("replay: the delivery is still unmapped")
		}
		return err
	})
}

// opened runs do with a process whose parts are closed afterwards.
func opened(ctx context.Context, stderr io.Writer, do func(*process.Process) error) (err error) {
	p, err := process.Open(ctx, "starter", stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	return do(p)
}

// replayCompletion starts one completion again. One that has ended without its effect needs a person's
// word for it, which the journal keeps.
func replayCompletion(ctx context.Context, tenant, fingerprint string, decision training.Decision, stdout, stderr io.Writer) error {
	f, err := training.ParseFingerprint(fingerprint)
	if err != nil {
		return err
	}
	return opened(ctx, stderr, func(p *process.Process) error {
		stored, err := p.Journal.Completion(ctx, tenant, f)
		if err != nil {
			return err
		}
		if stored.State.Replayable() {
			decision.Action = training.ActionReplay
			if err := decision.Validate([]training.Action{training.ActionReplay}); err != nil {
				return fmt.Errorf("replay: it has ended as %s; -by and -reason say who has it started again and why: %w", stored.State, err)
			}
			err = newDispatcher(p).Reopen(ctx, tenant, stored, decision)
		} else {
			err = newDispatcher(p).Replay(ctx, tenant, stored)
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(stdout, "started again:", f)
		return err
	})
}

// replayEnrollment has one enrollment begun again that has ended without a record. It needs a person's word for it, which
// the journal keeps.
func replayEnrollment(ctx context.Context, tenant, text string, decision training.Decision, stdout, stderr io.Writer) error {
	key, err := training.ParseEnrollmentKey(text)
	if err != nil {
		return err
	}
	decision.Action = training.ActionReplay
	if err := decision.Validate([]training.Action{training.ActionReplay}); err != nil {
		return fmt.Errorf("replay: -by and -reason say who has the enrollment begun again and why: %w", err)
	}
	return opened(ctx, stderr, func(p *process.Process) error {
		stored, err := p.Journal.Enrollment(ctx, tenant, key)
		if err != nil {
			return err
		}
		if err := newDispatcher(p).ReopenEnrollment(ctx, tenant, stored, decision); err != nil {
			return err
		}
		_, err = fmt.Fprintln(stdout, "queued again:", workflows.EnrollmentID(key))
		return err
	})
}

// replayer reads stored deliveries again, the way live ones are read. What is new in them is queued; what
// was known stays as it is, so that a replay can be repeated.
type replayer struct {
	journal *journal.Journal
	sources *sources
	maxBody int64
	out     io.Writer
}

// page is how many deliveries are listed at a time.
const page = 100

// all reads every unmapped delivery of a tenant again, or of one of its sources.
func (r replayer) all(ctx context.Context, tenant, source string) error {
	total, understood := 0, 0
	var failed []error // one source that is gone must not keep the others unread
	for after := ""; ; {
		found, err := r.journal.Unmapped(ctx, tenant, source, after, page)
		if err != nil {
			return err
		}
		for _, listed := range found {
			d, err := r.journal.Delivery(ctx, tenant, listed.ID) // with its body
			if err != nil {
				return err
			}
			ok, err := r.one(ctx, d)
			if ctx.Err() != nil {
				return err
			}
			if err != nil {
				failed = append(failed, err)
			}
			if ok {
				understood++
			}
			total, after = total+1, d.ID
		}
		if len(found) < page {
			break
		}
	}
	_, err := fmt.Fprintf(r.out, "%d of %d deliveries understood\n", understood, total)
	return errors.Join(append(failed, err)...)
}

// one reads a delivery again. understood is false where some of it is still unmapped. The order of the writes lets a crash between them do no harm: the next replay finds the completions
// known, and marks the delivery then.
func (r replayer) one(ctx context.Context, d journal.Delivery) (understood bool, err error) {
	source, ok := r.sources.Source(d.Tenant, d.Source)
	switch {
	case !ok:
		return false, fmt.Errorf("replay delivery %s: the settings have no source %s/%s", d.ID, d.Tenant, d.Source)
	case source.TestMode:
		return false, fmt.Errorf("replay delivery %s: source %s/%s is in test mode; set its mode to live first", d.ID, d.Tenant, d.Source)
	}
	request, err := ingress.Stored(source, d)
	if err != nil {
		return false, err
	}
	result := ingress.Read(source, request, r.maxBody)
	understood = result.Verdict != journal.VerdictUnmapped
	if !understood {
		if _, err := fmt.Fprintf(r.out, "%s: still unmapped: %s\n", d.ID, result.Reason); err != nil {
			return false, err
		}
		news, err := r.news(ctx, result)
		if !news || err != nil {
			return false, err // the entry that is there says it all
		}
	}
	again := d
	again.ID, again.ReceivedAt = journal.NewDeliveryID(), time.Time{} // now
	again.Verdict, again.Reason = result.Verdict, strings.TrimPrefix(result.Reason+"; replay of delivery "+d.ID, "; ")
	receipt, err := r.journal.Append(ctx, again, result.Completions, result.Enrollments...)
	if err != nil {
		return false, err
	}
	if err := r.journal.Replayed(ctx, d.Tenant, d.ID, receipt.DeliveryID); err != nil {
		return false, err
	}
	_, err = fmt.Fprintf(r.out, "%s: %s as delivery %s: %d completions, %d enrollments, %d ignored\n",
		d.ID, receipt.Verdict, receipt.DeliveryID, len(result.Completions), len(result.Enrollments), len(result.Ignored))
	return understood, err
}

// news reports whether any of the completions and enrollments is not in the journal yet.
func (r replayer) news(ctx context.Context, result ingress.Result) (bool, error) {
	for _, c := range result.Completions {
		_, err := r.journal.Completion(ctx, c.Tenant, c.Fingerprint())
		if errors.Is(err, journal.ErrNotFound) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
	for _, e := range result.Enrollments {
		_, err := r.journal.Enrollment(ctx, e.Tenant, e.Key())
		if errors.Is(err, journal.ErrNotFound) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
	return false, nil
}
