package workflows

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"countersign/internal/training"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	sdkpb "go.temporal.io/api/sdk/v1"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/encoding/protojson"
)

// scribe notes what an operator sees of a workflow in the Web UI: the line beside each event, and in which
// state lists show it.
type scribe struct {
	interceptor.WorkerInterceptorBase
	mu sync.Mutex
	// summaries are of timers, activities and local activities: what for, and the line.
	summaries []line
	states    []string
	failures  []string
}

type line struct{ what, summary string }

func (s *scribe) note(what, summary string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.summaries = append(s.summaries, line{what, summary})
}

func (s *scribe) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	return &scribeInbound{WorkflowInboundInterceptorBase: interceptor.WorkflowInboundInterceptorBase{Next: next}, scribe: s}
}

type scribeInbound struct {
	interceptor.WorkflowInboundInterceptorBase
	scribe *scribe
}

func (i *scribeInbound) Init(next interceptor.WorkflowOutboundInterceptor) error {
	return i.Next.Init(&scribeOutbound{WorkflowOutboundInterceptorBase: interceptor.WorkflowOutboundInterceptorBase{Next: next}, scribe: i.scribe})
}

type scribeOutbound struct {
	interceptor.WorkflowOutboundInterceptorBase
	scribe *scribe
}

func (o *scribeOutbound) ExecuteActivity(ctx workflow.Context, name string, args ...any) workflow.Future {
	o.scribe.note(name, workflow.GetActivityOptions(ctx).Summary)
	return o.Next.ExecuteActivity(ctx, name, args...)
}

func (o *scribeOutbound) ExecuteLocalActivity(ctx workflow.Context, name string, args ...any) workflow.Future {
	o.scribe.note(name+" (local)", workflow.GetLocalActivityOptions(ctx).Summary)
	return o.Next.ExecuteLocalActivity(ctx, name, args...)
}

func (o *scribeOutbound) NewTimerWithOptions(ctx workflow.Context, d time.Duration, options workflow.TimerOptions) workflow.Future {
	o.scribe.note("timer", options.Summary)
	return o.Next.NewTimerWithOptions(ctx, d, options)
}

func (o *scribeOutbound) AwaitWithOptions(ctx workflow.Context, options workflow.AwaitOptions, condition func() bool) (bool, error) {
	o.scribe.note("timer", options.TimerOptions.Summary)
	return o.Next.AwaitWithOptions(ctx, options, condition)
}

func (o *scribeOutbound) UpsertTypedSearchAttributes(ctx workflow.Context, updates ...temporal.SearchAttributeUpdate) error {
	attributes := temporal.NewSearchAttributes(updates...)
	if state, ok := attributes.GetKeyword(StateAttribute); ok {
		failure, _ := attributes.GetKeyword(FailureAttribute)
		o.scribe.states = append(o.scribe.states, state)
		o.scribe.failures = append(o.scribe.failures, failure)
	}
	return o.Next.UpsertTypedSearchAttributes(ctx, updates...)
}

// readable is an environment whose every event is noted; what it waits with must be readable.
func readable(t *testing.T, w *world) (*testsuite.TestWorkflowEnvironment, *scribe) {
	t.Helper()
	s := &scribe{}
	env := environment(t, w)
	env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{s}})
	t.Cleanup(func() {
		require.NotEmpty(t, s.summaries)
		for _, l := range s.summaries {
			require.NotEmpty(t, l.summary, "%s says nothing", l.what)
			require.LessOrEqual(t, len(l.summary), 200, "more is cut off: %s", l.summary)
			require.NotContains(t, []string{"Sleep", "AwaitWithTimeout"}, l.summary, "%s says nothing of its own", l.what)
		}
	})
	return env, s
}

var pasted = regexp.MustCompile("(?s)```json\n(.*?)\n```")

// requirePage asserts what a person reads: three sentences, and decisions to paste that would be taken.
func requirePage(t *testing.T, page string, e training.Explanation, allowed ...training.Action) {
	t.Helper()
	for _, sentence := range []string{e.Happened, e.Means, e.Do} {
		require.NotEmpty(t, sentence)
		require.Contains(t, page, sentence)
	}
	var offered []training.Action
	for _, example := range pasted.FindAllStringSubmatch(page, -1) {
		var a answer
		require.NoError(t, json.Unmarshal([]byte(example[1]), &a))
		require.Empty(t, a.problem, example[1])
		require.NoError(t, a.Validate(allowed), example[1])
		offered = append(offered, a.Action)
	}
	require.ElementsMatch(t, allowed, offered)
	require.Contains(t, page, "the update `decide`")
}

