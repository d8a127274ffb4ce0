package workflows

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"countersign/internal/training"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// How people speak to a completion: two signals for the Temporal Web UI and CLI, one update for
// the console. All three carry a training.Decision and meet in one handler.
const (
	ApprovalSignal = "approval"
	ReviewSignal   = "review"
	DecideUpdate   = "decide"
)

// How a decision came, as the journal keeps it.
const (
	viaSignal = "signal"
	viaUpdate = "update"
	viaQMS    = "qms"
	viaOutage = "outage"
	// viaEnrollment is a record that an enrollment has brought.
	viaEnrollment = "enrollment"
)

// openDesk registers the handlers. It must come before the first step, so that the Web UI
// knows them from the beginning.
func openDesk(ctx workflow.Context) (*desk, error) {
	d := &desk{show: func(workflow.Context) {}}
	workflow.GetSignalChannelWithOptions(ctx, ApprovalSignal, workflow.SignalChannelOptions{
		Description: "Decide about a record that is PENDING_APPROVAL: " + training.ActionApprove.Example() +
			` or "reject". "meaning" may say what your signature means. The learner must not sign.`,
	})
	workflow.GetSignalChannelWithOptions(ctx, ReviewSignal, workflow.SignalChannelOptions{
		Description: "Decide about a completion in review: " + training.ActionRetry.Example() +
			` or another action that the details offer. "retry" also ends the wait for the next attempt.`,
	})
	workflow.GetSignalChannelWithOptions(ctx, ResumeSignal, workflow.SignalChannelOptions{
		Description: "Look at once whether the target answers again. Sent by Countersign itself; it carries nothing, and decides nothing.",
	})
	return d, d.takeUpdates(ctx, "completion")
}

// takeUpdates registers the update behind the console's button; what is carried by the workflow.
func (d *desk) takeUpdates(ctx workflow.Context, what string) error {
	return workflow.SetUpdateHandlerWithOptions(ctx, DecideUpdate,
		func(ctx workflow.Context, a answer) error { return d.offer(ctx, a, viaUpdate) },
		workflow.UpdateHandlerOptions{
			Description: "Decide about the wait that the " + what + " is in, for example " + training.ActionRetry.Example() +
				"; what does not fit is refused with the reason.",
			Validator: d.check,
		})
}

// viaOf is how a signal came: what Countersign has signed itself is the end of an outage.
func viaOf(d training.Decision) string {
	if d.By == training.ByCountersign {
		return viaOutage
	}
	return viaSignal
}

// answer is a decision as somebody has sent it. It can always be decoded, so that what cannot be
// understood in it reaches the person instead of a worker's log.
type answer struct {
	training.Decision

	// problem says what cannot be understood, "" for nothing.
	problem string
}

// UnmarshalJSON never fails. An unknown field is a problem: a misspelt one would otherwise be no field.
func (a *answer) UnmarshalJSON(data []byte) error {
	*a = answer{}
	strict := json.NewDecoder(bytes.NewReader(data))
	strict.DisallowUnknownFields()
	err := strict.Decode(&a.Decision)
	if err == nil {
		return nil
	}
	a.Decision = training.Decision{}
	var wrong *json.UnmarshalTypeError
	switch lenient := json.Unmarshal(data, &a.Decision); {
	case lenient == nil:
		// What decodes but for a field that nobody knows; the text names it.
		a.problem = clip(strings.TrimPrefix(err.Error(), "json: "), 100)
	case errors.As(lenient, &wrong) && wrong.Field != "":
		a.Decision, a.problem = training.Decision{}, wrong.Field+" must be a text"
	default:
		a.Decision, a.problem = training.Decision{}, "a decision is a JSON object such as "+training.ActionRetry.Example()
	}
	return nil
}

// refused is the error by which an update learns why its decision was not taken.
func refused(why string, values ...any) error {
	return temporal.NewNonRetryableApplicationError(fmt.Sprintf(why, values...), "decision_refused", nil)
}

// why is the text of an error that refused has made.
func why(err error) string {
	var application *temporal.ApplicationError
	if errors.As(err, &application) {
		return application.Message()
	}
	return err.Error()
}
