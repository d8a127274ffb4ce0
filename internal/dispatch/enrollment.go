package dispatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"countersign/internal/journal"
	"countersign/internal/training"
	"countersign/workflows"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/temporal"
	"golang.org/x/sync/errgroup"
)

// EnrollmentJournal is what dispatch needs of the journal for enrollments.
type EnrollmentJournal interface {
	// ClaimEnrollments hands out queued enrollments, so that no more than limit are in flight in all.
	ClaimEnrollments(ctx context.Context, limit int, lease time.Duration) ([]journal.ClaimedEnrollment, error)
	EnrollmentStarted(ctx context.Context, tenant string, key training.EnrollmentKey) error
	ReleaseEnrollment(ctx context.Context, tenant string, key training.EnrollmentKey) error
	RequeueEnrollment(ctx context.Context, tenant string, key training.EnrollmentKey, updatedAt time.Time) error
	TouchEnrollment(ctx context.Context, tenant string, key training.EnrollmentKey) error
	StaleEnrollments(ctx context.Context, states []training.EnrollmentState, before time.Time, limit int) ([]journal.ClaimedEnrollment, error)
	ReopenEnrollment(ctx context.Context, tenant string, key training.EnrollmentKey, d training.Decision, via string) error
	ProjectEnrollment(ctx context.Context, tenant string, key training.EnrollmentKey, p journal.EnrollmentProjection) (int, error)
}

const (
	// enrollmentsEvery is the pause between two looks for enrollments: nobody waits for one as for a completion.
	enrollmentsEvery = time.Second
	// sweepEnrollments is how many one sweep asks after, of those that hold a slot and of those that hold none: however
	// many wait, a lost one must not keep its slot until the sweep has been through them.
	sweepEnrollments = 100
)

// startEnrollments starts what is queued until nothing is. Enrollments have a quarter of the slots for themselves, so that
// the assignment of a whole company neither waits for completions nor keeps them waiting.
//
// One that Temporal refuses for longer than refusalPatience is closed, and said: it would come first, and in vain, for
// ever, and keep the tenant's others waiting.
func (d *Dispatcher) startEnrollments(ctx context.Context) error {
	err := d.startClaimedEnrollments(ctx, refusedFor(d.enrollmentsRefused) > refusalPatience)
	if !errors.Is(err, errRefused) {
		d.enrollmentsRefused = time.Time{}
		return err
	}
	if d.enrollmentsRefused.IsZero() {
		d.enrollmentsRefused = time.Now()
	}
	// A Temporal that has come back empty knows the search attributes no more.
	return errors.Join(err, registerAttributes(ctx, d.cfg.Temporal, d.cfg.Namespace))
}

func (d *Dispatcher) startClaimedEnrollments(ctx context.Context, giveUp bool) error {
	for {
		claimed, err := d.cfg.Journal.ClaimEnrollments(ctx, max(1, d.cfg.InFlight/4), d.cfg.Lease)
		if err != nil || len(claimed) == 0 {
			return err
		}
		errs := make([]error, len(claimed))
		var g errgroup.Group
		g.SetLimit(startsAtOnce)
		for i, c := range claimed {
			g.Go(func() error {
				errs[i] = d.startEnrollment(ctx, c)
				if giveUp && errors.Is(errs[i], errRefused) {
					errs[i] = d.abandonEnrollment(ctx, c, endedOutside+"could not be started")
				}
				return nil
			})
		}
		_ = g.Wait() // every error is in errs
		if err := errors.Join(errs...); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(busyPause):
		}
	}
}

// startEnrollment starts the workflow of one claimed enrollment, or gives the claim back. Starting twice is
// harmless: the workflow id is made of the key.
func (d *Dispatcher) startEnrollment(ctx context.Context, c journal.ClaimedEnrollment) error {
	// One that was lost with its journal entry still open is begun again; one that has ended well is not, unless a person
	// has said so, which the journal keeps.
	reuse := enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY
	if c.Replayed {
		reuse = enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
	}
	err := d.execute(ctx, workflowStart{
		workflow: workflows.EnrollmentWorkflow, id: workflows.EnrollmentID(c.Key), reuse: reuse, tenant: c.Tenant, delivery: c.DeliveryID,
		input: workflows.EnrollmentInput{
			Tenant: c.Tenant, Source: c.Source, Platform: c.Platform, Key: c.Key, Course: c.CourseLabel, Policy: d.cfg.Policy(c.Tenant),
			QMSQueue: d.cfg.QMSQueue(c.Tenant), Steps: workflows.CurrentEnrollmentSteps,
		},
	})
	if err == nil || temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return d.cfg.Journal.EnrollmentStarted(ctx, c.Tenant, c.Key)
	}
	released := d.cfg.Journal.ReleaseEnrollment(context.WithoutCancel(ctx), c.Tenant, c.Key)
	return errors.Join(fmt.Errorf("start enrollment %s: %w", c.Key, err), released)
}