// Every step that is tried again shows itself: in lists with the reason, on its page with the next times, the three
// sentences and what to paste, and beside each event with a line (R123).
func TestEveryRetryIsReadable_R123(t *testing.T) {
	down := func(n int) error {
		if n == 1 {
			return failing(training.FailureUnreachable)
		}
		return nil
	}
	for step, w := range map[string]*world{
		resolveLearner: {resolve: down},
		checkRecord: {check: func(n int) (RecordPlan, error) {
			return RecordPlan{RecordID: "TR-1", Target: training.RecordCompleted}, down(n)
		}},
		completeRecord: {complete: func(n int) (VerifiedRecord, error) {
			return VerifiedRecord{RecordID: "TR-1", Status: training.RecordCompleted}, down(n)
		}},
		issueCertificate: {certificate: func(n int) (Issued, error) { return Issued{ID: "CS-1"}, down(n) }},
		postStatement:    {statement: func(n int) (Issued, error) { return Issued{ID: "s"}, down(n) }},
	} {
		t.Run(step, func(t *testing.T) {
			env, s := readable(t, w)
			var page string
			env.RegisterDelayedCallback(func() {
				require.Equal(t, []string{"RETRYING"}, s.states, "listed while it waits")
				require.Equal(t, []string{"unreachable"}, s.failures, "and why")
				page = details(t, env)
			}, 30*time.Second)
			require.Equal(t, training.OutcomeCompleted, carried(t, env).Outcome)
			require.Equal(t, []time.Duration{time.Minute}, w.gaps(step))
			requirePage(t, page, training.FailureUnreachable.Explain(), training.ActionRetry)
			require.Contains(t, page, "Tries again at 2026-04-08 14:31:00 UTC")
			require.Contains(t, page, "again after 5m0s and 15m0s; then a person is asked")
			require.True(t, slices.ContainsFunc(s.summaries, func(l line) bool {
				return l.what == "timer" && l.summary == "retry 1 of 3 of "+step+": unreachable"
			}), s.summaries)
		})
	}
}

// Where nothing fails, nothing is upserted but the end, no timer is started, and each step is asked for once.
func TestNothingIsSpentWhereNothingFails(t *testing.T) {
	env, s := readable(t, &world{})
	carried(t, env)
	require.Equal(t, []string{"COMPLETED"}, s.states)
	var steps []string
	for _, l := range s.summaries {
		steps = append(steps, l.what)
	}
	require.Equal(t, []string{
		resolveLearner + " (local)", checkRecord + " (local)", completeRecord,
		issueCertificate + " (local)", postStatement + " (local)", recordOutcome + " (local)",
	}, steps)
}

// What fails is seen: the first attempt of a document is a local activity, the others are not.
func TestRetriesOfDocumentsAreOrdinaryActivities_R123(t *testing.T) {
	for _, step := range []string{issueCertificate, postStatement} {
		down := func(n int) (Issued, error) {
			if n < 4 {
				return Issued{}, failing(training.FailureUnreachable)
			}
			return Issued{ID: "done"}, nil
		}
		w := &world{statement: down}
		if step == issueCertificate {
			w = &world{certificate: down}
		}
		env, s := readable(t, w)
		require.Equal(t, training.OutcomeCompleted, carried(t, env).Outcome)
		require.Equal(t, []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute}, w.gaps(step))
		var tries []string
		for _, l := range s.summaries {
			if strings.HasPrefix(l.what, step) {
				tries = append(tries, l.what)
			}
		}
		require.Equal(t, []string{step + " (local)", step}, tries, "with its retries inside")
	}
}

