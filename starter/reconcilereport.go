package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"text/tabwriter"
	"time"

	"countersign/internal/journal"
	"countersign/internal/process"
	"countersign/internal/reconcile"
	"countersign/internal/training"
)

// reconcileReport writes what a run has found. With -o the file is ours alone to read: dates and scores stand in it.
func reconcileReport(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags, tenant := reconcileFlags("reconcile report", stderr)
	run := flags.String("run", "", "`id` of the run; without it the latest")
	format := flags.String("format", "text", "`format`: text, html or csv")
	file := flags.String("o", "", "write to this `file` instead of standard output")
	if err := parsed(flags, args, tenant); err != nil {
		return err
	}
	write, ok := map[string]func(reconcile.Report, io.Writer) error{
		"text": reconcile.Report.Text, "html": reconcile.Report.HTML, "csv": reconcile.Report.CSV,
	}[*format]
	if !ok {
		flags.Usage()
		return errors.New("reconcile report: -format must be text, html or csv")
	}
	return opened(ctx, stderr, func(p *process.Process) (err error) {
		report, err := readReport(ctx, p.Journal, *tenant, *run)
		if err != nil {
			return fmt.Errorf("reconcile report: %w", err)
		}
		out := stdout
		if *file != "" {
			to, err := os.OpenFile(*file, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
			if err != nil {
				return fmt.Errorf("reconcile report: %w", err)
			}
			// A file that was there before keeps its mode when it is opened.
			if err := to.Chmod(0o600); err != nil {
				return errors.Join(fmt.Errorf("reconcile report: %w", err), to.Close())
			}
			return errors.Join(write(report, to), to.Close())
		}
		return write(report, out)
	})
}

// rowsAtOnce is how many mismatches are read at a time.
const rowsAtOnce = 500

// readReport gathers a run's report; its rows are read while they are written.
func readReport(ctx context.Context, j *journal.Journal, tenant, run string) (reconcile.Report, error) {
	r, err := j.Reconciliation(ctx, tenant, run)
	if err != nil {
		return reconcile.Report{}, err
	}
	report := reconcile.Report{
		Tenant: r.Tenant, Run: r.Run, From: r.From, To: r.To, StartedAt: r.StartedAt, EndedAt: r.EndedAt, Source: r.Source, DryRun: r.DryRun,
		Counts: map[training.MismatchKind]reconcile.Count{},
	}
	parts, err := j.ReconciliationParts(ctx, tenant, r.Run)
	if err != nil {
		return report, err
	}
	for _, p := range parts {
		report.Parts = append(report.Parts, reconcile.Part{Name: p.Part, Looked: p.Looked, Done: p.Done, Failure: p.Failure})
	}
	counts, err := j.MismatchCounts(ctx, tenant, r.Run)
	if err != nil {
		return report, err
	}
	for kind, c := range counts {
		report.Counts[kind] = reconcile.Count{N: c.N, Started: c.Started, Carried: c.Carried, New: c.New}
	}
	report.Rows = func(kind training.MismatchKind) iter.Seq2[training.Mismatch, error] {
		return mismatches(ctx, j, tenant, r.Run, kind)
	}
	return report, nil
}

func mismatches(ctx context.Context, j *journal.Journal, tenant, run string, kind training.MismatchKind) iter.Seq2[training.Mismatch, error] {
	return func(yield func(training.Mismatch, error) bool) {
		for after := (journal.MismatchPlace{}); ; {
			found, err := j.Mismatches(ctx, tenant, run, kind, after, rowsAtOnce)
			if err != nil {
				yield(training.Mismatch{}, err)
				return
			}
			for _, m := range found {
				after = journal.MismatchPlace{Kind: m.Kind, ID: m.ID()}
				if !yield(m, nil) {
					return
				}
			}
			if len(found) < rowsAtOnce {
				return
			}
		}
	}
}

// reconcileList lists the runs of a tenant.
func reconcileList(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags, tenant := reconcileFlags("reconcile list", stderr)
	limit := flags.Int("n", 30, "how many")
	if err := parsed(flags, args, tenant); err != nil {
		return err
	}
	return opened(ctx, stderr, func(p *process.Process) error {
		runs, err := p.Journal.Reconciliations(ctx, *tenant, *limit)
		if err != nil {
			return fmt.Errorf("reconcile list: %w", err)
		}
		out := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(out, "RUN\tBEGUN\tCOMPLETIONS OF\tMISMATCHES\tSTARTED\t")
		for _, r := range runs {
			counts, err := p.Journal.MismatchCounts(ctx, *tenant, r.Run)
			if err != nil {
				return fmt.Errorf("reconcile list: %w", err)
			}
			n, started := 0, 0
			for _, c := range counts {
				n, started = n+c.N, started+c.Started
			}
			fmt.Fprintf(out, "%s\t%s\t%s to %s\t%d\t%d\t%s\n", r.Run, r.StartedAt.UTC().Format(time.RFC3339),
				r.From.UTC().Format(time.RFC3339), r.To.UTC().Format(time.RFC3339), n, started, remark(r))
		}
		return out.Flush() // tabwriter keeps every write error for Flush
	})
}

func remark(r journal.Reconciliation) string {
	switch {
	case r.EndedAt.IsZero():
		return "under way, or ended from outside"
	case r.DryRun:
		return "dry run"
	}
	return ""
}
