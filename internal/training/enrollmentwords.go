package training

// ExplainEnrollment gives the three sentences of a class where it is an enrollment that failed: it may have no record
// yet, and of the decisions it knows retry and close only.
func (c FailureClass) ExplainEnrollment() Explanation {
	e := c.Explain()
	switch e.Means {
	case notChanged:
		e.Means = "The enrollment has no training record yet, and none has been changed."
	case mayBeChanged:
		e.Means = "A training record may or may not have been created; it is looked for before another one is."
	}
	switch c {
	case FailureEmployeeUnknown:
		e.Do = "Create the employee in the QMS, or correct who the learner is there in an imported mapping. " + chooseRetry
	case FailureRecordAmbiguous:
		e.Do = "Cancel the surplus records in the QMS and choose retry, or close with a reason."
	case FailureIncomplete:
		e.Do = "Have what is missing added in the LMS or by an imported mapping and choose retry, or close with a reason."
	case FailureTenantUnknown:
		e.Happened = "The worker that was to carry the enrollment has no settings for this tenant."
	case FailureOtherContent:
		e.Happened, e.Means = "The QMS has another record under the reference of this enrollment.", "The enrollment is not linked to it."
		e.Do = "Compare that record with the enrollment in the QMS; correct it there and choose retry, or close with a reason."
	}
	return e
}

// byEnrollment signs the retry of a completion whose record an enrollment has brought.
const byEnrollment = "countersign (enrollment)"

// EnrollmentArrived has a completion tried again whose training record an enrollment has brought.
func EnrollmentArrived(recordID string) Decision {
	return Decision{Action: ActionRetry, By: byEnrollment, Reason: "the enrollment has come, and its training record is " + recordID}
}
