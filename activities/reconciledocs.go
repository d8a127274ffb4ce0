package activities

import (
	"context"
	"strings"

	"countersign/internal/certificate"
	"countersign/internal/qms"
	"countersign/internal/training"
)

// documentsTwice finds reports and certificates of ours that the QMS keeps more than once with a training: an upload
// whose answer was lost, and that was carried out after it had been sent again, is seen by nobody else. Nothing is
// removed: what stands in a QMS is a person's to take out.
func (r *reconciliation) documentsTwice(ctx context.Context, cursor string) (page, error) {
	filing, ok := r.tenant.QMS.(qms.Filing)
	if !ok { // not any more
		return page{done: true}, nil
	}
	if err := r.turn(ctx); err != nil {
		return page{}, err
	}
	twice, next, err := filing.Twice(ctx, cursor)
	if err != nil {
		return page{}, err
	}
	found := page{next: next, done: next == "", looked: 1}
	for _, d := range twice {
		if !certificate.Numbered(strings.TrimSuffix(d.Name, ".pdf")) {
			continue // somebody else's file
		}
		found.mismatches = append(found.mismatches, training.Mismatch{
			Kind: training.MismatchDocumentTwice, Origin: training.MismatchFromDocument, Course: d.TrainingID,
			Key: d.TrainingID + "/" + d.Name, Detail: d.Name + ": files " + strings.Join(d.Files, ", "),
		})
	}
	return found, nil
}
