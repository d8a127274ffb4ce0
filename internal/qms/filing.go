package qms

import "context"

// Filing is the further capability of a Signing QMS that can be asked what is kept with its trainings. Keep cannot
// prevent that a document stands there twice, so reconciliation looks (R143).
type Filing interface {
	// Twice returns one page of the documents of one name that are kept more than once with one training, in a stable
	// order, and the cursor of the next page, "" after the last; a page may be empty before it. Trainings that the
	// tenant's settings do not name are left out. Errors are as Client's.
	Twice(ctx context.Context, cursor string) (page []Twice, next string, err error)
}

// Twice is a document that is kept more than once with a training.
type Twice struct {
	TrainingID string
	// Name is that of the Document.
	Name string
	// Files are the QMS's ids of the files, in the order in which it lists them.
	Files []string
}
