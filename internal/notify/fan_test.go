package notify_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/lms/signature"
	"countersign/internal/notify"
	"countersign/internal/simulator/fault"
	"countersign/internal/simulator/hooksink"
	"countersign/internal/simulator/mailsink"
)

// outside is a Fan over all channels, with the other sides of them.
type outside struct {
	fan   *notify.Fan
	hooks *hooksink.Sink
	mails *mailsink.Sink
	log   bytes.Buffer
	now   time.Time
}

func fanOut(t *testing.T) *outside {
	t.Helper()
	o := &outside{now: single().At}
	var base string
	o.hooks, base = hooks(t)
	mails, err := mailsink.Start(mailsink.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, mails.Close()) })
	o.mails = mails
	host, port, err := net.SplitHostPort(mails.Addr())
	require.NoError(t, err)
	number, err := strconv.Atoi(port)
	require.NoError(t, err)
	mail := sender(t, notify.MailConfig{Host: host, Port: number, Security: notify.SecurityNone,
		From: "countersign@acme.example", To: []string{"admin@acme.example"}, Timeout: 5 * time.Second})

	log := slog.New(slog.NewTextHandler(&o.log, nil))
	o.fan = fanOf(t, notify.FanConfig{Log: log, Now: func() time.Time { return o.now }, Members: []notify.Member{
		{Name: "log", Channel: notify.NewLog(log), Trace: true}, {Name: "mail", Channel: mail},
		{Name: "quality", Channel: slack(t, base)}, {Name: "training", Channel: teams(t, base)}, {Name: "siem", Channel: webhook(t, base)},
	}})
	return o
}

func fanOf(t *testing.T, cfg notify.FanConfig) *notify.Fan {
	t.Helper()
	if cfg.Memo == nil {
		memory, err := notify.NewMemory(100)
		require.NoError(t, err)
		cfg.Memo = memory
	}
	fan, err := notify.NewFan(cfg)
	require.NoError(t, err)
	return fan
}

// counts are the messages that arrived: mail, Slack, Teams, webhook.
func (o *outside) counts() [4]int {
	return [4]int{len(o.mails.Messages()), len(o.hooks.Messages(hooksink.EndpointSlack)),
		len(o.hooks.Messages(hooksink.EndpointTeams)), len(o.hooks.Messages(hooksink.EndpointWebhook))}
}

func TestOneNoticeGoesOverEveryChannel_R133(t *testing.T) {
	o := fanOut(t)
	require.NoError(t, o.fan.Send(t.Context(), single()))
	require.Equal(t, [4]int{1, 1, 1, 1}, o.counts())
	mail := o.mails.Messages()[0]
	for _, text := range []string{mail.Text, mail.HTML, string(o.hooks.Messages(hooksink.EndpointSlack)[0].Body)} {
		require.Contains(t, text, "GDPR-2026, learner E-0042, record TR-2026-000123")
	}
	require.NoError(t, o.fan.Send(t.Context(), single()), "a resend finds nothing to do")
	require.Equal(t, [4]int{1, 1, 1, 1}, o.counts())
	require.Equal(t, 1, strings.Count(o.log.String(), "msg=notice "))
	require.NoError(t, o.fan.Send(t.Context(), digest()), "another notice is another")
	require.Equal(t, [4]int{2, 2, 2, 2}, o.counts())
}

func TestOneThatFailsStopsNoOther_AndOnlyItIsTriedAgain(t *testing.T) {
	o := fanOut(t)
	o.hooks.Fault(hooksink.EndpointSlack, fault.RateLimited("7", 2))
	o.hooks.Fault(hooksink.EndpointTeams, fault.Status(503, 1))
	o.mails.RefuseNext(1)

	err := o.fan.Send(t.Context(), single())
	var unsent *notify.Unsent
	require.ErrorAs(t, err, &unsent)
	require.Equal(t, 7*time.Second, unsent.RetryAfter())
	require.ErrorContains(t, err, "send notice acme/inbox/1: mail: ")
	require.ErrorContains(t, err, ": quality: send by slack: 429 Too Many Requests, rate_limited: training: send by teams: 503 Service Unavailable")
	require.NotContains(t, err.Error(), "SECRET")
	require.Equal(t, [4]int{0, 0, 0, 1}, o.counts())

	require.ErrorAs(t, o.fan.Send(t.Context(), single()), &unsent)
	require.Len(t, unsent.Failed, 1)
	require.Equal(t, [4]int{1, 0, 1, 1}, o.counts())
	require.NoError(t, o.fan.Send(t.Context(), single()))
	require.Equal(t, [4]int{1, 1, 1, 1}, o.counts())
	require.NotContains(t, o.log.String(), "given up")
}

