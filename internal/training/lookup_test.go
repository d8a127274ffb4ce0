package training_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/training"
)

// Who reads of a failed look-up must not be sent to the QMS, and whether a retry mends it stays what it was.
func TestFailuresOfALookUpPointToTheLMS_R15(t *testing.T) {
	for _, class := range []training.FailureClass{
		training.FailureUnreachable, training.FailureRateLimited, training.FailureCredentials, training.FailureRefused, training.FailureMisread,
	} {
		of := class.OfLookUp()
		require.NotEqual(t, class, of)
		require.Equal(t, class.Transient(), of.Transient(), class)
		e := of.Explain()
		require.Contains(t, e.Happened, "LMS")
		require.NotContains(t, e.Happened+e.Means+e.Do, "QMS", of)
		require.Equal(t, of, of.OfLookUp())
	}
	require.Equal(t, training.FailureDefect, training.FailureDefect.OfLookUp())
}
