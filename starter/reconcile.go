package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"countersign/internal/dispatch"
	"countersign/internal/journal"
	"countersign/internal/process"
	"countersign/internal/reconcile"
	"countersign/internal/settings"
	"countersign/workflows"

	"go.temporal.io/sdk/client"
)

const reconcileUsage = `usage: starter reconcile -tenant T [-from DATE] [-to DATE] [-source S] [-csv FILE] [-dry-run] [-detach]
                                                         compare LMS, journal, QMS and LRS now
       starter reconcile report -tenant T [-run ID] [-format text|html|csv] [-o FILE]
                                                         what a run has found, the latest one without -run
       starter reconcile list -tenant T                  the runs of a tenant, the latest first
`

// reconciled compares what LMS, journal, QMS and LRS say, on demand, and shows what runs have found (R143, R144).
func reconciled(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	switch {
	case len(args) > 0 && args[0] == "report":
		return reconcileReport(ctx, args[1:], stdout, stderr)
	case len(args) > 0 && args[0] == "list":
		return reconcileList(ctx, args[1:], stdout, stderr)
	}
	return reconcileNow(ctx, args, stdout, stderr)
}

func reconcileFlags(name string, stderr io.Writer) (*flag.FlagSet, *string) {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, reconcileUsage)
		flags.PrintDefaults()
	}
	return flags, flags.String("tenant", "", "the `tenant`")
}

// parsed parses flags that take no further arguments and need a tenant.
func parsed(flags *flag.FlagSet, args []string, tenant *string) error {
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 || *tenant == "" {
		flags.Usage()
		return errors.New(flags.Name() + ": wrong arguments")
	}
	return nil
}

func reconcileNow(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags, tenant := reconcileFlags("reconcile", stderr)
	var in workflows.ReconciliationInput
	flags.Func("from", "completions from this `date` on, as 2026-04-08 (UTC) or 2026-04-08T14:30:00Z; without it the settings' window", day(&in.From))
	flags.Func("to", "and before this `date`; without it until now", day(&in.To))
	flags.StringVar(&in.Source, "source", "", "only this `source`")
	flags.BoolVar(&in.DryRun, "dry-run", false, "start nothing")
	file := flags.String("csv", "", "a `file` with completions of -source, for an LMS that cannot be asked")
	detach := flags.Bool("detach", false, "do not wait for the end")
	if err := parsed(flags, args, tenant); err != nil {
		return err
	}
	return opened(ctx, stderr, func(p *process.Process) error {
		t, ok := p.Tenants.Tenant(*tenant)
		if !ok {
			return fmt.Errorf("reconcile: the settings have no tenant %s", *tenant)
		}
		if _, ok := t.Source(in.Source); in.Source != "" && !ok {
			return fmt.Errorf("reconcile: tenant %s has no source %s", t.ID, in.Source)
		}
		in.Tenant, in.Settings, in.DigestEvery = t.ID, t.Reconciliation.Rules, t.Policy.DigestEvery
		in.To = settled(in.From, in.To, time.Now().Add(-in.Settings.Settle))
		if !in.From.IsZero() && !in.From.Before(in.To) {
			return errors.New("reconcile: -from must lie before -to")
		}
		if *file != "" {
			upload, err := uploadFile(ctx, p.Journal, t, in.Source, *file, stdout)
			if err != nil {
				return err
			}
			in.Upload = upload
		}
		run, err := reconciliations(p).Start(ctx, in)
		if err != nil {
			return fmt.Errorf("reconcile: %w", err)
		}
		if _, err := fmt.Fprintln(stdout, "started: run", run.GetRunID()); err != nil || *detach {
			return err
		}
		return awaitReport(ctx, run, t.ID, stdout)
	})
}

