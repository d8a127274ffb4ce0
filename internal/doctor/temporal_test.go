package doctor

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	namespacepb "go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"countersign/workflows"
)

// server is a Temporal of four answers. Whatever else it is asked, it panics.
type server struct {
	workflowservice.WorkflowServiceClient
	operatorservice.OperatorServiceClient
	down, space, list, queue error
	state                    enumspb.NamespaceState
	retention                time.Duration
	attributes               map[string]enumspb.IndexedValueType
	polled                   map[enumspb.TaskQueueType][]time.Time
	queues                   []string
	version                  string
}

func newServer() *server {
	return &server{
		version: "1.32.1",
		state:   enumspb.NAMESPACE_STATE_REGISTERED, retention: 90 * 24 * time.Hour, attributes: workflows.SearchAttributes(),
		polled: map[enumspb.TaskQueueType][]time.Time{
			enumspb.TASK_QUEUE_TYPE_WORKFLOW: {noon.Add(-time.Minute)}, enumspb.TASK_QUEUE_TYPE_ACTIVITY: {noon.Add(-time.Minute)},
		},
	}
}

func (s *server) WorkflowService() workflowservice.WorkflowServiceClient { return s }
func (s *server) OperatorService() operatorservice.OperatorServiceClient { return s }

func (s *server) GetSystemInfo(context.Context, *workflowservice.GetSystemInfoRequest, ...grpc.CallOption) (*workflowservice.GetSystemInfoResponse, error) {
	return &workflowservice.GetSystemInfoResponse{ServerVersion: s.version}, s.down
}

func (s *server) DescribeNamespace(context.Context, *workflowservice.DescribeNamespaceRequest, ...grpc.CallOption) (*workflowservice.DescribeNamespaceResponse, error) {
	return &workflowservice.DescribeNamespaceResponse{
		NamespaceInfo: &namespacepb.NamespaceInfo{State: s.state},
		Config:        &namespacepb.NamespaceConfig{WorkflowExecutionRetentionTtl: durationpb.New(s.retention)},
	}, s.space
}

func (s *server) ListSearchAttributes(context.Context, *operatorservice.ListSearchAttributesRequest, ...grpc.CallOption) (*operatorservice.ListSearchAttributesResponse, error) {
	return &operatorservice.ListSearchAttributesResponse{CustomAttributes: s.attributes}, s.list
}

func (s *server) DescribeTaskQueue(_ context.Context, in *workflowservice.DescribeTaskQueueRequest, _ ...grpc.CallOption) (*workflowservice.DescribeTaskQueueResponse, error) {
	s.queues = append(s.queues, in.GetTaskQueue().GetName())
	out := &workflowservice.DescribeTaskQueueResponse{}
	for _, at := range s.polled[in.GetTaskQueueType()] {
		out.Pollers = append(out.Pollers, &taskqueuepb.PollerInfo{Identity: "1@worker", LastAccessTime: timestamppb.New(at)})
	}
	return out, s.queue
}

func (s *server) examined(t testing.TB) []Finding {
	t.Helper()
	return engine{temporal: s, namespace: "prod", taskQueue: "countersign", now: atNoon}.run(t.Context())
}

func TestTemporalThatIsWell(t *testing.T) {
	s := newServer()
	require.Equal(t, map[string]Level{
		"temporal.reach": OK, "temporal.namespace": OK, "temporal.retention": OK, "temporal.attributes": OK, "temporal.workers": OK, "temporal.clock": OK,
	}, levelsOf(s.examined(t)))
	require.Equal(t, []string{"countersign", "countersign"}, s.queues)
}

func TestTemporalThatIsNot(t *testing.T) {
	const day = 24 * time.Hour
	workflow, activity := enumspb.TASK_QUEUE_TYPE_WORKFLOW, enumspb.TASK_QUEUE_TYPE_ACTIVITY
	denied := serviceerror.NewPermissionDenied("no", "")
	for _, test := range []struct {
		name, check string
		change      func(*server)
		want        Level
		says, fix   string
	}{
		{"away", "temporal.reach", func(s *server) { s.down = serviceerror.NewUnavailable("refused") }, Error, "unavailable", "TEMPORAL_ADDRESS"},
		{"slow", "temporal.reach", func(s *server) { s.down = context.DeadlineExceeded }, Error, "no answer in time", "TEMPORAL_ADDRESS"},
		{"old", "temporal.reach", func(s *server) { s.version = "1.28.3" }, Warning, "1.28.3 is older", "1.29"},
		{"nameless", "temporal.reach", func(s *server) { s.version = "" }, Note, "does not say its version", ""},
		{"no namespace", "temporal.namespace", func(s *server) { s.space = serviceerror.NewNamespaceNotFound("prod") }, Error, "no namespace prod", "namespace create --namespace prod"},
		{"being deleted", "temporal.namespace", func(s *server) { s.state = enumspb.NAMESPACE_STATE_DELETED }, Error, "deleted", "TEMPORAL_NAMESPACE"},
		{"may not look", "temporal.namespace", func(s *server) { s.space = denied }, Warning, "denies permission", "rights"},
		{"hours", "temporal.retention", func(s *server) { s.retention = 2 * time.Hour }, Error, "2 hours", "--retention 90d"},
		{"days", "temporal.retention", func(s *server) { s.retention = 3 * day }, Warning, "3 days", "--retention 90d"},
		{"no attributes", "temporal.attributes", func(s *server) { s.attributes = nil }, Error, "CountersignCourse, CountersignFailure", "--name CountersignTenant --type Keyword"},
		{"of another type", "temporal.attributes", func(s *server) {
			s.attributes["CountersignState"] = enumspb.INDEXED_VALUE_TYPE_TEXT
		}, Error, "CountersignState is Text, not Keyword", "remove"},
		{"may not list", "temporal.attributes", func(s *server) { s.list = denied }, Note, "could not be listed", "operate.md"},
		{"nobody polls", "temporal.workers", func(s *server) { s.polled = nil }, Error, "no worker polls", "start a worker"},
		{"nobody polls any more", "temporal.workers", func(s *server) { s.polled[workflow] = []time.Time{noon.Add(-10 * time.Minute)} }, Error, "workflow tasks", "start a worker"},
		{"no activities", "temporal.workers", func(s *server) { s.polled[activity] = nil }, Error, "activity tasks", "start a worker"},
		{"may not describe", "temporal.workers", func(s *server) { s.queue = errors.New("odd") }, Warning, "odd", "rights"},
		{"ahead", "temporal.clock", func(s *server) { s.polled[activity] = []time.Time{noon.Add(time.Minute)} }, Warning, "ahead of ours", "NTP"},
		{"far ahead", "temporal.clock", func(s *server) { s.polled[activity] = []time.Time{noon.Add(time.Hour)} }, Error, "ahead of ours", "NTP"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newServer()
			test.change(s)
			f := the(t, s.examined(t), test.check)
			require.Equal(t, test.want, f.Level, f.Text)
			require.Contains(t, f.Text, test.says)
			require.Contains(t, f.Fix, test.fix)
		})
	}
}
