package qms

import (
	"context"
	"time"

	"countersign/internal/training"
)

// Lister is a Client whose QMS lists what was completed, whoever did it. Reconciliation looks there for what
// no LMS has reported (R143).
type Lister interface {
	// Completed returns one page of the records that are COMPLETED with a date of since or later, in a stable
	// order, and the cursor of the next page, "" after the last. A record may come twice; none is left out but
	// one that changes while it is listed, or one of a training that the tenant's settings do not name, where the QMS
	// can only be asked training by training. Errors are as Client's.
	Completed(ctx context.Context, since time.Time, cursor string) (page []training.Record, next string, err error)
}