// awaitReport waits for the end of a run, which goes on without whoever waits: that is said where the waiting ends
// first, because a run may take hours.
func awaitReport(ctx context.Context, run client.WorkflowRun, tenant string, stdout io.Writer) error {
	var report workflows.ReconciliationReport
	err := run.Get(ctx, &report)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("reconcile: no longer waited for; the run goes on: starter reconcile report -tenant %s -run %s", tenant, run.GetRunID())
	case err != nil:
		return fmt.Errorf("reconcile: run %s: %w", run.GetRunID(), err)
	}
	_, err = fmt.Fprintf(stdout, "run %s: %s; looked at %d\n", report.Run, report.Words(), report.Looked)
	return err
}

// settled is the end of the window that was asked for, zero where the workflow is to choose it. It never lies behind
// most: the event of what is fresher may be on its way, and need not state the instant that the listing does.
func settled(from, to, most time.Time) time.Time {
	if to.After(most) || to.IsZero() && !from.IsZero() {
		return most.UTC()
	}
	return to
}

// day reads a date into an instant.
func day(into *time.Time) func(string) error {
	return func(text string) error {
		for _, layout := range []string{time.RFC3339, time.DateOnly} {
			if t, err := time.Parse(layout, text); err == nil {
				*into = t.UTC()
				return nil
			}
		}
		return errors.New("want a date such as 2026-04-08 or 2026-04-08T14:30:00Z")
	}
}

// uploadFile reads a file once to say which of its rows cannot be read, and keeps it in the journal for the worker.
func uploadFile(ctx context.Context, j *journal.Journal, t settings.Tenant, source, name string, stdout io.Writer) (delivery string, err error) {
	from, ok := t.Source(source)
	if !ok {
		return "", errors.New("reconcile: -csv needs -source: whose completions are these?")
	}
	if from.Mode == settings.ModeTest {
		return "", fmt.Errorf("reconcile: source %s is in test mode; set its mode to live first", source)
	}
	zone, err := time.LoadLocation(t.Reconciliation.Rules.TimeZone)
	if err != nil {
		return "", fmt.Errorf("reconcile: %w", err)
	}
	body, err := readAtMost(name, reconcile.MaxFile)
	if err != nil {
		return "", fmt.Errorf("reconcile: %w", err)
	}
	file, err := reconcile.ReadFile(body, zone, reconcile.FilePlace{})
	if err != nil {
		return "", fmt.Errorf("reconcile: %s: %w", name, err)
	}
	good, bad := 0, 0
	for row, more := file.Next(); more; row, more = file.Next() {
		if row.Mistake == "" {
			good++
			continue
		}
		bad++
		if _, err := fmt.Fprintf(stdout, "line %d: %s\n", row.Line, row.Mistake); err != nil {
			return "", err
		}
	}
	if _, err := fmt.Fprintf(stdout, "%d rows can be read, %d cannot\n", good, bad); err != nil {
		return "", err
	}
	receipt, err := j.Append(ctx, journal.Delivery{
		Tenant: t.ID, Source: source, Platform: from.Platform, Method: "IMPORT", Path: "/reconciliation", Body: body,
		Verdict: journal.VerdictIgnored, Reason: "a file to be reconciled; its rows become deliveries of their own where they are missing",
	}, nil)
	return receipt.DeliveryID, err
}

// readAtMost reads a file that may not be longer than most bytes.
func readAtMost(name string, most int64) (body []byte, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	body, err = io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && int64(len(body)) > most {
		err = fmt.Errorf("%s is longer than %d bytes", name, most)
	}
	return body, err
}

func reconciliations(p *process.Process) dispatch.Reconciliations {
	return dispatch.Reconciliations{Temporal: p.Temporal, Namespace: p.Namespace, TaskQueue: p.Settings.TaskQueue, Log: p.Log}
}

// daily is when each tenant is reconciled.
func daily(p *process.Process) []dispatch.Daily {
	var all []dispatch.Daily
	for _, t := range p.Tenants.Tenants {
		all = append(all, dispatch.Daily{
			Tenant: t.ID, At: t.Reconciliation.Daily, Zone: t.Reconciliation.Rules.TimeZone,
			Input: workflows.ReconciliationInput{Tenant: t.ID, Settings: t.Reconciliation.Rules, DigestEvery: t.Policy.DigestEvery},
		})
	}
	return all
}
