package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"

	"countersign/workflows"
)

// Temporal are the services of a Temporal client. Only describing and listing calls are made.
type Temporal interface {
	WorkflowService() workflowservice.WorkflowServiceClient
	OperatorService() operatorservice.OperatorServiceClient
}

// engine checks Temporal: without it deliveries are acknowledged all the same, and nothing is carried.
type engine struct {
	temporal Temporal

	namespace, taskQueue string
	now                  func() time.Time
}

func (e engine) run(ctx context.Context) []Finding {
	info, err := e.temporal.WorkflowService().GetSystemInfo(ctx, &workflowservice.GetSystemInfoRequest{})
	if err != nil {
		return []Finding{
			unfit(Error, "temporal.reach", "Temporal does not answer: "+refusal(err), "see whether it runs, and compare TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and the TLS or API key variables"),
			unfit(Note, "temporal.asked", "namespace, search attributes and workers were not asked for; deliveries are acknowledged meanwhile, and wait", ""),
		}
	}
	found := []Finding{version(info.GetServerVersion())}
	space, exists := e.space(ctx)
	found = append(found, space...)
	if !exists {
		return found
	}
	found = append(found, e.attributes(ctx))
	return append(found, e.workers(ctx)...)
}

// oldestServer is the first with all that is used: task queues that are fair between tenants came with 1.29.
const oldestServer = 29

func version(server string) Finding {
	var major, minor int
	if n, err := fmt.Sscanf(server, "%d.%d", &major, &minor); n != 2 || err != nil {
		return unfit(Note, "temporal.reach", "Temporal answers, and does not say its version", "")
	}
	if major == 1 && minor < oldestServer {
		return unfit(Warning, "temporal.reach", fmt.Sprintf("Temporal server %s is older than all that this version was tried with", server),
			fmt.Sprintf("update it to 1.%d or later", oldestServer))
	}
	return fine("temporal.reach", "Temporal server %s", server)
}

// space checks the namespace and how long it remembers.
func (e engine) space(ctx context.Context) (found []Finding, exists bool) {
	described, err := e.temporal.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: e.namespace})
	var none *serviceerror.NamespaceNotFound
	switch {
	case errors.As(err, &none):
		return []Finding{unfit(Error, "temporal.namespace", "there is no namespace "+e.namespace,
			fmt.Sprintf("temporal operator namespace create --namespace %s --retention 90d", e.namespace))}, false
	case err != nil:
		return []Finding{unfit(Warning, "temporal.namespace", "the namespace "+e.namespace+" could not be looked at: "+refusal(err), "see which rights the key or certificate has")}, true
	case described.GetNamespaceInfo().GetState() != enumspb.NAMESPACE_STATE_REGISTERED:
		return []Finding{unfit(Error, "temporal.namespace", "the namespace "+e.namespace+" is being deleted or is out of use", "choose another one in TEMPORAL_NAMESPACE")}, false
	}
	return []Finding{
		fine("temporal.namespace", "namespace %s", e.namespace),
		retention(described.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration(), e.namespace),
	}, true
}

const (
	// retentionShort is less than the longest outage of ours that should do no harm: a long weekend and a bit.
	retentionShort = 7 * 24 * time.Hour
	retentionNone  = 24 * time.Hour
)

// retention judges how long ended workflows are kept. Waiting ones never count: a review of 90 days runs all
// that time. That a completion was carried is known to the journal for ever, so retention guards
// no doubling; what it guards is that the sweep, after an outage of ours, tells an ended workflow from a lost one.
func retention(d time.Duration, namespace string) Finding {
	const check = "temporal.retention"
	fix := fmt.Sprintf("temporal operator namespace update --namespace %s --retention 90d", namespace)
	text := fmt.Sprintf("ended workflows are kept for %s", days(d))
	switch {
	case d < retentionNone:
		return unfit(Error, check, text+": after a short outage of the starter one that was terminated looks like one that was lost, and is started again", fix)
	case d < retentionShort:
		return unfit(Warning, check, text+": an outage of the starter that is longer confuses terminated workflows with lost ones", fix)
	default:
		return fine(check, "%s; waiting ones run on however long, and the journal remembers for ever", text)
	}
}

