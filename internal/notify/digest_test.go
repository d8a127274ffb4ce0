package notify_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/notify"
	"countersign/internal/training"
)

// mailed is the subject and the text of a notice.
func mailed(t *testing.T, n notify.Notice) (subject, text string) {
	t.Helper()
	s := &sink{}
	require.NoError(t, sender(t, serve(t, s, nil)).Send(t.Context(), n))
	_, subject, text, _ = parse(t, s.messages[0].data)
	return subject, text
}

func TestWhoIsSaidAsPolicyLetsIt(t *testing.T) {
	for name, tc := range map[string]struct {
		policy  notify.Personal
		learner notify.Learner
		want    string
	}{
		"by default the id":       {"", notify.Learner{ID: "E-0042", Name: "Jane Doe"}, ", learner E-0042,"},
		"ids":                     {notify.PersonalIDs, notify.Learner{ID: "E-0042", Name: "Jane Doe"}, ", learner E-0042,"},
		"an address is a name":    {notify.PersonalIDs, notify.Learner{ID: "jane@acme.example", Name: "Jane Doe"}, ""},
		"names":                   {notify.PersonalNames, notify.Learner{ID: "E-0042", Name: "Jane\nDoe"}, ", learner Jane Doe (E-0042),"},
		"names without a name":    {notify.PersonalNames, notify.Learner{ID: "jane@acme.example"}, ", learner jane@acme.example,"},
		"none":                    {notify.PersonalNone, notify.Learner{ID: "E-0042", Name: "Jane Doe"}, ""},
		"an unknown word is none": {"all", notify.Learner{ID: "E-0042", Name: "Jane Doe"}, ""},
		"nobody":                  {notify.PersonalNames, notify.Learner{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			n := single()
			n.Personal, n.Failures[0].Learner = tc.policy, tc.learner
			subject, text := mailed(t, n)
			require.NotContains(t, subject, "E-0042")
			require.NotContains(t, subject, "ane")
			if tc.want == "" {
				require.NotContains(t, text, "learner")
				require.NotContains(t, text, "E-0042")
				require.NotContains(t, text, "ane")
				return
			}
			require.Contains(t, text, "GDPR-2026"+tc.want)
		})
	}
}

// The log is kept by people who need no names (law 7).
func TestLogNamesNobody(t *testing.T) {
	var out bytes.Buffer
	n := single()
	n.Personal = notify.PersonalNames
	require.NoError(t, notify.NewLog(slog.New(slog.NewTextHandler(&out, nil))).Send(t.Context(), n))
	require.NotContains(t, out.String(), "Jane")
	require.NotContains(t, out.String(), "E-0042")
}

