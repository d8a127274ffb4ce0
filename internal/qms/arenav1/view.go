package arenav1

import (
	"context"
	"errors"
	"time"

	"countersign/internal/training"
)

// frameTrust is how long a plan's status, items and roster are taken as read while nothing hangs on them.
// They change rarely, and to read them with every look would cost four requests where one does.
const frameTrust = 24 * time.Hour

// view is a plan, each part as it was read at its own time.
type view struct {
	plan      plan
	items     []item
	roster    []trainee
	records   []record
	planAt    time.Time
	itemsAt   time.Time
	rosterAt  time.Time
	recordsAt time.Time
}

// since says of each part of a view from when on it must have been read; zero is whenever it is remembered.
type since struct {
	plan, items, roster, records time.Time
}

// all is every part from one instant on.
func all(at time.Time) since { return since{at, at, at, at} }

// covers reports whether every part was read at its instant or later.
func (v *view) covers(w since) bool {
	return !v.planAt.Before(w.plan) && !v.itemsAt.Before(w.items) && !v.rosterAt.Before(w.roster) && !v.recordsAt.Before(w.records)
}

// kept reports whether what was read at that time is still taken as read, and was not read before since.
func (c *Client) kept(at time.Time, trust time.Duration, since time.Time) bool {
	return !at.IsZero() && c.now().Sub(at) < trust && !at.Before(since)
}

// framed is how long a plan's frame is remembered: not at all where nothing is to be.
func (c *Client) framed() time.Duration {
	if c.cfg.CacheFor == 0 {
		return 0
	}
	return max(frameTrust, c.cfg.CacheFor)
}

// look returns the plan as it is remembered, with what is too old read anew.
func (c *Client) look(ctx context.Context, ref string, w since) (v *view, err error) {
	err = c.locked(ctx, ref, func(s *shelf) error {
		next := view{}
		if s.view != nil {
			next = *s.view
		}
		err := c.refresh(ctx, ref, &next, w)
		if unmapped(err) && s.view != nil { // what we remember may be of a plan that another has replaced
			next = view{}
			err = c.refresh(ctx, ref, &next, w)
		}
		s.view, v = &next, &next // also after a failure: what was paid for is not read again
		if unmapped(err) {
			s.view = nil
		}
		return err
	})
	return v, err
}

func unmapped(err error) bool {
	failure, ok := errors.AsType[*training.Failure](err)
	return ok && failure.Class == training.FailureCourseUnmapped
}

// refresh reads the parts of v that are too old.
func (c *Client) refresh(ctx context.Context, ref string, v *view, w since) error {
	if at := c.now(); !c.kept(v.planAt, c.framed(), w.plan) {
		p, err := c.findPlan(ctx, ref)
		if err != nil {
			return err
		}
		if p.GUID != v.plan.GUID {
			*v = view{} // another plan has this number now
		}
		v.plan, v.planAt = p, at
	}
	if at := c.now(); !c.kept(v.itemsAt, c.framed(), w.items) {
		items, err := c.readItems(ctx, v.plan, ref)
		if err != nil {
			return err
		}
		v.items, v.itemsAt = items, at
	}
	if at := c.now(); !c.kept(v.rosterAt, c.framed(), w.roster) {
		roster, err := c.readRoster(ctx, v.plan, ref)
		if err != nil {
			return err
		}
		v.roster, v.rosterAt = roster, at
	}
	if at := c.now(); !c.kept(v.recordsAt, c.cfg.CacheFor, w.records) {
		records, err := list(ctx, c, c.of(v.plan, ref, "read records", "records"), record.key)
		if err != nil {
			return err
		}
		v.records, v.recordsAt = records, at
	}
	return nil
}

// readItems reads what the plan trains on. An item that cannot be told from another could take the
// other's signature for its own.
func (c *Client) readItems(ctx context.Context, p plan, ref string) (items []item, err error) {
	type entry struct {
		GUID string `json:"guid"`
		Item item   `json:"item"`
	}
	entries, err := list(ctx, c, c.of(p, ref, "read items", "items"), func(e entry) string { return e.GUID })
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.Item.GUID == "" && e.Item.Number == "" {
			return nil, training.Fail(training.FailureMisread, "read items", ref, "an item without a guid and a number")
		}
		items = append(items, e.Item)
	}
	return items, nil
}

func (c *Client) readRoster(ctx context.Context, p plan, ref string) ([]trainee, error) {
	return list(ctx, c, c.of(p, ref, "read roster", "users"), func(t trainee) string { return t.GUID })
}