// attributes checks that workflows can be started with the search attributes they have.
func (e engine) attributes(ctx context.Context) Finding {
	const check = "temporal.attributes"
	listed, err := e.temporal.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: e.namespace})
	if err != nil {
		return unfit(Note, check, "search attributes could not be listed: "+refusal(err), "look at the namespace's page for those of docs/operate.md, type Keyword")
	}
	var missing, other, commands []string
	for name, want := range workflows.SearchAttributes() {
		switch got, ok := listed.GetCustomAttributes()[name]; {
		case !ok:
			missing = append(missing, name)
			commands = append(commands, fmt.Sprintf("--name %s --type %s", name, want))
		case got != want:
			other = append(other, fmt.Sprintf("%s is %s, not %s", name, got, want))
		}
	}
	slices.Sort(missing)
	slices.Sort(other)
	slices.Sort(commands)
	switch {
	case len(other) > 0:
		return unfit(Error, check, strings.Join(other, "; ")+": no completion can be started", "have them removed (temporal operator search-attribute remove), or use a namespace of its own")
	case len(missing) > 0:
		return unfit(Error, check, "not registered: "+strings.Join(missing, ", ")+"; no completion can be started",
			"start the starter, which registers them if it may; else temporal operator search-attribute create --namespace "+e.namespace+" "+strings.Join(commands, " "))
	default:
		return fine(check, "all %d search attributes are registered", len(workflows.SearchAttributes()))
	}
}

// pollerGone is when a worker that has not asked for work is called gone; a poll lasts a minute.
const pollerGone = 2 * time.Minute

// workers checks that somebody polls the task queue, for workflows and for activities.
func (e engine) workers(ctx context.Context) []Finding {
	const check = "temporal.workers"
	var last time.Time
	seen := map[string]bool{}
	for _, kind := range []enumspb.TaskQueueType{enumspb.TASK_QUEUE_TYPE_WORKFLOW, enumspb.TASK_QUEUE_TYPE_ACTIVITY} {
		described, err := e.temporal.WorkflowService().DescribeTaskQueue(ctx, &workflowservice.DescribeTaskQueueRequest{
			Namespace: e.namespace, TaskQueue: &taskqueuepb.TaskQueue{Name: e.taskQueue}, TaskQueueType: kind,
		})
		if err != nil {
			return []Finding{unfit(Warning, check, "the task queue could not be looked at: "+refusal(err), "see which rights the key or certificate has")}
		}
		alive := 0
		for _, poller := range described.GetPollers() {
			at := poller.GetLastAccessTime().AsTime()
			if at.After(last) {
				last = at
			}
			if e.now().Sub(at) < pollerGone {
				alive++
				seen[poller.GetIdentity()] = true
			}
		}
		if alive == 0 {
			return []Finding{unfit(Error, check, fmt.Sprintf("no worker polls the task queue %s for its %s tasks: deliveries are acknowledged, and nothing is carried", e.taskQueue, strings.ToLower(kind.String())),
				"start a worker, with the same COUNTERSIGN_TASK_QUEUE and TEMPORAL_* as the starter")}
		}
	}
	found := []Finding{fine(check, "%s the task queue %s", plural(len(seen), "worker polls", "workers poll"), e.taskQueue)}
	// Temporal's answers carry no clock, but a poll in our future can only mean one thing.
	if ahead := last.Sub(e.now()); ahead >= skewDoubtful {
		return append(found, judgeSkew("temporal.clock", "Temporal", ahead))
	}
	return append(found, fine("temporal.clock", "Temporal's clock is not ahead of ours; whether it is behind, its answers do not tell"))
}

// refusal is what Temporal said, without the address, in one line.
func refusal(err error) string {
	var (
		unavailable *serviceerror.Unavailable
		denied      *serviceerror.PermissionDenied
		slow        *serviceerror.DeadlineExceeded
	)
	switch {
	case errors.As(err, &slow), errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &denied):
		return "it denies permission"
	case errors.As(err, &unavailable):
		return "it is unavailable (" + err.Error() + ")"
	default:
		return err.Error()
	}
}
