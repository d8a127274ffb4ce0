package workflows

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"
)

// How many items are known again when they are signalled twice: an activity that signals may be retried minutes later, and in an
// outage many others come between. A run that reads bundles knows more, because a bundle whose signal has failed is told again
// behind all that waited meanwhile.
const (
	maxSeen        = 4000
	maxSeenBundled = 12_000
)

// endedMark tells the end of an item from the item.
const endedMark = "ended "

// take takes what a signal has brought.
func (in *Inbox) take(item InboxItem, now time.Time) {
	in.heed(item)
	id := item.ID
	if item.Ended != "" {
		id = endedMark + item.Ended
	}
	if id == "" || !in.isNew(id) {
		return
	}
	if !item.Kind.known() {
		item.Kind = NoticeReview
	}
	switch {
	case item.Ended != "":
		in.end(item, now)
	case item.Kind == NoticeAllClear:
		if cause := in.find(item.key()); cause != nil {
			cause.clearUp(item, now)
			return
		}
		// Of what another inbox has told. To say it too often is better than not at all.
		cause := in.cause(item.key(), now)
		cause.Told = 1
		cause.clearUp(item, now)
	case in.bundled && in.marks[markOf(endedMark+item.ID)]:
		// Over before it was heard of: an older worker has read the one and left the other.
	default:
		cause := in.cause(item.key(), now)
		cause.gather(item, now, in.gap(max(cause.Round, 1)))
	}
}

// heed takes the policy that an item brings.
func (in *Inbox) heed(item InboxItem) {
	if item.DigestEvery > 0 {
		in.DigestEvery = item.DigestEvery
	}
	if item.DigestLongest > 0 {
		in.DigestLongest = item.DigestLongest
	}
}

// end takes it that an item no longer waits, and that nobody needs to be reminded of it.
func (in *Inbox) end(item InboxItem, now time.Time) {
	if cause := in.find(item.key()); cause != nil {
		cause.end(item, now)
	}
	for i := range in.Causes {
		if cause := &in.Causes[i]; cause.Kind.reminds() {
			before := cause.Count
			cause.drop(func(e InboxItem) bool { return strings.HasPrefix(e.ID, item.Ended+"/") })
			cause.Unending -= before - cause.Count
		}
	}
}

// isNew reports whether an item is seen for the first time, and remembers it.
func (in *Inbox) isNew(id string) bool {
	if in.marks == nil {
		in.marks = map[string]bool{}
		for _, mark := range in.Seen {
			in.marks[mark] = true
		}
	}
	mark := markOf(id)
	if in.marks[mark] {
		return false
	}
	in.marks[mark] = true
	in.Seen = append(in.Seen, mark)
	most := maxSeen
	if in.bundled {
		most = maxSeenBundled
	}
	for len(in.Seen) > most {
		delete(in.marks, in.Seen[0])
		in.Seen = in.Seen[1:]
	}
	return true
}

// markOf is an id in at most 13 letters: that two of the latest items share one is as likely as one in 10^12.
func markOf(id string) string {
	hash := fnv.New64a()
	hash.Write([]byte(id)) // never fails
	return strconv.FormatUint(hash.Sum64(), 36)
}

func (in *Inbox) find(key causeKey) *InboxCause {
	i := slices.IndexFunc(in.Causes, func(c InboxCause) bool { return c.key() == key })
	if i < 0 {
		return nil
	}
	return &in.Causes[i]
}

// cause finds a cause or begins it. Where there are too many, one that has nothing to say goes, and if all
// have, another one of the same kind takes the item along: its examples say what it is.
func (in *Inbox) cause(key causeKey, now time.Time) *InboxCause {
	if found := in.find(key); found != nil {
		return found
	}
	if len(in.Causes) >= maxCauses {
		oldest := -1
		for i, c := range in.Causes {
			if c.idle() && !in.underway(c.key()) && (oldest < 0 || c.Last.Before(in.Causes[oldest].Last)) {
				oldest = i
			}
		}
		if oldest >= 0 {
			in.Causes = slices.Delete(in.Causes, oldest, oldest+1)
		} else if i := slices.IndexFunc(in.Causes, func(c InboxCause) bool { return c.Kind == key.kind }); i >= 0 {
			return &in.Causes[i]
		}
	}
	in.Causes = append(in.Causes, InboxCause{
		InboxGroup: InboxGroup{Kind: key.kind, Class: key.class, Cause: key.cause}, Last: now,
	})
	return &in.Causes[len(in.Causes)-1]
}

