package arenav1

import (
	"context"
	"slices"
	"time"

	"countersign/internal/training"
)

// Completed implements qms.Lister: a page is one training of the settings, the cursor is the id of the next.
// Whether somebody is on a roster does not matter: what was signed is signed. A training that is not there
// is left out; whoever completes it hears of it.
func (c *Client) Completed(ctx context.Context, from time.Time, cursor string) (page []training.Record, next string, err error) {
	at, _ := slices.BinarySearch(c.cfg.Trainings, cursor) // settings may have changed since the last page
	if at == len(c.cfg.Trainings) {
		return nil, "", nil
	}
	trainingID := c.cfg.Trainings[at]
	if at+1 < len(c.cfg.Trainings) {
		next = c.cfg.Trainings[at+1]
	}
	ref, _ := splitTraining(trainingID)
	w := c.remembered()
	w.items = w.records // what completes is no older than the records
	v, err := c.look(ctx, ref, w)
	if err == nil {
		page, err = c.completed(v, trainingID, from)
	}
	if unmapped(err) {
		return nil, next, nil
	}
	return page, next, err
}

// completed are the enrollments in which everything is signed, by digest.
func (c *Client) completed(v *view, trainingID string, from time.Time) (page []training.Record, err error) {
	theirs := map[string][]record{}
	var trainees []string
	for _, r := range v.records {
		trainee := digest(r.User.GUID)
		if theirs[trainee] == nil {
			trainees = append(trainees, trainee)
		}
		theirs[trainee] = append(theirs[trainee], r)
	}
	slices.Sort(trainees)
	for _, trainee := range trainees {
		one := &view{plan: v.plan, items: v.items, records: theirs[trainee]}
		r, _, _, err := c.enrollment(one, trainingID, trainee)
		switch {
		case err != nil:
			return nil, err
		case r.Status == training.RecordCompleted && !r.CompletedAt.Before(from):
			page = append(page, r)
		}
	}
	return page, nil
}
