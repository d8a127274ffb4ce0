package breaker

import (
	"context"

	"countersign/internal/qms"
	"countersign/internal/training"
)

// Client is w with the further capability of what it watches: a qms.Signing if that is one.
func (w *Watch) Client() qms.Client {
	if signing, ok := w.client.(qms.Signing); ok {
		return &watchedSigning{w, signing}
	}
	return w
}

// watchedSigning counts the calls of a QMS that the trainee's signature completes.
type watchedSigning struct {
	*Watch
	signing qms.Signing
}

var _ qms.Signing = (*watchedSigning)(nil)

// Signatures implements qms.Signing.
func (w *watchedSigning) Signatures(ctx context.Context, recordID string) ([]training.Signature, error) {
	signatures, err := w.signing.Signatures(ctx, recordID)
	w.saw(false, err)
	return signatures, err
}

// Attached implements qms.Signing.
func (w *watchedSigning) Attached(ctx context.Context, recordID string, d qms.Document) (bool, error) {
	attached, err := w.signing.Attached(ctx, recordID, d)
	w.saw(false, err)
	return attached, err
}

// Attach implements qms.Signing.
func (w *watchedSigning) Attach(ctx context.Context, recordID string, d qms.Document, requestID string) error {
	err := w.signing.Attach(ctx, recordID, d, requestID)
	w.saw(true, err)
	return err
}