// The answer is lost after the message was posted: chats say it twice, a receiver that keeps the id
// hears it once.
func TestLostAnswerIsSentAgainUnderTheSameID(t *testing.T) {
	o := fanOut(t)
	o.hooks.Fault(fault.Any, fault.DropAfter(3))
	require.Error(t, o.fan.Send(t.Context(), single()))
	require.NoError(t, o.fan.Send(t.Context(), single()))
	require.Equal(t, [4]int{1, 2, 2, 2}, o.counts())
	got := o.hooks.Messages(hooksink.EndpointWebhook)
	require.Equal(t, "acme/inbox/1", got[0].Header.Get("webhook-id"))
	require.Equal(t, got[0].Header.Get("webhook-id"), got[1].Header.Get("webhook-id"))
	require.Equal(t, got[0].Body, got[1].Body)
	require.True(t, got[1].Again)
}

// What we send passes the verifier we receive with.
func TestWebhookPassesOurOwnVerifier_R23(t *testing.T) {
	o := fanOut(t)
	require.NoError(t, o.fan.Send(t.Context(), single()))
	got := o.hooks.Messages(hooksink.EndpointWebhook)[0]
	verifier, err := signature.NewStandard([]string{hookSecret}, time.Minute, at)
	require.NoError(t, err)
	_, err = verifier.Verify(lms.Request{Header: got.Header, Body: got.Body})
	require.NoError(t, err)
}

// A webhook that was deleted must not hold up every notice to come, nor one whose owner is away for
// days.
func TestChannelThatIsGoneIsGivenUpOnceOthersWereTold_R135(t *testing.T) {
	o := fanOut(t)
	o.hooks.Fault(hooksink.EndpointSlack, fault.Status(404, fault.Forever))
	require.NoError(t, o.fan.Send(t.Context(), single()))
	require.Contains(t, o.log.String(), `level=ERROR msg="notice given up on one channel, others took it" tenant=acme notice=acme/inbox/1 channel=quality error="send by slack: 404 Not Found, no_service"`)

	o.hooks.Fault(hooksink.EndpointTeams, fault.Status(503, fault.Forever))
	other := digest()
	require.Error(t, o.fan.Send(t.Context(), other), "it may come back")
	o.now = other.At.Add(15 * time.Minute)
	require.Error(t, o.fan.Send(t.Context(), other), "the patience is not over")
	o.now = o.now.Add(time.Second)
	require.NoError(t, o.fan.Send(t.Context(), other))
	require.Contains(t, o.log.String(), "channel=training")
	require.Equal(t, [4]int{2, 0, 1, 2}, o.counts())
}

func TestNobodyToldIsNeverGivenUp(t *testing.T) {
	o := fanOut(t)
	o.hooks.Fault(fault.Any, fault.Status(410, fault.Forever))
	o.mails.RefuseNext(-1)
	o.now = o.now.Add(1000 * time.Hour)
	require.Error(t, o.fan.Send(t.Context(), single()), "the log is a trace and tells nobody")
	o.mails.RefuseNext(0)
	require.NoError(t, o.fan.Send(t.Context(), single()))
	require.Equal(t, [4]int{1, 0, 0, 0}, o.counts())
}

// call is a channel of one function.
type call func(context.Context) error

func (c call) Send(ctx context.Context, _ notify.Notice) error { return c(ctx) }

