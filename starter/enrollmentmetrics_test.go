package main

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"countersign/internal/journal"
	"countersign/internal/training"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

// What waits is counted by state; what has ended is not, so that the cost follows the open work.
func TestEnrollmentsAreCounted(t *testing.T) {
	s := start(t, tenantsFile)
	delivery := journal.Delivery{Tenant: "acme", Source: "lms", Platform: "canonical", Body: []byte("{}")}
	var keys []training.EnrollmentKey
	for _, id := range []string{"1", "2", "3"} {
		receipt, err := s.Journal.Append(t.Context(), delivery, nil, training.Enrollment{
			Tenant: "acme", Source: "lms", EnrollmentID: id, Learner: training.Learner{ID: id}, Course: training.Course{ID: "5541"},
		})
		require.NoError(t, err)
		keys = append(keys, receipt.Enrollments[0].Key)
	}
	for i, state := range []training.EnrollmentState{training.EnrollmentInReview, training.EnrollmentLinked} {
		_, err := s.Journal.ProjectEnrollment(t.Context(), "acme", keys[i], journal.EnrollmentProjection{State: state})
		require.NoError(t, err)
	}
	metrics := prometheus.NewPedanticRegistry()
	require.NoError(t, metrics.Register(newEnrollmentCollector(s.Journal, slog.New(slog.DiscardHandler))))
	require.Equal(t, map[string]float64{"countersign_enrollments IN_REVIEW": 1, "countersign_enrollments QUEUED": 1}, gathered(t, metrics))

	metrics = prometheus.NewPedanticRegistry()
	require.NoError(t, metrics.Register(newEnrollmentCollector(away{}, slog.New(slog.DiscardHandler))))
	require.Empty(t, gathered(t, metrics), "a journal that is away breaks no other metric")
}

// away is a journal that does not answer.
type away struct{}

func (away) OpenEnrollments(context.Context) (map[training.EnrollmentState]int, error) {
	return nil, errors.New("no database")
}
