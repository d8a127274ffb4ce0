package training

// Reviewed is what a review is about, as far as it decides which decisions make sense.
type Reviewed struct {
	Class FailureClass
	// Failed is the effect that could not be made; whatever comes before the record is written
	// counts as EffectRecord.
	Failed EffectKind
	// Verified is true once the record was read back as COMPLETED: then no decision may lead to
	// another one (law 2).
	Verified bool
}

// mends says which decisions, besides retry and close, can mend a failure on the way to the record.
// What is not named here could hide the problem or write a second record: after a lost answer, for
// one, nobody may turn to another record.
var mends = map[FailureClass][]Action{
	FailureIncomplete:       {ActionUseEmployee},
	FailureEmployeeUnknown:  {ActionUseEmployee},
	FailureEmployeeMismatch: {ActionUseRecord, ActionUseEmployee},
	FailureTrainingMismatch: {ActionUseRecord},
	FailureRecordMissing:    {ActionUseRecord, ActionUseEmployee},
	FailureRecordAmbiguous:  {ActionUseRecord},
	FailureCompletedElse:    {ActionUseRecord},
	FailureRecordExpired:    {ActionUseRecord},
	FailureRecordCancelled:  {ActionUseRecord},
	FailureApprovalNeeded:   {ActionSubmit},
	FailureSignedBefore:     {ActionUseRecord},
	FailureUnchanged:        {ActionSubmit}, // an approval step that the QMS does not show
}

// ReviewActions are the actions that a completion in IN_REVIEW takes, in the order in which a
// person should think of them.
func ReviewActions(r Reviewed) []Action {
	actions := []Action{ActionRetry}
	switch {
	case r.Failed == EffectCertificate:
		actions = append(actions, ActionSkipCertificate)
	case r.Failed == EffectStatement:
		actions = append(actions, ActionSkipStatement)
	case r.Failed == EffectEvidence:
		actions = append(actions, ActionSkipEvidence)
	case !r.Verified:
		actions = append(actions, mends[r.Class]...)
	}
	return append(actions, ActionClose)
}