// Every failure that a person is asked about, with what they may do.
func TestEveryReviewIsReadable_R139(t *testing.T) {
	for _, class := range training.FailureClasses() {
		if class == training.FailureHeld {
			continue // is waited out, and asks nobody
		}
		t.Run(string(class), func(t *testing.T) {
			w := &world{check: func(int) (RecordPlan, error) { return RecordPlan{}, failing(class) }}
			env, s := readable(t, w)
			w.onTold = func(InboxItem) { env.SignalWorkflow(ReviewSignal, decision(training.ActionClose)) }
			var page string
			read := func() {
				if text := details(t, env); strings.Contains(text, "Needs a review") {
					page = text
				}
			}
			w.onTold = nil
			env.RegisterDelayedCallback(read, 30*time.Minute)
			env.RegisterDelayedCallback(func() { env.SignalWorkflow(ReviewSignal, decision(training.ActionClose)) }, 8*24*time.Hour)
			carried(t, env)
			allowed := training.ReviewActions(training.Reviewed{Class: class, Failed: training.EffectRecord})
			requirePage(t, page, class.Explain(), allowed...)
			require.Contains(t, page, "Without a decision it ends as expired in review at")
			require.Equal(t, "IN_REVIEW", s.states[len(s.states)-3])
			require.Equal(t, string(class), s.failures[len(s.failures)-3])
			require.Equal(t, []string{"RUNNING", "CLOSED"}, s.states[len(s.states)-2:])
		})
	}
}

// The wait for an approval, before and after the first of four eyes, and while the QMS does not answer.
func TestEveryApprovalIsReadable_R120(t *testing.T) {
	w := &world{read: func(int) (Standing, error) { return Standing{}, failing(training.FailureUnreachable) }}
	pending(w)
	env, s := readable(t, w)
	in := input()
	in.Policy.Approval.FourEyes = true
	asked := training.Explanation{
		Happened: "The learner finished the course, and its training requires an approval.",
		Means:    "The training record is PENDING_APPROVAL; no certificate and no statement have been issued.",
		Do:       "Approve or reject it in the QMS, or send the signal `approval`",
	}
	env.RegisterDelayedCallback(func() {
		requirePage(t, details(t, env), asked, training.ApprovalActions()...)
		require.Contains(t, details(t, env), "could not be read the last time")
		require.Equal(t, []string{"WAITING_APPROVAL"}, s.states)
		env.SignalWorkflow(ApprovalSignal, decision(training.ActionApprove))
	}, 80*time.Hour)
	env.RegisterDelayedCallback(func() {
		requirePage(t, details(t, env), asked, training.ApprovalActions()...)
		require.Contains(t, details(t, env), "A second person has to approve as well")
		second := decision(training.ActionApprove)
		second.By = "a.roth"
		env.SignalWorkflow(ApprovalSignal, second)
	}, 81*time.Hour)
	env.ExecuteWorkflow(CompletionWorkflow, in)
	require.NoError(t, env.GetWorkflowError())
}

