package tenants

import (
	"context"
	"log/slog"
	"net/http"

	"countersign/internal/qms"
	"countersign/internal/qms/arena"
	"countersign/internal/qms/arenav1"
	"countersign/internal/settings"
)

// qualitySystem is the adapter that the tenant's settings name.
func qualitySystem(t settings.Tenant, log *slog.Logger, spend func(context.Context) error, through *http.Client) (qms.Client, error) {
	q := t.QMS
	if a := q.ArenaV1; a != nil {
		var trainings []string
		for _, c := range t.Courses {
			trainings = append(trainings, trainingID(q, c))
		}
		return arenav1.New(arenav1.Config{
			BaseURL: q.URL, Email: a.Email, Password: a.Password.Reveal(),
			ClientID: a.ClientID, ClientSecret: a.ClientSecret.Reveal(), TokenURL: a.TokenURL, WorkspaceID: a.WorkspaceID,
			EmployeeKey: arenav1.EmployeeKey(a.EmployeeKey), Reserve: a.Reserve, UsageReason: a.UsageReason, CacheFor: a.Cache,
			AnyRevision: a.AnyRevision, DueDays: a.DueDays, FileCategory: a.FileCategory, Trainings: trainings,
			Spend: spend, HTTP: through, Log: log,
		})
	}
	return arena.New(arena.Config{
		BaseURL: q.URL, ClientID: q.ClientID, ClientSecret: q.ClientSecret.Reveal(),
		Scopes: q.Scopes, TokenMode: arena.TokenMode(q.TokenMode), Spend: spend, HTTP: through, Log: log,
	})
}

// trainingID is the id under which the QMS's adapter knows a course's training.
func trainingID(q settings.QMS, c settings.Course) string {
	if q.ArenaV1 != nil {
		return arenav1.TrainingID(c.Training, c.Item)
	}
	return c.Training
}
