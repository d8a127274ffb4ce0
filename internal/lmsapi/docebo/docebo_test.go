package docebo_test

import (
	"testing"

	"countersign/internal/lmsapi"
	"countersign/internal/lmsapi/docebo"
	"countersign/internal/lmsapi/lmsapitest"
	"countersign/internal/lmsapi/rest"
	"countersign/internal/training"
)

// event is what the webhook's adapter makes of a delivery.
func event() training.Completion {
	return training.Completion{
		Platform: "docebo", EventID: "wh-1", Event: "course.enrollment.completed",
		Learner:     training.Learner{ID: "10291", Username: "jane.roe"},
		Course:      training.Course{ID: "5541", Title: "Line clearance & release"},
		CompletedAt: lmsapitest.Finished(), Precision: training.PrecisionMillisecond, CompletedAtSource: "payload.completion_date",
	}
}

func TestDocebo_R15_R145_R146(t *testing.T) {
	lmsapitest.Run(t, lmsapitest.Spec{
		Manner:    docebo.Manner(),
		New:       func(cfg rest.Config) (lmsapi.Client, error) { return docebo.New(cfg) },
		Configure: func(cfg *rest.Config) { cfg.ExternalIDField = "Employee number" },
		Event:     event(),
		Details: lmsapi.Details{
			Learner: training.Learner{Username: "jane.roe", Email: "jane.roe@example.test", ExternalID: "EMP-20001", FirstName: "Jane", LastName: "Roe"},
			Course:  training.Course{Title: "Line clearance & release", Code: "SOP-017"},
			Score:   training.Score{Raw: "91.5", Max: "100"},
		},
		PageSize: "page_size",
		Listed: training.Completion{
			Platform: "docebo", Learner: training.Learner{ID: "10291", Username: "jane.roe"},
			Course:      training.Course{ID: "5541", Title: "Line clearance & release", Code: "SOP-017"},
			CompletedAt: lmsapitest.Finished(), Precision: training.PrecisionMillisecond, CompletedAtSource: "enrollment_completion_date",
		},
	})
}
