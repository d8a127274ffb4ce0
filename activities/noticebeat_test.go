package activities

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"countersign/internal/notify"
	"countersign/internal/training"
	"countersign/workflows"
)

// slowMail takes as long as it is let.
type slowMail struct{ taken <-chan struct{} }

func (m slowMail) Send(ctx context.Context, _ notify.Notice) error {
	<-m.taken
	return ctx.Err()
}

// A notice has little time to say that it is under way, so that one which no worker ever got is noticed soon. One that is
// cancelled meanwhile is sent to its end.
func TestNoticeUnderWaySaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		beaten := make(chan struct{})
		var once sync.Once
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		var suite testsuite.WorkflowTestSuite
		env := suite.NewTestActivityEnvironment()
		env.SetWorkerOptions(worker.Options{BackgroundActivityContext: cancelled})
		env.SetOnActivityHeartbeatListener(func(*activity.Info, converter.EncodedValues) { once.Do(func() { close(beaten) }) })
		env.RegisterActivity(New(Config{
			Log: slog.New(slog.DiscardHandler),
			Tenant: func(string) (Tenant, bool) {
				return Tenant{Notices: slowMail{beaten}, NoticeLink: func(training.Fingerprint) string { return "" }, Personal: notify.PersonalNone}, true
			},
		}))
		_, err := env.ExecuteActivity("SendNotice", workflows.SendNotice{Tenant: "acme", ID: "acme/run/1"})
		require.NoError(t, err)
	})
}
