package arenav1

import (
	"context"

	"countersign/internal/training"
)

// What the other profile has and this one never does. Nothing here sends anything: an electronic
// signature belongs to the person (21 CFR 11.100, 11.200), and a service account that signed would defeat
// the record.

// Complete refuses: only the trainee's signature completes a record.
func (c *Client) Complete(_ context.Context, w training.Write, _ string) error {
	return training.Fail(training.FailureSignatureNeeded, "complete record", w.RecordID, "")
}

// Decide refuses: there is no approval of a training record.
func (c *Client) Decide(_ context.Context, recordID string, _ training.Decision, _ string) error {
	return training.Fail(training.FailureSignatureNeeded, "decide record", recordID, "")
}

// ExternalUpdatesAllowed is false: there is no such switch, and no such update.
func (c *Client) ExternalUpdatesAllowed(context.Context) (bool, error) { return false, nil }