// underway reports whether a notice of the cause is being sent.
func (in *Inbox) underway(key causeKey) bool {
	return slices.ContainsFunc(in.Sending, func(n SendNotice) bool {
		return slices.ContainsFunc(n.Groups, func(g InboxGroup) bool { return g.key() == key })
	})
}

// gap is how long is gathered after the given notice in a row, from 1.
func (in *Inbox) gap(round int) time.Duration {
	gap, longest := in.DigestEvery, max(in.DigestEvery, in.DigestLongest)
	for ; round > 1 && gap < longest; round-- {
		gap *= 2
	}
	return min(gap, longest)
}

// compose makes a notice of each kind out of what may be told now.
func (in *Inbox) compose(now time.Time) []SendNotice {
	var notices []SendNotice
	for i := range in.Causes {
		cause := &in.Causes[i]
		if !cause.due(now) || in.underway(cause.key()) {
			continue
		}
		group := cause.notice()
		at := slices.IndexFunc(notices, func(n SendNotice) bool { return n.Kind == group.Kind })
		if at < 0 {
			in.Sent++
			at = len(notices)
			notices = append(notices, SendNotice{Tenant: in.Tenant, ID: in.noticeID(in.Sent), Kind: group.Kind, At: now, Gather: true})
		}
		notices[at].Groups = append(notices[at].Groups, group)
	}
	in.Sending = append(in.Sending, notices...)
	return notices
}

func (in *Inbox) noticeID(n int) string { return fmt.Sprintf("%s/%s/%d", in.Tenant, in.First, n) }

// told begins to gather anew after a notice, for longer than before; after an all-clear for as long.
func (in *Inbox) told(notice SendNotice, now time.Time) {
	for _, group := range notice.Groups {
		cause := in.cause(group.key(), now)
		if group.Kind != NoticeAllClear {
			cause.Round++
		}
		cause.Next = now.Add(in.gap(max(cause.Round, 1)))
		if cause.Ended {
			cause.Next = now
		}
	}
}

// hold takes back a notice that must wait, so that it comes with what is gathered until then.
func (in *Inbox) hold(notice SendNotice, until time.Time) {
	for _, group := range notice.Groups {
		cause := in.cause(group.key(), until)
		cause.takeBack(group)
		cause.Next = until
	}
}

// next is when something is due, zero for nothing.
func (in *Inbox) next() time.Time {
	var next time.Time
	for i := range in.Causes {
		c := &in.Causes[i]
		if !c.idle() && !in.underway(c.key()) && (next.IsZero() || c.Next.Before(next)) {
			next = c.Next
		}
	}
	return next
}

// forget drops the causes of which nothing is left to say and nothing is waited for.
func (in *Inbox) forget(now time.Time) {
	in.Causes = slices.DeleteFunc(in.Causes, func(c InboxCause) bool {
		if !c.idle() || in.underway(c.key()) {
			return false
		}
		calm := now.After(c.Next.Add(in.gap(max(c.Round, 1))))
		return c.Open == 0 && calm || c.Told == 0 && c.Round == 0 && c.Open == 0 || now.After(c.Last.Add(forgetAfter))
	})
}

// describe is what an operator reads about the inbox.
func (in *Inbox) describe() string {
	var text strings.Builder
	fmt.Fprintf(&text, "Notices to the training admins: %d.", in.Sent)
	for _, notice := range in.Sending {
		fmt.Fprintf(&text, "\n\nBeing sent: %s.", notice.describe())
	}
	if len(in.Causes) > 0 {
		text.WriteString("\n\n| Cause | Gathered | Told | Waiting | Next notice not before |\n|---|---|---|---|---|")
	}
	for _, c := range in.Causes {
		fmt.Fprintf(&text, "\n| %s | %d | %d | %d | %s |", c.words(), c.Count, c.Told, c.Open+c.Unending, clockTime(c.Next))
	}
	return text.String()
}

// words name a cause in a line.
func (g InboxGroup) words() string {
	kind := cmp.Or(string(g.Kind), "review")
	return escape(strings.ReplaceAll(strings.Join(strings.Fields(kind+" "+string(g.Class)+" "+g.Cause), " "), "_", " "))
}

// describe is a notice in a line.
func (n SendNotice) describe() string {
	var parts []string
	for _, g := range n.Groups {
		parts = append(parts, fmt.Sprintf("%d × %s", g.Count, g.words()))
	}
	return strings.Join(parts, ", ")
}