// sweepStaleEnrollments asks Temporal after enrollments that have not been heard of for a while: one whose
// workflow is gone is queued again, and one that was ended from outside is closed, and said.
func (d *Dispatcher) sweepStaleEnrollments(ctx context.Context) error {
	before := time.Now().Add(-d.cfg.StaleAfter)
	holding, err := d.cfg.Journal.StaleEnrollments(ctx, []training.EnrollmentState{training.EnrollmentRunning}, before, sweepEnrollments)
	if err != nil {
		return err
	}
	waiting, err := d.cfg.Journal.StaleEnrollments(ctx, []training.EnrollmentState{training.EnrollmentRetrying, training.EnrollmentInReview}, before, sweepEnrollments)
	if err != nil {
		return err
	}
	var errs []error
	for _, c := range append(holding, waiting...) {
		err := d.askAfterEnrollment(ctx, c)
		if errs = append(errs, err); away(err) {
			break // it will not answer for the others either
		}
	}
	return errors.Join(errs...)
}

func (d *Dispatcher) askAfterEnrollment(ctx context.Context, c journal.ClaimedEnrollment) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	described, err := d.cfg.Temporal.DescribeWorkflowExecution(ctx, workflows.EnrollmentID(c.Key), "")
	var gone *serviceerror.NotFound
	switch {
	case errors.As(err, &gone):
		d.enrollmentLog(c).Warn("workflow is gone, queued again")
		return d.cfg.Journal.RequeueEnrollment(ctx, c.Tenant, c.Key, c.UpdatedAt)
	case err != nil:
		return fmt.Errorf("ask after enrollment %s: %w", c.Key, err)
	}
	switch status := described.GetWorkflowExecutionInfo().GetStatus(); status {
	case enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING:
		return d.cfg.Journal.TouchEnrollment(ctx, c.Tenant, c.Key)
	case enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED:
		// The journal was restored from a backup: what the workflow knows is written again.
		var result workflows.EnrollmentResult
		if err := d.cfg.Temporal.GetWorkflow(ctx, workflows.EnrollmentID(c.Key), "").Get(ctx, &result); err != nil {
			return fmt.Errorf("read result of enrollment %s: %w", c.Key, err)
		}
		_, err := d.cfg.Journal.ProjectEnrollment(ctx, c.Tenant, c.Key, journal.EnrollmentProjection{State: result.State, RecordID: result.RecordID})
		return err
	default:
		return d.abandonEnrollment(ctx, c, endedOutside+status.String())
	}
}

// abandonEnrollment closes an enrollment that no workflow carries any more. Its completion still finds a record by a search.
func (d *Dispatcher) abandonEnrollment(ctx context.Context, c journal.ClaimedEnrollment, detail string) error {
	d.enrollmentLog(c).Error("no workflow carries the enrollment, closed", "detail", detail)
	err := d.inbox.Tell(ctx, workflows.TellAdmins{Tenant: c.Tenant, Item: workflows.InboxItem{
		ID: workflows.EnrollmentID(c.Key) + "/" + detail, Course: workflows.EnrollmentLabel + c.CourseLabel,
		Class: training.FailureDefect, Detail: detail, Cause: workflows.CauseEnrollment,
		DigestEvery: d.cfg.Policy(c.Tenant).DigestEvery, DigestLongest: d.cfg.Policy(c.Tenant).DigestLongest,
	}})
	if err != nil {
		return err
	}
	_, err = d.cfg.Journal.ProjectEnrollment(ctx, c.Tenant, c.Key, journal.EnrollmentProjection{
		State: training.EnrollmentClosed, FailureClass: training.FailureDefect, FailureDetail: detail,
	})
	return err
}

func (d *Dispatcher) enrollmentLog(c journal.ClaimedEnrollment) *slog.Logger {
	return d.cfg.Log.With("tenant", c.Tenant, "enrollment", string(c.Key), "delivery", c.DeliveryID)
}