// Every signal and update says what it is for, with an example that would be taken; the inbox too.
func TestSignalsAndUpdatesAreDescribed(t *testing.T) {
	metadata := func(env *testsuite.TestWorkflowEnvironment) *sdkpb.WorkflowDefinition {
		value, err := env.QueryWorkflow("__temporal_workflow_metadata")
		require.NoError(t, err)
		var m sdkpb.WorkflowMetadata
		require.NoError(t, value.Get(&m))
		return m.GetDefinition()
	}
	example := regexp.MustCompile(`\{.*?\}`)

	w := &world{}
	pending(w)
	env, _ := readable(t, w)
	env.RegisterDelayedCallback(func() {
		definition := metadata(env)
		var names []string
		for _, d := range append(definition.GetSignalDefinitions(), definition.GetUpdateDefinitions()...) {
			names = append(names, d.GetName())
			if d.GetName() == ResumeSignal { // carries nothing
				require.NotEmpty(t, d.GetDescription())
				continue
			}
			var a answer
			require.NoError(t, json.Unmarshal([]byte(example.FindString(d.GetDescription())), &a), d.GetName())
			require.Empty(t, a.problem)
			require.NoError(t, a.Validate([]training.Action{a.Action}))
		}
		require.ElementsMatch(t, []string{ApprovalSignal, ReviewSignal, ResumeSignal, DecideUpdate}, names)
		env.SignalWorkflow(ApprovalSignal, decision(training.ActionApprove))
	}, time.Hour)
	carried(t, env)

	env, s := readable(t, &world{})
	var sent InboxItem
	env.RegisterDelayedCallback(func() {
		signals := metadata(env).GetSignalDefinitions()
		require.Len(t, signals, 2)
		require.Equal(t, []string{InboxSignal, InboxBundleSignal}, []string{signals[0].GetName(), signals[1].GetName()})
		require.Contains(t, signals[1].GetDescription(), "sent by Countersign itself")
		require.NoError(t, json.Unmarshal([]byte(example.FindString(signals[0].GetDescription())), &sent))
		require.True(t, sent.Kind.known())
		env.SignalWorkflow(InboxSignal, sent)
		env.SignalWorkflow(InboxSignal, parked("f/1", training.FailureRecordMissing))
	}, time.Minute)
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(InboxSignal, parked("f/2", training.FailureRecordMissing)) }, 2*time.Minute)
	env.RegisterDelayedCallback(func() {
		page := details(t, env)
		require.Contains(t, page, "| review record missing qms | 1 | 1 | 2 | 2026-04-08 14:51:00 UTC |")
		require.Contains(t, page, "outage qms")
	}, 3*time.Minute)
	env.RegisterDelayedCallback(env.CancelWorkflow, 24*time.Hour)
	env.ExecuteWorkflow(AdminInboxWorkflow, Inbox{Tenant: "acme", DigestEvery: 20 * time.Minute})
	require.Contains(t, s.summaries, line{"timer", "gather until the next notice, at 2026-04-08 14:51:00 UTC"})
}

// The inbox hears that a wait has ended, once for each and in order, also when the completion ends by it; one
// of an earlier time tells nothing.
func TestInboxHearsOfTheEndOfEveryWait(t *testing.T) {
	run := func(in CompletionInput, decide func(*testsuite.TestWorkflowEnvironment)) *world {
		w := &world{check: func(int) (RecordPlan, error) { return RecordPlan{}, failing(training.FailureRecordMissing) }}
		env := environment(t, w)
		decide(env)
		env.ExecuteWorkflow(CompletionWorkflow, in)
		require.NoError(t, env.GetWorkflowError())
		return w
	}
	twice := func(env *testsuite.TestWorkflowEnvironment) {
		env.RegisterDelayedCallback(func() { env.SignalWorkflow(ReviewSignal, decision(training.ActionRetry)) }, time.Hour)
		env.RegisterDelayedCallback(func() { env.SignalWorkflow(ReviewSignal, decision(training.ActionClose)) }, 2*time.Hour)
	}
	w := run(input(), twice)
	require.Len(t, w.told, 2)
	require.Len(t, w.ends, 2)
	for i, told := range w.told {
		require.True(t, told.Item.EndTold)
		require.Equal(t, CauseQMS, told.Item.Cause)
		require.Equal(t, InboxItem{Ended: told.Item.ID, Class: training.FailureRecordMissing, Cause: CauseQMS}, w.ends[i])
	}

	w = run(input(), func(*testsuite.TestWorkflowEnvironment) {})
	require.Len(t, w.ends, 1)
	require.True(t, w.ends[0].Expired)

	earlier := input()
	earlier.Steps = 0
	w = run(earlier, twice)
	require.Len(t, w.told, 2)
	require.False(t, w.told[0].Item.EndTold)
	require.Empty(t, w.ends)
}

// The recorded histories of today's steps, as a real server keeps them: what the test above sees is there too.
func TestRecordedEventsSayWhatTheyAre(t *testing.T) {
	for _, name := range []string{"retried", "review-told", "approval-told", "inbox-causes"} {
		raw, err := os.ReadFile("testdata/histories/" + name + ".json")
		require.NoError(t, err)
		var history historypb.History
		require.NoError(t, protojson.Unmarshal(raw, &history))
		said := 0
		for _, event := range history.GetEvents() {
			switch event.GetEventType() {
			case enumspb.EVENT_TYPE_TIMER_STARTED, enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
				require.NotNil(t, event.GetUserMetadata().GetSummary(), "%s: event %d", name, event.GetEventId())
				said++
			}
		}
		require.Positive(t, said)
	}
}
