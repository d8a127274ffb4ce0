package dispatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"countersign/workflows"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
)

// Reconciliations keeps one Temporal Schedule for each tenant that wants to be reconciled daily (R143), and starts
// reconciliations on demand.
type Reconciliations struct {
	Temporal  client.Client
	Namespace string
	TaskQueue string
	Log       *slog.Logger
}

// Daily is when a tenant is reconciled, and with what.
type Daily struct {
	Tenant string
	// At is "HH:MM" by the wall clock of Zone; "" for never.
	At, Zone string
	Input    workflows.ReconciliationInput
}

// ErrUnderWay is wrapped by Start's error while the tenant's last reconciliation runs.
var ErrUnderWay = errors.New("a reconciliation of the tenant is under way")

const (
	// scheduleRetry is the pause while Temporal is away, scheduleCheck the one between two looks whether a Temporal
	// that has come back empty has lost the schedules.
	scheduleRetry = 10 * time.Second
	scheduleCheck = time.Hour
	// catchUp is how late a daily run may still begin after Temporal was away.
	catchUp = 12 * time.Hour
)

// scheduleID is the id of a tenant's schedule.
func scheduleID(tenant string) string { return "reconciliation/" + tenant }

// Keep brings the schedules in line with the settings, and makes those anew that Temporal has lost, until ctx ends.
// Whoever starts last wins, and what somebody has paused in the Web UI stays paused.
func (r Reconciliations) Keep(ctx context.Context, all []Daily) error {
	for brought := false; ; {
		err := r.keep(ctx, all, !brought)
		pause := scheduleCheck
		if err != nil && ctx.Err() == nil {
			pause = scheduleRetry
			r.Log.Warn("schedules of reconciliations will be brought up later", "error", err, "pause", pause)
		}
		brought = brought || err == nil
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// keep creates what is missing. With bring it changes what is there, and removes what nobody wants.
func (r Reconciliations) keep(ctx context.Context, all []Daily, bring bool) error {
	if err := registerAttributes(ctx, r.Temporal, r.Namespace); err != nil {
		return err
	}
	wanted := map[string]bool{}
	for _, d := range all {
		if d.At == "" {
			continue
		}
		wanted[scheduleID(d.Tenant)] = true
		if err := r.put(ctx, d, bring); err != nil {
			return fmt.Errorf("schedule reconciliation of %s: %w", d.Tenant, err)
		}
	}
	if !bring {
		return nil
	}
	return r.removeOthers(ctx, wanted)
}

// put creates the schedule or, with bring, brings it up to date.
func (r Reconciliations) put(ctx context.Context, d Daily, bring bool) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	spec, err := d.spec()
	if err != nil {
		return err
	}
	action := &client.ScheduleWorkflowAction{
		ID: scheduleID(d.Tenant), Workflow: workflows.ScheduledReconciliationWorkflow, Args: []any{d.Input}, TaskQueue: r.TaskQueue,
		StaticSummary:         workflows.ReconciliationSummary(d.Tenant),
		TypedSearchAttributes: workflows.InboxAttributes(d.Tenant),
	}
	_, err = r.Temporal.ScheduleClient().Create(ctx, client.ScheduleOptions{
		ID: scheduleID(d.Tenant), Spec: spec, Action: action,
		Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, CatchupWindow: catchUp,
	})
	if !errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		return err
	}
	if !bring {
		return nil
	}
	return r.Temporal.ScheduleClient().GetHandle(ctx, scheduleID(d.Tenant)).Update(ctx, client.ScheduleUpdateOptions{
		DoUpdate: func(is client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			schedule := is.Description.Schedule
			schedule.Spec, schedule.Action = &spec, action
			schedule.Policy = &client.SchedulePolicies{Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, CatchupWindow: catchUp}
			return &client.ScheduleUpdate{Schedule: &schedule}, nil
		},
	})
}

func (d Daily) spec() (client.ScheduleSpec, error) {
	hour, minute, _ := strings.Cut(d.At, ":")
	h, hourErr := strconv.Atoi(hour)
	m, minuteErr := strconv.Atoi(minute)
	if err := errors.Join(hourErr, minuteErr); err != nil {
		return client.ScheduleSpec{}, fmt.Errorf("time of day: %w", err)
	}
	return client.ScheduleSpec{
		Calendars:    []client.ScheduleCalendarSpec{{Hour: []client.ScheduleRange{{Start: h}}, Minute: []client.ScheduleRange{{Start: m}}}},
		TimeZoneName: d.Zone,
	}, nil
}

// removeOthers deletes schedules of tenants that want none any more. A namespace may hold those of another
// installation: only what starts work on our task queue is ours.
func (r Reconciliations) removeOthers(ctx context.Context, wanted map[string]bool) error {
	ctx, cancel := context.WithTimeout(ctx, 10*startTimeout)
	defer cancel()
	all, err := r.Temporal.ScheduleClient().List(ctx, client.ScheduleListOptions{PageSize: 100})
	if err != nil {
		return fmt.Errorf("list schedules: %w", err)
	}
	for all.HasNext() {
		entry, err := all.Next()
		if err != nil {
			return fmt.Errorf("list schedules: %w", err)
		}
		if !strings.HasPrefix(entry.ID, scheduleID("")) || wanted[entry.ID] {
			continue
		}
		if err := r.remove(ctx, entry.ID); err != nil {
			return fmt.Errorf("remove schedule %s: %w", entry.ID, err)
		}
	}
	return nil
}

func (r Reconciliations) remove(ctx context.Context, id string) error {
	handle := r.Temporal.ScheduleClient().GetHandle(ctx, id)
	described, err := handle.Describe(ctx)
	var gone *serviceerror.NotFound
	if errors.As(err, &gone) {
		return nil
	}
	if err != nil {
		return err
	}
	action, ok := described.Schedule.Action.(*client.ScheduleWorkflowAction)
	if !ok || action.TaskQueue != r.TaskQueue {
		return nil
	}
	if err := handle.Delete(ctx); err != nil && !errors.As(err, &gone) {
		return err
	}
	r.Log.Info("schedule of a reconciliation removed", "schedule", id)
	return nil
}

// Start starts a reconciliation on demand. Its error wraps ErrUnderWay while another one of the tenant runs.
func (r Reconciliations) Start(ctx context.Context, in workflows.ReconciliationInput) (client.WorkflowRun, error) {
	if err := registerAttributes(ctx, r.Temporal, r.Namespace); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	run, err := r.Temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: workflows.ReconciliationID(in.Tenant), TaskQueue: r.TaskQueue,
		WorkflowIDReusePolicy:                    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy:                 enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		StaticSummary:                            workflows.ReconciliationSummary(in.Tenant),
		TypedSearchAttributes:                    workflows.InboxAttributes(in.Tenant),
	}, workflows.ReconciliationWorkflow, in)
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return nil, fmt.Errorf("start reconciliation of %s: %w", in.Tenant, ErrUnderWay)
	}
	if err != nil {
		return nil, fmt.Errorf("start reconciliation of %s: %w", in.Tenant, err)
	}
	return run, nil
}