func TestOneThatHangsHoldsUpNoOther(t *testing.T) {
	told := make(chan struct{})
	fan := fanOf(t, notify.FanConfig{Timeout: 5 * time.Second, Members: []notify.Member{
		{Name: "hangs", Channel: call(func(ctx context.Context) error {
			select { // it waits for the next one in the list
			case <-told:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})},
		{Name: "tells", Channel: call(func(context.Context) error { close(told); return nil })},
	}})
	require.NoError(t, fan.Send(t.Context(), single()))

	fan = fanOf(t, notify.FanConfig{Timeout: time.Millisecond, Members: []notify.Member{
		{Name: "hangs", Channel: call(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })},
	}})
	require.ErrorIs(t, fan.Send(t.Context(), single()), context.DeadlineExceeded)
}

// forgetful is a memo whose journal is down.
type forgetful struct{ read, write error }

func (f forgetful) Told(context.Context, string, string, string) (bool, error) { return false, f.read }
func (f forgetful) MarkTold(context.Context, string, string, string) error     { return f.write }

func TestMemoThatIsDown(t *testing.T) {
	down, said := errors.New("down"), 0
	members := []notify.Member{{Name: "m", Channel: call(func(context.Context) error { said++; return nil })}}
	fan := fanOf(t, notify.FanConfig{Members: members, Memo: forgetful{read: down}})
	require.ErrorIs(t, fan.Send(t.Context(), single()), down)
	require.Zero(t, said, "to wait is better than to say it twice")
	fan = fanOf(t, notify.FanConfig{Members: members, Memo: forgetful{write: down}})
	require.NoError(t, fan.Send(t.Context(), single()), "people were told")
	require.Equal(t, 1, said)
}

// The worker stops in the middle: another one takes over, and sends to who was not told.
func TestStoppedFanGivesUpNothing(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	attempt, told := 0, 0
	fan := fanOf(t, notify.FanConfig{Members: []notify.Member{
		{Name: "told", Channel: call(func(context.Context) error { told++; return nil })},
		{Name: "stopped", Channel: call(func(ctx context.Context) error { attempt++; stop(); return ctx.Err() })},
	}, Now: func() time.Time { return single().At.Add(time.Hour) }})
	require.ErrorIs(t, fan.Send(ctx, single()), context.Canceled)
	require.NoError(t, fan.Send(t.Context(), single()))
	require.Equal(t, 2, attempt)
	require.Equal(t, 1, told, "it was remembered although the attempt was stopped")
}

func TestFanIsChecked(t *testing.T) {
	memory, err := notify.NewMemory(1)
	require.NoError(t, err)
	one := notify.Member{Name: "a", Channel: notify.All{}}
	for name, cfg := range map[string]notify.FanConfig{
		"no channels": {Memo: memory}, "no memo": {Members: []notify.Member{one}}, "twice": {Memo: memory, Members: []notify.Member{one, one}},
		"no name": {Memo: memory, Members: []notify.Member{{Channel: notify.All{}}}}, "nothing": {Memo: memory, Members: []notify.Member{{Name: "a"}}},
	} {
		_, err := notify.NewFan(cfg)
		require.Error(t, err, name)
	}
	_, err = notify.NewMemory(0)
	require.Error(t, err)
	fan := fanOf(t, notify.FanConfig{Members: []notify.Member{one}})
	require.Error(t, fan.Send(t.Context(), notify.Notice{}))
}

func TestMemoryIsBoundedAndKeepsTenantsApart(t *testing.T) {
	memory, err := notify.NewMemory(2)
	require.NoError(t, err)
	for _, notice := range []string{"1", "1", "2", "3"} {
		require.NoError(t, memory.MarkTold(t.Context(), "acme", notice, "mail"))
	}
	for notice, want := range map[string]bool{"1": false, "2": true, "3": true} {
		told, err := memory.Told(t.Context(), "acme", notice, "mail")
		require.NoError(t, err)
		require.Equal(t, want, told, notice)
	}
	for _, other := range [][3]string{{"beta", "3", "mail"}, {"acme", "3", "slack"}} {
		told, err := memory.Told(t.Context(), other[0], other[1], other[2])
		require.NoError(t, err)
		require.False(t, told)
	}
}
