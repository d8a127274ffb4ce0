package training_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/training"
)

// Every class stands here, so that nobody adds one without deciding whether a retry can mend it.
func TestFailureClassTransient(t *testing.T) {
	table := map[training.FailureClass]bool{
		training.FailureUnreachable: true,
		training.FailureRateLimited: true,
		training.FailureCredentials: true, // a service account is repaired without our knowing
		training.FailureUnverified:  true,
		training.FailureMisread:     true, // a proxy's error page passes

		training.FailureRefused:           false,
		training.FailureIncomplete:        false,
		training.FailureEmployeeUnknown:   false,
		training.FailureEmployeeMismatch:  false,
		training.FailureTrainingMismatch:  false,
		training.FailureCourseUnmapped:    false,
		training.FailureRecordMissing:     false,
		training.FailureRecordAmbiguous:   false,
		training.FailureCompletedElse:     false,
		training.FailureRecordExpired:     false,
		training.FailureRecordCancelled:   false,
		training.FailureNotPassed:         false,
		training.FailureApprovalNeeded:    false,
		training.FailureApprovalForbidden: false,
		training.FailureRecordLocked:      false,
		training.FailureUpdatesOff:        false,
		training.FailureUnchanged:         false,
		training.FailureOtherContent:      false,
		training.FailureSignatureNeeded:   false,
		training.FailureSignedBefore:      false,
		training.FailureTrainingClosed:    false,
		training.FailureEnrollForbidden:   false,
		training.FailureEvidence:          false,
		training.FailureCertificate:       false,
		training.FailureStatementRefused:  false,
		training.FailureStatementConflict: false,
		training.FailureTenantUnknown:     true,
		training.FailureEnrollmentsOff:    true,
		training.FailureHeld:              true, // it goes on by itself
		training.FailureDefect:            false,

		training.FailureLMSUnreachable: true,
		training.FailureLMSRateLimited: true,
		training.FailureLMSCredentials: true,
		training.FailureLMSMisread:     true,
		training.FailureLMSRefused:     false,
	}
	require.ElementsMatch(t, constants[training.FailureClass](t, "FailureClass"), keys(table), "each class once")
	for class, transient := range table {
		require.Equal(t, transient, class.Transient(), class)
		require.Regexp(t, `^[a-z]+(_[a-z]+)*$`, string(class), "the label of a metric")
	}
	require.False(t, training.FailureClass("unheard_of").Transient())
}

func TestEveryFailureClassHasThreeSentences(t *testing.T) {
	happened := map[string]training.FailureClass{}
	for _, class := range constants[training.FailureClass](t, "FailureClass") {
		explanation := class.Explain()
		for part, text := range map[string]string{
			"happened": explanation.Happened, "means": explanation.Means, "do": explanation.Do,
		} {
			require.NotEmpty(t, text, "%s: %s", class, part)
			require.True(t, strings.HasSuffix(text, "."), "%s: %s ends without a period", class, part)
			require.Equal(t, strings.TrimSpace(text), text, "%s: %s", class, part)
			require.NotContains(t, text, "  ", "%s: %s", class, part)
			require.Regexp(t, `^[A-Z]`, text, "%s: %s", class, part)
		}
		require.NotContains(t, happened, explanation.Happened, "%s is explained in the words of another class", class)
		happened[explanation.Happened] = class

		// A completion in review waits for one of two actions; the words must lead to one.
		require.Regexp(t, `choose retry|close with a reason`, explanation.Do, class)
	}
}

// What an admin reads of an enrollment names no decision that it would refuse.
func TestEnrollmentsAreExplainedAsSuch_R133(t *testing.T) {
	for _, class := range []training.FailureClass{ // what LinkEnrollment can fail with
		training.FailureUnreachable, training.FailureRateLimited, training.FailureCredentials, training.FailureUnverified,
		training.FailureRefused, training.FailureMisread, training.FailureIncomplete, training.FailureEmployeeUnknown,
		training.FailureEmployeeMismatch, training.FailureCourseUnmapped, training.FailureRecordAmbiguous, training.FailureOtherContent,
		training.FailureTrainingClosed, training.FailureEnrollForbidden, training.FailureTenantUnknown, training.FailureEnrollmentsOff,
		training.FailureLMSUnreachable, training.FailureLMSRateLimited, training.FailureLMSCredentials, training.FailureLMSRefused,
		training.FailureLMSMisread, training.FailureHeld, training.FailureDefect,
	} {
		e := class.ExplainEnrollment()
		text := strings.Join([]string{e.Happened, e.Means, e.Do}, " ")
		require.NotRegexp(t, `use_|skip_|submit|this completion|the completion again|carry the completion`, text, class)
		require.Regexp(t, `choose retry|close with a reason`, e.Do, class)
	}
	require.Equal(t, training.FailureDefect.ExplainEnrollment(), training.FailureClass("unheard_of").ExplainEnrollment())
}

func TestUnknownFailureClassIsExplainedAsADefect(t *testing.T) {
	require.Equal(t, training.FailureDefect.Explain(), training.FailureClass("unheard_of").Explain())
	require.Equal(t, training.FailureDefect.Explain(), training.FailureClass("").Explain())
}

func TestFailureText(t *testing.T) {
	for want, f := range map[string]*training.Failure{
		"refused: complete record":                         training.Fail(training.FailureRefused, "complete record", "", ""),
		"refused: complete record TR-1":                    training.Fail(training.FailureRefused, "complete record", "TR-1", ""),
		"refused: complete record TR-1: 422 UNPROCESSABLE": training.Fail(training.FailureRefused, "complete record", "TR-1", "422 UNPROCESSABLE"),
		"refused: complete record: 422 UNPROCESSABLE":      training.Fail(training.FailureRefused, "complete record", "", "422 UNPROCESSABLE"),
		"unreachable: read record TR-1":                    training.FailWith(training.FailureUnreachable, "read record", "TR-1", io.ErrUnexpectedEOF),
	} {
		require.EqualError(t, f, want)
	}
}

func TestFailureIsFoundThroughWrapping(t *testing.T) {
	failure := training.FailWith(training.FailureUnreachable, "read record", "TR-1", io.ErrUnexpectedEOF)
	err := fmt.Errorf("completion 6ec5: %w", errors.Join(errors.New("other"), failure))

	var found *training.Failure
	require.ErrorAs(t, err, &found)
	require.Same(t, failure, found)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF, "the cause is still there for errors.Is")
	require.NotContains(t, failure.Error(), io.ErrUnexpectedEOF.Error(), "and its text is not shown (law 7)")

	require.NoError(t, errors.Unwrap(training.Fail(training.FailureDefect, "x", "", "")))
}

func TestFailureRoundTripsAsJSON(t *testing.T) {
	for _, failure := range []training.Failure{
		{Class: training.FailureUnreachable, Operation: "read record"},
		{
			Class: training.FailureRateLimited, Operation: "complete record", Key: "TR-1",
			Detail: "429 TOO_MANY_REQUESTS", RetryAfter: 90*time.Second + time.Nanosecond,
		},
	} {
		encoded, err := json.Marshal(failure)
		require.NoError(t, err)
		var decoded training.Failure
		require.NoError(t, json.Unmarshal(encoded, &decoded))
		require.Equal(t, failure, decoded)

		// The cause stays in this process: it may quote an address or a body.
		failure.Err = errors.New("dial tcp qms.internal:443: refused")
		withCause, err := json.Marshal(failure)
		require.NoError(t, err)
		require.JSONEq(t, string(encoded), string(withCause))
	}
}
