package ingress

import (
	"countersign/internal/journal"
	"countersign/internal/lms"
	"countersign/internal/training"
)

// receipt is the answer to a delivery that is on disk (R20).
type receipt struct {
	DeliveryID  string              `json:"deliveryId"`
	Verdict     journal.Verdict     `json:"verdict"`
	Reason      string              `json:"reason,omitempty"`
	Completions []receiptCompletion `json:"completions"`
	// Enrollments is absent where the delivery brought none.
	Enrollments []receiptEnrollment `json:"enrollments,omitempty"`
	Ignored     []lms.Ignored       `json:"ignored"`
	Problems    []lms.Problem       `json:"problems"`
}

type receiptCompletion struct {
	Fingerprint training.Fingerprint `json:"fingerprint"`
	// Status is "accepted", or "duplicate" where the journal had it already.
	Status journal.Verdict `json:"status"`
}

type receiptEnrollment struct {
	Enrollment training.EnrollmentKey `json:"enrollment"`
	Status     journal.Verdict        `json:"status"`
}

// newReceipt has empty lists rather than null, so that a reader need not tell the two apart.
func newReceipt(committed journal.Receipt, result Result, reason string) receipt {
	r := receipt{
		DeliveryID: committed.DeliveryID, Verdict: committed.Verdict, Reason: reason,
		Completions: []receiptCompletion{},
		Ignored:     append([]lms.Ignored{}, result.Ignored...),
		Problems:    append([]lms.Problem{}, result.Problems...),
	}
	for _, item := range committed.Completions {
		r.Completions = append(r.Completions, receiptCompletion{item.Fingerprint, status(item.Duplicate)})
	}
	for _, item := range committed.Enrollments {
		r.Enrollments = append(r.Enrollments, receiptEnrollment{item.Key, status(item.Duplicate)})
	}
	return r
}

func status(duplicate bool) journal.Verdict {
	if duplicate {
		return journal.VerdictDuplicate
	}
	return journal.VerdictAccepted
}
