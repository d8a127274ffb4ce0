package training

// OfLookUp is the class of a failure that c is when an LMS's API was asked and not the QMS: people are sent to the LMS,
// and nothing is concluded about the QMS. A class that says the same of either stays.
func (c FailureClass) OfLookUp() FailureClass {
	switch c {
	case FailureUnreachable:
		return FailureLMSUnreachable
	case FailureRateLimited:
		return FailureLMSRateLimited
	case FailureCredentials:
		return FailureLMSCredentials
	case FailureRefused:
		return FailureLMSRefused
	case FailureMisread:
		return FailureLMSMisread
	default:
		return c
	}
}
