package arenav1

import (
	"context"
	"net/url"
	"strings"
	"sync"

	"countersign/internal/outbound"
	"countersign/internal/training"
)

// mostPlans bounds how many plans are remembered.
const mostPlans = 200

// plan is a training plan, as far as it matters here.
type plan struct {
	GUID   string `json:"guid"`
	Number string `json:"number"`
	Status string `json:"status"`
}

func (p plan) closed() bool { return p.Status == "CLOSED" }

// item is a controlled item: of a plan, or of a record.
type item struct {
	GUID           string `json:"guid"`
	Number         string `json:"number"`
	RevisionNumber string `json:"revisionNumber"`
	RevisionStatus string `json:"revisionStatus"`
}

// trainee is one entry of a roster.
type trainee struct {
	GUID string `json:"guid"`
	User user   `json:"user"`
}

// plans remembers views, by how the settings name the plan.
type plans struct {
	mu    sync.Mutex
	known map[string]*shelf
}

// shelf is one plan's view and the lock under which it is read and written: completions of the same plan
// share one reading, and two of this process never enroll at once. A view is replaced, never changed.
type shelf struct {
	lock chan struct{}
	view *view
}

func (p *plans) shelf(ref string) *shelf {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil || len(p.known) >= mostPlans && p.known[ref] == nil {
		p.known = map[string]*shelf{}
	}
	s := p.known[ref]
	if s == nil {
		s = &shelf{lock: make(chan struct{}, 1)}
		p.known[ref] = s
	}
	return s
}

// locked runs do while nobody else of this process works on the plan.
func (c *Client) locked(ctx context.Context, ref string, do func(*shelf) error) error {
	s := c.plans.shelf(ref)
	select {
	case s.lock <- struct{}{}:
		defer func() { <-s.lock }()
		return do(s)
	case <-ctx.Done():
		return outbound.Unanswered(ctx, "read training plan", ref, ctx.Err())
	}
}

// of is a call about a part of a plan.
func (c *Client) of(p plan, ref, operation, part string) call {
	return call{
		operation: operation, key: ref, template: "/trainingplans/{guid}/" + part,
		path: "/trainingplans/" + url.PathEscape(p.GUID) + "/" + part, missing: training.FailureCourseUnmapped,
	}
}

// findPlan finds a plan by its GUID or by its number, exactly.
func (c *Client) findPlan(ctx context.Context, ref string) (plan, error) {
	unmapped := func(detail string) (plan, error) {
		return plan{}, training.Fail(training.FailureCourseUnmapped, "read training plan", ref, detail)
	}
	if ref == "" {
		return unmapped("no plan is named")
	}
	if guid(ref) {
		var p plan
		err := c.read(ctx, call{
			operation: "read training plan", key: ref, template: "/trainingplans/{guid}",
			path: "/trainingplans/" + ref, missing: training.FailureCourseUnmapped,
		}, &p)
		if err == nil && p.GUID != ref {
			return p, training.Fail(training.FailureMisread, "read training plan", ref, "another plan than asked for")
		}
		return p, err
	}
	found, err := list(ctx, c, call{
		operation: "read training plan", key: ref, template: "/trainingplans", path: "/trainingplans",
		query: url.Values{"number": {ref}},
	}, func(p plan) string { return p.GUID })
	if err != nil {
		return plan{}, err
	}
	var match plan
	for _, p := range found { // a number with a "*" would find others
		if !strings.EqualFold(p.Number, ref) {
			continue
		}
		if match.GUID != "" {
			return unmapped("two plans have this number")
		}
		match = p
	}
	if !guid(match.GUID) {
		return unmapped("no such plan")
	}
	return match, nil
}
