package notify

import (
	"time"

	"countersign/internal/training"
)

// WebhookEvent is the body that Webhook posts; docs/notices.md explains it to receivers. Fields are
// added, never renamed or removed.
type WebhookEvent struct {
	// Type is "notice." and the Kind, e.g. "notice.review".
	Type string `json:"type"`
	// Timestamp is when the notice was raised, RFC 3339 in UTC.
	Timestamp time.Time `json:"timestamp"`
	Data      struct {
		ID         string `json:"id"`
		Tenant     string `json:"tenant"`
		TenantName string `json:"tenantName,omitempty"`
		// Summary is one sentence for people, without personal data.
		Summary     string `json:"summary"`
		Completions int    `json:"completions"`
		// Courses is absent where it is not known.
		Courses int    `json:"courses,omitempty"`
		Link    string `json:"link,omitempty"`
		// Groups are the causes, the most frequent first.
		Groups []WebhookGroup `json:"groups"`
		// More counts the completions of the causes that Groups leaves out.
		More int `json:"more,omitempty"`
	} `json:"data"`
}

// WebhookGroup is the completions that wait for one cause.
type WebhookGroup struct {
	Class training.FailureClass `json:"class,omitempty"`
	// Target is the system that the cause is about, e.g. "the QMS", absent where the class says enough.
	Target      string `json:"target,omitempty"`
	Completions int    `json:"completions"`
	// Waiting is how many completions wait for the cause in all, those that were told before included.
	Waiting int `json:"waiting,omitempty"`
	training.Explanation
	Items []WebhookItem `json:"items"`
	// More counts the completions that Items leaves out.
	More int `json:"more,omitempty"`
}

// WebhookItem is one completion, or Count of a course.
type WebhookItem struct {
	Fingerprint training.Fingerprint `json:"fingerprint,omitempty"`
	Course      string               `json:"course,omitempty"`
	Record      string               `json:"record,omitempty"`
	// LearnerID and LearnerName are there as far as notices.personal lets them.
	LearnerID   string `json:"learnerId,omitempty"`
	LearnerName string `json:"learnerName,omitempty"`
	Detail      string `json:"detail,omitempty"`
	Count       int    `json:"count"`
}

// longestMeaning is the longest of the three sentences, longestName the longest name or id of a person or
// a tenant, in letters.
const (
	longestMeaning = 600
	longestName    = 300
)

func event(n Notice, m message) WebhookEvent {
	e := WebhookEvent{Type: "notice." + string(n.Kind), Timestamp: n.At.UTC()}
	e.Data.ID, e.Data.Tenant, e.Data.TenantName = n.ID, n.Tenant, clipped(n.TenantName, longestName)
	e.Data.Summary, e.Data.Completions, e.Data.Courses, e.Data.Link = m.Opening, m.total, m.courses, m.Link
	e.Data.More = m.beyond
	for _, g := range m.Groups {
		group := WebhookGroup{Class: g.class, Target: g.target, Completions: g.count, Waiting: g.waiting, More: g.More, Items: []WebhookItem{}, Explanation: training.Explanation{
			Happened: clipped(g.Explanation.Happened, longestMeaning),
			Means:    clipped(g.Explanation.Means, longestMeaning),
			Do:       clipped(g.Explanation.Do, longestMeaning),
		}}
		for _, l := range g.Items {
			group.Items = append(group.Items, WebhookItem{
				Fingerprint: l.full, Course: l.Course, Record: l.Record,
				LearnerID: clipped(l.learner.ID, longestName), LearnerName: clipped(l.learner.Name, longestName), Detail: l.Detail, Count: l.Count,
			})
		}
		e.Data.Groups = append(e.Data.Groups, group)
	}
	return e
}
