package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"countersign/internal/dispatch"
	"countersign/internal/journal"
	"countersign/internal/process"
	"countersign/internal/training"
	"countersign/workflows"
)

// tellTimeout is how long Temporal may take to hear of a change. It is in the journal by then, and holds.
const tellTimeout = 10 * time.Second

// changeTarget pauses or resumes a tenant's QMS because a named person says so (law 5).
func changeTarget(ctx context.Context, action training.Action, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("starter "+string(action), flag.ContinueOnError)
	flags.SetOutput(stderr)
	tenant := flags.String("tenant", "", "`id` of the tenant")
	decision := training.Decision{Action: action}
	flags.StringVar(&decision.By, "by", "", "`name` of the person who decides")
	flags.StringVar(&decision.Reason, "reason", "", "`why`, kept with the change")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 || *tenant == "" {
		flags.Usage()
		return fmt.Errorf("%s: wrong arguments", action)
	}
	if err := decision.Validate([]training.Action{action}); err != nil {
		return fmt.Errorf("%s: %w", action, err)
	}
	return opened(ctx, stderr, func(p *process.Process) error {
		policy := training.DefaultPolicy()
		if t, ok := p.Tenants.Tenant(*tenant); ok {
			policy = t.Policy
		} else if known, err := p.Journal.Target(ctx, *tenant, training.TargetQMS); err != nil {
			return err
		} else if action != training.ActionResume || !known.State.Holds() { // what was paused can be resumed after its settings are gone
			return fmt.Errorf("%s: the settings have no tenant %s", action, *tenant)
		}
		changed, err := change(ctx, p.Journal, *tenant, decision, time.Now())
		if err != nil {
			return err
		}
		if !changed {
			_, err := fmt.Fprintf(stdout, "nothing changed: the QMS of %s is %s already\n", *tenant, is(action))
			return err
		}
		telling, cancel := context.WithTimeout(ctx, tellTimeout)
		defer cancel()
		outages := dispatch.Outages{Temporal: p.Temporal, Namespace: p.Namespace, TaskQueue: p.Settings.TaskQueue}
		err = outages.Changed(telling, workflows.NewOutage(*tenant, training.TargetQMS, policy))
		if err != nil { // the sweep makes up for it
			p.Log.Warn("Temporal does not know of it yet", "error", err)
		}
		_, err = fmt.Fprintf(stdout, "the QMS of %s is %s\n", *tenant, is(action))
		return err
	})
}

func is(action training.Action) string { return string(action) + "d" }

// change writes it to the journal, by which dispatch and workers go, whether Temporal is there or not.
func change(ctx context.Context, j *journal.Journal, tenant string, d training.Decision, now time.Time) (changed bool, err error) {
	if d.Action == training.ActionResume {
		return j.Resume(ctx, tenant, training.TargetQMS, d)
	}
	incident := tenant + "/" + training.TargetQMS + "/" + now.UTC().Format("20060102T150405.000Z")
	return j.Pause(ctx, tenant, training.TargetQMS, incident, d)
}

// showTargets lists the targets of all tenants.
func showTargets(ctx context.Context, stdout, stderr io.Writer) error {
	return opened(ctx, stderr, func(p *process.Process) error {
		known, err := p.Journal.Targets(ctx)
		if err != nil {
			return err
		}
		uses, err := p.Journal.BudgetUses(ctx)
		if err != nil {
			return err
		}
		out := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(out, "TENANT\tTARGET\tSTATE\tSINCE\tWHY\tCALLS TODAY")
		for _, t := range p.Tenants.Tenants {
			target := journal.Target{Tenant: t.ID, Name: training.TargetQMS, State: training.TargetAnswering}
			for _, k := range known {
				if k.Tenant == t.ID && k.Name == training.TargetQMS {
					target = k
				}
			}
			since, why := "", ""
			if !target.Since.IsZero() {
				since = target.Since.Format(time.RFC3339)
			}
			if target.State.Holds() {
				why = workflows.TargetStanding{
					State: target.State, BeganAt: target.BeganAt, Until: target.Until,
					Class: target.Class, Detail: target.Detail, By: target.By, Reason: target.Reason,
				}.Why()
			}
			calls := ""
			for _, use := range uses {
				if limit := t.QMS.Budget.PerDay; use.Tenant == t.ID && limit > 0 {
					calls = fmt.Sprintf("%d of %d since %s", use.Used, limit, use.Period.Format(time.RFC3339))
				}
			}
			fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, target.Name, target.State, since, why, calls)
		}
		return out.Flush() // tabwriter keeps every write error for Flush
	})
}