func TestOpeningCountsCompletionsCoursesAndCauses(t *testing.T) {
	item := func(course string, class training.FailureClass, count int) notify.Item {
		return notify.Item{CourseLabel: course, Class: class, Count: count}
	}
	of := func(subject notify.Subject, course string, count int) notify.Item {
		i := item(course, "unreachable", count)
		i.Subject = subject
		return i
	}
	for want, tc := range map[string]struct {
		kind    notify.Kind
		courses int
		items   []notify.Item
	}{
		"A completion of GDPR needs a decision":                              {notify.KindReview, 0, []notify.Item{item("GDPR", "unreachable", 1)}},
		"7 completions of 1 course need a decision":                          {notify.KindReview, 0, []notify.Item{item("GDPR", "unreachable", 3), item("GDPR", "record_locked", 4)}},
		"2 completions of 2 courses need an approval":                        {notify.KindApproval, 0, []notify.Item{item("GDPR", "", 1), item("FIRE", "", 1)}},
		"5 completions need a decision":                                      {notify.KindReview, 0, []notify.Item{item("GDPR", "unreachable", 1), item("", "unreachable", 4)}},
		"5000 completions of 37 courses need a decision":                     {notify.KindReview, 37, []notify.Item{item("GDPR", "unreachable", 1), item("", "unreachable", 4999)}},
		"Reminder. A completion of GDPR needs an approval":                   {notify.KindApprovalReminder, 0, []notify.Item{item("GDPR", "", 1)}},
		"Escalation. A completion of GDPR needs an approval":                 {notify.KindApprovalEscalation, 0, []notify.Item{item("GDPR", "", 1)}},
		"Reminder. A completion of GDPR needs the trainee's signature":       {notify.KindSignatureReminder, 0, []notify.Item{item("GDPR", "", 1)}},
		"Escalation. 2 completions of 1 course need the trainee's signature": {notify.KindSignatureEscalation, 0, []notify.Item{item("GDPR", "", 2)}},
		"Reminder. A completion of GDPR needs a decision":                    {notify.KindReviewReminder, 0, []notify.Item{item("GDPR", "unreachable", 1)}},
		"An enrollment in GDPR needs a decision":                             {notify.KindReview, 0, []notify.Item{of(notify.SubjectEnrollment, "GDPR", 1)}},
		"Reminder. An enrollment in GDPR needs a decision":                   {notify.KindReviewReminder, 0, []notify.Item{of(notify.SubjectEnrollment, "GDPR", 1)}},
		"An enrollment needs a decision":                                     {notify.KindReview, 0, []notify.Item{of(notify.SubjectEnrollment, "", 1)}},
		"A delivery of source lms needs a decision":                          {notify.KindReview, 0, []notify.Item{of(notify.SubjectDelivery, "a delivery of source lms", 1)}},
		"A delivery needs a decision":                                        {notify.KindReview, 0, []notify.Item{of(notify.SubjectDelivery, "", 1)}},
		"4 enrollments of 1 course need a decision":                          {notify.KindReview, 0, []notify.Item{of(notify.SubjectEnrollment, "GDPR", 4)}},
		"3 completions and 1 enrollment of 1 course need a decision": {notify.KindReview, 0, []notify.Item{
			of(notify.SubjectEnrollment, "GDPR", 1), item("GDPR", "unreachable", 3)}},
		"1 completion, 2 enrollments and 5 deliveries need a decision": {notify.KindReview, 0, []notify.Item{
			of(notify.SubjectDelivery, "a delivery of source lms", 5), item("GDPR", "unreachable", 1), of(notify.SubjectEnrollment, "GDPR", 2)}},
		"All clear. A completion of GDPR no longer waits":          {notify.KindClear, 0, []notify.Item{item("GDPR", "unreachable", 1)}},
		"All clear. 5000 completions of 37 courses no longer wait": {notify.KindClear, 37, []notify.Item{item("", "unreachable", 5000)}},
	} {
		n := single()
		n.Kind, n.Courses, n.Failures = tc.kind, tc.courses, tc.items
		subject, text := mailed(t, n)
		require.Equal(t, "Acme Medical Devices: "+want, subject)
		require.Contains(t, text, want)
	}

	n := single()
	n.Failures = nil
	for i := range 7 {
		n.Failures = append(n.Failures, item("GDPR", training.FailureClass(fmt.Sprint("c", i)), 10-i))
	}
	_, text := mailed(t, n)
	require.Contains(t, text, "need a decision: 10 × c0, 9 × c1, 8 × c2, 7 × c3, 15 for other causes.")
}

func TestAllClear(t *testing.T) {
	n := single()
	n.Kind, n.Failures = notify.KindClear, []notify.Item{{Class: training.FailureUnreachable, Count: 4812}}
	_, text := mailed(t, n)
	golden(t, "clear.txt", text)
}

func TestLinkLeadsToAPageOrNowhere(t *testing.T) {
	for _, link := range []string{"javascript:alert(1)", "//evil.example", "https://u:p@evil.example", "ftp://x.example/"} {
		n := single()
		n.Link = link
		_, text := mailed(t, n)
		require.NotContains(t, text, "Decide here")
	}
}
