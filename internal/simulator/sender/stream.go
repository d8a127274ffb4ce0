package sender

import (
	"context"
	"time"
)

// Delivery is one step of a stream: what was sent and what came back.
type Delivery struct {
	Kind     Kind
	Envelope Envelope
	Answer   Answer
	// Err is set when there was no answer; the stream goes on.
	Err error
}

// Stream sends the next envelope of mix at every tick, one after the other, and hands each
// result to each. It ends when ticks is closed (nil) or with ctx (its error). A tick carries
// the time, so that a time.Ticker's channel and a test's do.
func (s *Sender) Stream(ctx context.Context, mix *Mix, ticks <-chan time.Time, each func(Delivery)) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case now, open := <-ticks:
			if !open {
				return nil
			}
			kind, envelope := mix.Next(now)
			answer, err := s.Send(ctx, envelope)
			if ctx.Err() != nil {
				return ctx.Err() // the last delivery failed because we stop, not because of the receiver
			}
			each(Delivery{Kind: kind, Envelope: envelope, Answer: answer, Err: err})
		}
	}
}
