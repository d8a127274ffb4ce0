package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"countersign/internal/training"
)

// page is what one page has come to.
type page struct {
	next       string
	done       bool
	looked     int
	mismatches []training.Mismatch
	seen       []training.Fingerprint
	// trouble is what ended the page early, nil for nothing: what was looked at before it counts.
	trouble error
}

// upTo is the page as far as it has come from cursor when err stopped it; one that has come nowhere is the error.
func (p page) upTo(cursor string, err error) (page, error) {
	if p.next == cursor {
		return page{}, err
	}
	p.done, p.trouble = false, err
	return p, nil
}

// breather is the longest Retry-After that an activity waits for itself, after some headway. It ends long before the
// activity has to.
const breather = 5 * time.Minute

// goOn ends an attempt that was stopped after it had made headway. It is no failure, or ten of them would give up a
// part that goes on: who has stopped it is left alone for as long as it asks, and meets the next activity, whose
// attempts are its own. What nobody mends by waiting is the failure that it is. So is a longer wait for an LRS; that
// of an LMS or a QMS stands in a budget of ours, which has the next activity wait before anything is asked.
func (r *reconciliation) goOn(ctx context.Context, trouble error) error {
	failure, ok := errors.AsType[*training.Failure](trouble)
	long := ok && failure.RetryAfter > breather
	if !ok || !failure.Class.Transient() || long && r.in.Part == partLRS {
		return trouble
	}
	r.log.Info("comparison stopped after some headway, and goes on", "class", failure.Class, "failure", failure.Error(), "after", failure.RetryAfter)
	if long {
		return nil
	}
	between := min(1/r.in.Settings.PerSecond, breather.Seconds()) // of two reads, in seconds: the next activity begins with one
	timer := time.NewTimer(max(failure.RetryAfter, time.Duration(between*float64(time.Second))))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("go on with %s: %w", r.in.Part, ctx.Err())
	}
}

// place reads a cursor that placed has written; "" leaves into as it is.
func place(cursor string, into any) error {
	if cursor == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(cursor), into); err != nil {
		return training.FailWith(training.FailureDefect, "read cursor", "", err)
	}
	return nil
}

func placed(at any) string {
	text, err := json.Marshal(at)
	if err != nil {
		return "" // places are ours and always encode
	}
	return string(text)
}
