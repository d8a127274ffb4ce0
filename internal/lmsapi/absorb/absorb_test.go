package absorb_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/lmsapi"
	"countersign/internal/lmsapi/absorb"
	"countersign/internal/lmsapi/lmsapitest"
	"countersign/internal/lmsapi/rest"
	simulated "countersign/internal/simulator/lmsapi"
	"countersign/internal/training"
)

func expires() time.Time { return lmsapitest.Finished().AddDate(1, 0, 0) }

func TestAbsorb_R15(t *testing.T) {
	at := expires()
	jane := training.Learner{Username: "jane.roe", Email: "jane.roe@example.test", ExternalID: "EMP-20001", FirstName: "Jane", LastName: "Roe"}
	lmsapitest.Run(t, lmsapitest.Spec{
		Manner: absorb.Manner(),
		New:    func(cfg rest.Config) (lmsapi.Client, error) { return absorb.New(cfg) },
		Prepare: func(lms *simulated.LMS) {
			e := lmsapitest.Enrollment()
			e.ExpiresAt = &at
			lms.AddEnrollment(e)
		},
		// The least that the webhook's adapter takes.
		Event: training.Completion{
			Platform: "absorb", Learner: training.Learner{ID: "10291"}, Course: training.Course{ID: "5541"},
			CompletedAt: lmsapitest.Finished(), Precision: training.PrecisionMillisecond, CompletedAtSource: "payload.dateCompleted",
		},
		Details: lmsapi.Details{
			Learner: jane, Course: training.Course{Title: "Line clearance & release"}, EnrollmentID: "77001",
			Score: training.Score{Raw: "91.5", Max: "100"}, ExpiresAt: &at,
		},
		PageSize: "_limit",
		Listed: training.Completion{
			Platform: "absorb", EnrollmentID: "77001", Learner: training.Learner{ID: "10291"},
			Course:      training.Course{ID: "5541", Title: "Line clearance & release"},
			CompletedAt: lmsapitest.Finished(), Precision: training.PrecisionMillisecond, CompletedAtSource: "dateCompleted",
			Score: training.Score{Raw: "91.5", Max: "100"},
		},
	})
}

func TestEmployeeNumberIsTheFieldThatTheSettingsName(t *testing.T) {
	cfg := rest.Config{URL: "https://rest.myabsorb.example", ExternalIDField: "jobTitle", Credentials: map[rest.Key]string{
		rest.KeyUsername: "u", rest.KeyPassword: "p", rest.KeyAPIKey: "k",
	}}
	_, err := absorb.New(cfg)
	require.EqualError(t, err, "absorb api: external_id_field must be employeeNumber, externalId or referenceNumber")
	cfg.ExternalIDField = "externalId"
	_, err = absorb.New(cfg)
	require.NoError(t, err)
}
