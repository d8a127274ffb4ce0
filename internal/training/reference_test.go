package training_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/training"
)

func TestExternalRef_R98(t *testing.T) {
	base := training.Completion{
		Tenant: "acme", Source: "lms", EnrollmentID: "88121",
		Learner: training.Learner{Email: "Jane@example.com"}, Course: training.Course{ID: "5541"},
		CompletedAt: completedAt, Precision: training.PrecisionMillisecond,
	}
	require.Equal(t, training.EnrollmentRef("acme", "lms", "88121", training.Learner{Email: "jane@example.com"}, training.Course{ID: "5541", Title: "GDPR"}),
		base.ExternalRef(), "as the enrollment's own event computes it")

	seen := map[string]string{}
	for name, change := range map[string]func(*training.Completion){
		"as it is":              func(*training.Completion) {},
		"another tenant":        func(c *training.Completion) { c.Tenant = "globex" },
		"another source":        func(c *training.Completion) { c.Source = "lms2" },
		"fields moved together": func(c *training.Completion) { c.Source, c.EnrollmentID = "lms8", "8121" },
		"another enrollment":    func(c *training.Completion) { c.EnrollmentID = "88122" },
		"another learner":       func(c *training.Completion) { c.Learner.Email = "john@example.com" },
		"another course":        func(c *training.Completion) { c.Course.ID = "5542" },
		"no enrollment":         func(c *training.Completion) { c.EnrollmentID = "" },
		"no enrollment, repeated training": func(c *training.Completion) {
			c.EnrollmentID, c.CompletedAt = "", completedAt.Add(24*time.Hour)
		},
	} {
		c := base
		change(&c)
		ref := c.ExternalRef()
		require.Regexp(t, `^lms:(enrollment|completion):[0-9a-f]{32}$`, ref)
		require.Empty(t, seen[ref], "%s and %s", name, seen[ref])
		seen[ref] = name
	}

	again := base // the same enrollment, finished once more
	again.CompletedAt = completedAt.Add(24 * time.Hour)
	require.Equal(t, base.ExternalRef(), again.ExternalRef())
}
