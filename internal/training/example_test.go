package training_test

import (
	"errors"
	"fmt"
	"time"

	"countersign/internal/training"
)

// A redelivery in another time zone is the same completion; next year's is another.
func ExampleCompletion_Fingerprint() {
	first := training.Completion{
		Tenant: "acme", Source: "canonical-main",
		Learner:     training.Learner{ID: "1001"},
		Course:      training.Course{ID: "42"},
		CompletedAt: time.Date(2026, time.March, 14, 9, 26, 53, 589_000_000, time.UTC),
		Precision:   training.PrecisionMillisecond,
	}
	again, nextYear := first, first
	again.CompletedAt = first.CompletedAt.In(time.FixedZone("CET", 60*60))
	nextYear.CompletedAt = first.CompletedAt.AddDate(1, 0, 0)

	fmt.Println(first.Fingerprint())
	fmt.Println(again.Fingerprint() == first.Fingerprint())
	fmt.Println(nextYear.Fingerprint() == first.Fingerprint())
	// Output:
	// 6ec5682bcdbe4a175d0dd9c681291fac0d7d56b10c254e7170916ffca29a0ed0
	// true
	// false
}

// A failure's text is for logs; its explanation is for the training admin.
func ExampleFailure() {
	err := fmt.Errorf("read back: %w",
		training.Fail(training.FailureRecordLocked, "complete record", "TR-1", "200 unchanged"))

	var failure *training.Failure
	if errors.As(err, &failure) {
		explanation := failure.Class.Explain()
		fmt.Println(failure)
		fmt.Println("Can a retry mend it?", failure.Class.Transient())
		fmt.Println("-", explanation.Happened)
		fmt.Println("-", explanation.Means)
		fmt.Println("-", explanation.Do)
	}
	// Output:
	// record_locked: complete record TR-1: 200 unchanged
	// Can a retry mend it? false
	// - The QMS answered 200 but changed nothing, because the record is locked for editing.
	// - The training record has not been changed.
	// - Have the lock removed in the QMS. Then choose retry.
}
