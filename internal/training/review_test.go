package training_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/training"
)

// What a review of each class takes besides retry and close, while the record is not verified. Every class
// stands here, so that nobody adds one without deciding.
func TestReviewActions_R139(t *testing.T) {
	const record, employee, submit = training.ActionUseRecord, training.ActionUseEmployee, training.ActionSubmit
	table := map[training.FailureClass][]training.Action{
		training.FailureIncomplete:       {employee},
		training.FailureEmployeeUnknown:  {employee},
		training.FailureEmployeeMismatch: {record, employee},
		training.FailureTrainingMismatch: {record},
		training.FailureRecordMissing:    {record, employee},
		training.FailureRecordAmbiguous:  {record},
		training.FailureCompletedElse:    {record},
		training.FailureRecordExpired:    {record},
		training.FailureRecordCancelled:  {record},
		training.FailureApprovalNeeded:   {submit},
		training.FailureUnchanged:        {submit},
		training.FailureSignedBefore:     {record}, // this very record: the person lets its signature count

		// Whether something was written is not known, or something else was: another record would be a second one.
		training.FailureUnreachable:  nil,
		training.FailureUnverified:   nil,
		training.FailureMisread:      nil,
		training.FailureOtherContent: nil,

		training.FailureRateLimited:       nil,
		training.FailureCredentials:       nil,
		training.FailureRefused:           nil,
		training.FailureCourseUnmapped:    nil,
		training.FailureNotPassed:         nil,
		training.FailureApprovalForbidden: nil,
		training.FailureRecordLocked:      nil,
		training.FailureUpdatesOff:        nil,
		training.FailureSignatureNeeded:   nil,
		training.FailureTrainingClosed:    nil,
		training.FailureEnrollForbidden:   nil,
		training.FailureEvidence:          nil,
		training.FailureCertificate:       nil,
		training.FailureStatementRefused:  nil,
		training.FailureStatementConflict: nil,
		training.FailureTenantUnknown:     nil,
		training.FailureEnrollmentsOff:    nil,
		training.FailureDefect:            nil,
		training.FailureHeld:              nil,

		training.FailureLMSUnreachable: nil,
		training.FailureLMSRateLimited: nil,
		training.FailureLMSCredentials: nil,
		training.FailureLMSMisread:     nil,
		training.FailureLMSRefused:     nil,
	}
	require.ElementsMatch(t, constants[training.FailureClass](t, "FailureClass"), keys(table), "each class once")
	for class, more := range table {
		open := training.ReviewActions(training.Reviewed{Class: class, Failed: training.EffectRecord})
		require.Equal(t, training.ActionRetry, open[0], class)
		require.Equal(t, training.ActionClose, open[len(open)-1], class)
		require.ElementsMatch(t, more, open[1:len(open)-1], class)

		// Law 2: once the record is verified, nothing may lead to another one.
		for _, verified := range [][]training.Action{
			training.ReviewActions(training.Reviewed{Class: class, Failed: training.EffectRecord, Verified: true}),
			training.ReviewActions(training.Reviewed{Class: class, Failed: training.EffectCertificate, Verified: true}),
			training.ReviewActions(training.Reviewed{Class: class, Failed: training.EffectStatement}),
		} {
			for _, action := range []training.Action{record, employee, submit} {
				require.NotContains(t, verified, action, class)
			}
		}
	}
}

// A document is skipped only where it is what failed.
func TestOnlyTheDocumentThatFailedMayBeSkipped_R139(t *testing.T) {
	skips := map[training.EffectKind]training.Action{
		training.EffectCertificate: training.ActionSkipCertificate, training.EffectStatement: training.ActionSkipStatement,
		training.EffectEvidence: training.ActionSkipEvidence,
	}
	for _, kind := range constants[training.EffectKind](t, "EffectKind") {
		for _, class := range constants[training.FailureClass](t, "FailureClass") {
			actions := training.ReviewActions(training.Reviewed{Class: class, Failed: kind})
			for skipped, action := range skips {
				require.Equal(t, skipped == kind, slices.Contains(actions, action), "%s %s", kind, class)
			}
		}
	}
}
