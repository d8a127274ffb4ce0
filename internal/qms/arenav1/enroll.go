package arenav1

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"countersign/internal/training"
)

// Create enrolls the employee in the training's plan, unless the roster shows them already. Arena keeps no
// reference of ours; whether it would take the same user twice is not known, so the roster is read first,
// and again after a refusal.
func (c *Client) Create(ctx context.Context, n training.NewRecord, requestID string) (string, error) {
	const operation = "enroll"
	if n.EmployeeID == "" || n.TrainingID == "" || n.ExternalRef == "" {
		return "", training.Fail(training.FailureDefect, operation, n.TrainingID, "employee, training and reference are required")
	}
	userGUID, err := c.userGUID(ctx, n.EmployeeID)
	if err != nil {
		return "", err
	}
	ref, _ := splitTraining(n.TrainingID)
	id := recordID(n.TrainingID, digest(userGUID))
	return id, c.locked(ctx, ref, func(s *shelf) error {
		s.view = nil // whatever happens, the next look is a new one
		p, err := c.findPlan(ctx, ref)
		if err != nil {
			return err
		}
		there, err := c.onRoster(ctx, p, ref, userGUID)
		switch {
		case err != nil || there:
			return err
		case p.closed():
			return training.Fail(training.FailureTrainingClosed, operation, ref, "the plan is CLOSED")
		}
		err = c.post(ctx, p, ref, userGUID, requestID)
		var failure *training.Failure
		if errors.As(err, &failure) && failure.Class == training.FailureRefused {
			if there, readErr := c.onRoster(ctx, p, ref, userGUID); readErr == nil && there {
				return nil
			}
		}
		return err
	})
}

func (c *Client) onRoster(ctx context.Context, p plan, ref, userGUID string) (bool, error) {
	roster, err := c.readRoster(ctx, p, ref)
	for _, t := range roster {
		if t.User.GUID == userGUID {
			return true, nil
		}
	}
	return false, err
}

// post adds the user to the plan's roster. A due date is a plain date, which Arena takes as the end of
// that day in the workspace's zone.
func (c *Client) post(ctx context.Context, p plan, ref, userGUID, requestID string) error {
	var body struct {
		User struct {
			GUID string `json:"guid"`
		} `json:"user"`
		DueDate string `json:"dueDate,omitempty"`
	}
	body.User.GUID = userGUID
	if c.cfg.DueDays > 0 {
		body.DueDate = c.now().UTC().AddDate(0, 0, c.cfg.DueDays).Format(time.DateOnly)
	}
	call := c.of(p, ref, "enroll", "users")
	text, err := json.Marshal(body)
	if err != nil {
		return training.FailWith(training.FailureDefect, call.operation, call.key, err)
	}
	call.contentType, call.body, call.requestID = "application/json", text, requestID
	call.missing, call.enrolls = "", true
	return c.write(ctx, call)
}
