package notify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Member is one of a Fan's channels.
type Member struct {
	// Name is the channel's key in the memo and its name in the log, unique in the Fan. Under a new
	// name it is a new channel: what is under way goes out over it again.
	Name    string
	Channel Channel
	// Trace marks a channel that leaves a trace and tells nobody, such as Log.
	Trace bool
}

// FanConfig is what NewFan needs; Members and Memo are required.
type FanConfig struct {
	Members []Member
	Memo    Memo
	// Patience is how long after Notice.At a channel that fails is tried again once somebody was
	// told over another one; 15 minutes when 0. The next notice tries it anew.
	Patience time.Duration
	// Timeout bounds one attempt over one channel; 90 seconds when 0. It must end before the attempt
	// of whoever calls Send does, or nobody hears how it ended.
	Timeout time.Duration
	// Now is the clock; time.Now when nil.
	Now func() time.Time
	// Log takes channels that were given up; nil for none.
	Log *slog.Logger
}

// Fan sends a notice over all of a tenant's channels at the same time, over each once: one that
// fails or hangs holds up no other, and a resend goes only over those that have not taken it.
//
// An attempt that was cut off between the answer of a channel and its entry in the memo, or whose
// answer was lost, is repeated: at least once is what a chat allows.
type Fan struct {
	cfg FanConfig
}

// NewFan checks the configuration.
func NewFan(cfg FanConfig) (*Fan, error) {
	if len(cfg.Members) == 0 || cfg.Memo == nil {
		return nil, errors.New("new fan of channels: no channels or no memo")
	}
	names := map[string]bool{}
	for _, m := range cfg.Members {
		if m.Name == "" || m.Channel == nil || names[m.Name] {
			return nil, fmt.Errorf("new fan of channels: channel %q has no name, is there twice or is nothing", m.Name)
		}
		names[m.Name] = true
	}
	cfg.Patience = cmp.Or(cfg.Patience, 15*time.Minute)
	cfg.Timeout = cmp.Or(cfg.Timeout, 90*time.Second)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Fan{cfg}, nil
}

// Send implements Channel. It returns nil when every channel has taken the notice, and also when
// some have and the others refuse it for good or have failed for longer than the patience: a webhook
// that was deleted must not hold up every notice to come. Those are logged as errors. Otherwise the
// error is an *Unsent, and the notice is to be sent again.
func (f *Fan) Send(ctx context.Context, n Notice) error {
	if err := n.validate(); err != nil {
		return err
	}
	results := make([]error, len(f.cfg.Members))
	var sending sync.WaitGroup
	for i, m := range f.cfg.Members {
		sending.Go(func() { results[i] = f.send(ctx, n, m) })
	}
	sending.Wait()

	told, hopeless := false, true
	unsent := &Unsent{Notice: n.ID}
	for i, m := range f.cfg.Members {
		if results[i] == nil {
			told = told || !m.Trace
			continue
		}
		unsent.Failed = append(unsent.Failed, Failed{m.Name, results[i]})
		var refused *ChannelError
		hopeless = hopeless && errors.As(results[i], &refused) && refused.Permanent
	}
	if len(unsent.Failed) == 0 {
		return nil
	}
	late := !n.At.IsZero() && f.cfg.Now().Sub(n.At) > f.cfg.Patience
	if !told || errors.Is(ctx.Err(), context.Canceled) || !hopeless && !late {
		return unsent
	}
	for _, failed := range unsent.Failed {
		f.cfg.Log.ErrorContext(ctx, "notice given up on one channel, others took it",
			slog.String("tenant", n.Tenant), slog.String("notice", n.ID),
			slog.String("channel", failed.Channel), slog.Any("error", failed.Err))
	}
	return nil
}

// markTimeout is what is left to remember a channel that took the notice at the last moment.
const markTimeout = 5 * time.Second

func (f *Fan) send(ctx context.Context, n Notice, m Member) error {
	told, err := f.cfg.Memo.Told(ctx, n.Tenant, n.ID, m.Name)
	if err != nil { // to wait is better than to say it twice
		return fmt.Errorf("read memo of notices: %w", err)
	}
	if told {
		return nil
	}
	sending, cancel := context.WithTimeout(ctx, f.cfg.Timeout)
	defer cancel()
	if err := m.Channel.Send(sending, n); err != nil {
		return err
	}
	marking, stop := context.WithTimeout(context.WithoutCancel(ctx), markTimeout)
	defer stop()
	if err := f.cfg.Memo.MarkTold(marking, n.Tenant, n.ID, m.Name); err != nil {
		// People were told: an error would have them told again. Only if another channel fails they are.
		f.cfg.Log.WarnContext(ctx, "notice taken, but not remembered", slog.String("tenant", n.Tenant),
			slog.String("notice", n.ID), slog.String("channel", m.Name), slog.Any("error", err))
	}
	return nil
}

// Unsent is a notice that some channels of a Fan have not taken.
type Unsent struct {
	Notice string
	Failed []Failed
}

// Failed is one of those channels.
type Failed struct {
	Channel string
	Err     error
}

func (u *Unsent) Error() string {
	text := "send notice " + u.Notice
	for _, failed := range u.Failed {
		text += ": " + failed.Channel + ": " + failed.Err.Error()
	}
	return text
}

// Unwrap gives the channels' errors.
func (u *Unsent) Unwrap() []error {
	errs := make([]error, len(u.Failed))
	for i, failed := range u.Failed {
		errs[i] = failed.Err
	}
	return errs
}

// RetryAfter is the longest time that one of the channels asked to be left alone, at most 10 minutes;
// 0 when none did.
func (u *Unsent) RetryAfter() time.Duration {
	longest := time.Duration(0)
	for _, failed := range u.Failed {
		var refused *ChannelError
		if errors.As(failed.Err, &refused) {
			longest = max(longest, refused.RetryAfter)
		}
	}
	return longest
}
