package workflows

import (
	"slices"
	"time"

	"countersign/internal/training"
)

// The bounds of an inbox, so that an outage with 50,000 failures stays one small state.
const (
	maxExamples = 10
	maxCauses   = 40
	// longestText is how much of a course's name or of another system's words is kept, in runes.
	longestText = 120
	// forgetAfter is how long a cause is remembered that nothing was heard of: one whose completions were
	// terminated would never be over.
	forgetAfter = 100 * 24 * time.Hour
)

// causeKey is what the items of one cause have in common.
type causeKey struct {
	kind  NoticeKind
	class training.FailureClass
	cause string
}

func (item InboxItem) key() causeKey {
	if item.Kind == NoticeOutage || item.Kind == NoticeAllClear {
		return causeKey{NoticeOutage, "", item.Cause} // however it fails, it is one outage
	}
	return causeKey{item.Kind, item.Class, item.Cause}
}

func (g InboxGroup) key() causeKey {
	if g.Kind == NoticeAllClear {
		return causeKey{g.Of, g.Class, g.Cause}
	}
	return causeKey{g.Kind, g.Class, g.Cause}
}

// add gathers an item.
func (g *InboxGroup) add(item InboxItem) {
	g.Count++
	if len(g.Examples) < maxExamples {
		g.Examples = append(g.Examples, item.Brief())
	}
}

// drop takes out the examples that match, and keeps the count in step.
func (g *InboxGroup) drop(match func(InboxItem) bool) {
	before := len(g.Examples)
	g.Examples = slices.DeleteFunc(g.Examples, match)
	g.Count -= before - len(g.Examples)
}

// atMost lowers the count, and the examples with it.
func (g *InboxGroup) atMost(count int) {
	g.Count = min(g.Count, max(count, 0))
	g.Examples = g.Examples[:min(len(g.Examples), g.Count)]
}

// InboxCause is a cause: what was gathered of it and not told, and how far its telling has come.
type InboxCause struct {
	// InboxGroup is what has been gathered since the last notice; Count is 0 for nothing.
	InboxGroup
	// Told is how many were told since the cause began, Open how many wait of all whose end will be
	// heard of, Unending how many there are whose end will not.
	Told     int `json:"told,omitempty"`
	Open     int `json:"open,omitempty"`
	Unending int `json:"unending,omitempty"`
	// Ended says that an all-clear has come which was not told yet; Clear is that item.
	Ended bool       `json:"ended,omitempty"`
	Clear *InboxItem `json:"clear,omitempty"`
	// Round counts the notices in a row, Next is when the next one may go out.
	Round int       `json:"round,omitempty"`
	Next  time.Time `json:"next,omitzero"`
	// Last is when the cause was last heard of.
	Last time.Time `json:"last"`
}

// gather takes an item of the cause.
func (c *InboxCause) gather(item InboxItem, now time.Time, calm time.Duration) {
	if c.Count == 0 && now.After(c.Next.Add(calm)) {
		c.Round = 0 // nothing came for as long again as it was gathered
	}
	if c.Since.IsZero() {
		c.Since = now
	}
	if c.Ended { // it has begun again before its end was told: it is not over
		c.Ended, c.Clear, c.Over = false, nil, time.Time{}
	}
	if item.EndTold {
		c.Open++
	} else {
		c.Unending++
	}
	c.Last = now
	c.add(item)
}

// end takes it that one item no longer waits.
func (c *InboxCause) end(item InboxItem, now time.Time) {
	c.Last = now
	if c.Open = max(c.Open-1, 0); c.Open == 0 {
		c.Over = now
	}
	if item.Expired {
		c.Expired++
	}
	c.drop(func(e InboxItem) bool { return e.ID == item.Ended })
	// Beyond the examples it is not known which ones were told; what waits is.
	c.atMost(c.Open + c.Unending)
}

// clearUp takes it that the whole cause is over. Where nobody was told of it, nobody has to be told now.
func (c *InboxCause) clearUp(item InboxItem, now time.Time) {
	c.atMost(0)
	if c.Told == 0 {
		c.clear()
		return
	}
	item = item.Brief()
	c.Ended, c.Clear, c.Over = true, &item, now
	c.Next = now // it is what people wait for
}

// over reports whether everything that was told of the cause is over, so that this is to be said. Of
// approvals it is not: that they are given is nothing to be relieved about.
func (c *InboxCause) over() bool {
	if c.Ended {
		return true
	}
	return c.Kind == NoticeReview && c.Told > 0 && c.Count == 0 && c.Open == 0 && c.Unending == 0
}

// due reports whether a notice may go out now.
func (c *InboxCause) due(now time.Time) bool { return !c.idle() && !now.Before(c.Next) }

// idle reports whether nothing is left to be told.
func (c *InboxCause) idle() bool { return c.Count == 0 && !c.over() }

// notice is what is said of the cause now. The cause counts it as told, and has nothing gathered any more.
func (c *InboxCause) notice() InboxGroup {
	said := c.InboxGroup
	said.Since, said.Over, said.Expired = time.Time{}, time.Time{}, 0
	c.Count, c.Examples = 0, nil
	if c.over() {
		said.Kind, said.Of, said.Count, said.Examples = NoticeAllClear, c.Kind, c.Told, nil
		said.Since, said.Over, said.Expired = c.Since, c.Over, c.Expired
		if c.Clear != nil {
			said.Examples = []InboxItem{*c.Clear}
		}
		c.clear()
		return said
	}
	if c.Unending == 0 && c.Open > said.Count {
		said.Waiting = c.Open
	}
	c.Told += said.Count
	return said
}

// takeBack undoes notice: it must wait.
func (c *InboxCause) takeBack(said InboxGroup) {
	if said.Kind != NoticeAllClear {
		c.Told -= said.Count
		if c.Ended && c.Told == 0 {
			c.clear() // it was over before anybody was told
			return
		}
		c.Examples = append(said.Examples, c.Examples...)
		c.Examples = c.Examples[:min(len(c.Examples), maxExamples)]
		c.Count += said.Count
		c.atMost(c.Open + c.Unending)
		return
	}
	c.Told += said.Count
	c.Expired += said.Expired
	c.Since, c.Over = said.Since, said.Over
	if said.Of == NoticeOutage && c.Count == 0 {
		c.Ended = true
		if len(said.Examples) > 0 {
			c.Clear = &said.Examples[0]
		}
	}
}

// clear forgets what is over, but not when the next notice may go out: what comes and goes all the time is
// gathered.
func (c *InboxCause) clear() {
	c.Told, c.Open, c.Unending, c.Expired, c.Ended, c.Clear = 0, 0, 0, 0, false, nil
	c.Since, c.Over = time.Time{}, time.Time{}
}
