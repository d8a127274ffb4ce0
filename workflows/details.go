package workflows

import (
	"fmt"
	"strings"
	"time"

	"countersign/internal/training"

	"go.temporal.io/sdk/workflow"
)

// The Markdown that says where a completion stands, as an operator or a training admin reads it in the
// Temporal Web UI. No personal data in it, but for the names of those who decide.

// show renders the page, what was wrong with the last signal, and the record.
func (c *completion) show(ctx workflow.Context) {
	var text strings.Builder
	if c.desk.note != "" {
		fmt.Fprintf(&text, "**The last signal changed nothing:** %s.\n\n", escapeLong(c.desk.note))
	}
	text.WriteString(c.page(c))
	if c.result.RecordID != "" {
		fmt.Fprintf(&text, "\n\nTraining record %s", code(c.result.RecordID))
	}
	workflow.SetCurrentDetails(ctx, text.String())
}

// approvalPage asks for the approval.
func approvalPage(c *completion) string {
	var text strings.Builder
	text.WriteString("**Waits for an approval.** The learner finished the course, and its training requires an approval.\n\n" +
		"The training record is PENDING_APPROVAL; no certificate and no statement have been issued.\n\n")
	if q := c.desk.waiting; q != nil && q.first != "" {
		fmt.Fprintf(&text, "**%s has approved. A second person has to approve as well.**\n\n", escape(q.first))
	}
	text.WriteString("Approve or reject it in the QMS, or send the signal `approval` (or the update `decide`). The learner must not sign.\n\n" +
		examples(training.ApprovalActions()) +
		"\n`\"meaning\"` may say what your signature means; without it, it is \"approval\" or \"rejection\".")
	if c.lookFailed != nil {
		fmt.Fprintf(&text, "\n\nWhether the QMS has decided could not be read the last time: %s. It is read again.", code(c.lookFailed.Error()))
	}
	return text.String()
}

// retryingPage says what is waited for before the next attempt.
func retryingPage(failure *training.Failure, next time.Time, rest training.Retry) string {
	later := ""
	for attempt := 1; attempt < min(rest.Attempts, 6); attempt++ {
		if later != "" {
			later += " and "
		}
		later += rest.Gap(attempt).String()
	}
	if later != "" {
		later = " If that fails, again after " + later + "; then a person is asked."
	}
	return fmt.Sprintf("**Tries again at %s.**%s\n\n%s\n\nTo try now, send the signal `review` (or the update `decide`):\n\n%s",
		clockTime(next), later, sentences(failure), examples([]training.Action{training.ActionRetry}))
}

func underwayPage(*completion) string { return "**Under way.** Nothing is waited for." }

// retrySummary is what stands beside the timer before a second attempt.
func retrySummary(name string, rest training.Retry, failure *training.Failure) string {
	return fmt.Sprintf("retry 1 of %d of %s: %s", rest.Attempts, name, failure.Class)
}

// summaries say in a line what a step does, for the event history in the Web UI.
var summaries = map[string]string{
	lookUp:           "ask the LMS for what its event lacks",
	resolveLearner:   "ask the QMS whether it knows the employee",
	checkRecord:      "find the training record and look where it stands",
	completeRecord:   "write the training record and read it back",
	carryDecision:    "tell the QMS what the approver decided and read the record back",
	readRecord:       "read the record: has the QMS decided?",
	enrollTrainee:    "find the trainee's enrollment, and make the one that is missing where policy says so",
	keepDocument:     "have the document kept with the training in the QMS, once",
	readSignature:    "read the record: has the trainee signed?",
	checkApprover:    "may this person decide? The learner may not",
	issueCertificate: "draw and store the certificate",
	postStatement:    "store the xAPI statement and put it to the LRS",
	recordOutcome:    "write to the journal how the completion ended",
	recordWait:       "write to the journal what is waited for",
	recordDecision:   "keep the decision in the journal",
	tellAdmins:       "tell the training admins' inbox",
	sendNotice:       "send a notice to the training admins",
	lookAtTarget:     "does the target answer again?",
	changeTarget:     "keep in the journal what was decided about the target",
	resumeWaiting:    "let completions go on that waited for the target",
	settleTarget:     "is the incident over?",
}

// reviewPage asks for the decision of a review.
func reviewPage(c *completion) string {
	text := "**Needs a review.**\n\n" + sentences(c.failure) + "\n\nSend the signal `review` (or the update `decide`):\n\n" + examples(c.allowed)
	if !c.until.IsZero() {
		text += fmt.Sprintf("\nWithout a decision it ends as expired in review at %s.", clockTime(c.until))
	}
	return text
}

// endedPage says how it ended.
func endedPage(c *completion) string {
	text := "Ended: **" + string(c.result.Outcome) + "**."
	if c.result.DecidedBy != "" {
		text += fmt.Sprintf(" Decided by %s.", escape(c.result.DecidedBy))
	}
	if c.result.Status != "" {
		text += fmt.Sprintf(" The record was read back as %s.", c.result.Status)
	}
	for _, kind := range c.result.Skipped {
		text += fmt.Sprintf(" **The %s was skipped by a decision.**", kind)
	}
	if c.result.Outcome == training.OutcomeExpiredInReview {
		text += "\n\n" + sentences(c.failure)
	}
	return text
}

// sentences is a failure as a training admin reads it: the three sentences, the error with the
// other side's own words, and the attempts.
func sentences(failure *training.Failure) string {
	return sentencesOf(failure, failure.Class.Explain())
}

// sentencesOf is sentences in the words of e.
func sentencesOf(failure *training.Failure, e training.Explanation) string {
	text := fmt.Sprintf("%s\n\n%s\n\n%s\n\nFor whoever looks into it: %s", e.Happened, e.Means, e.Do, code(failure.Error()))
	if len(failure.Attempts) > 0 {
		text += "\n\nAttempts:\n"
	}
	for _, attempt := range failure.Attempts {
		text += strings.TrimRight(fmt.Sprintf("\n- %s %s %s", clockTime(attempt.At), attempt.Class, code(attempt.Detail)), " ")
	}
	return text
}

// does says in a few words what an action does.
var does = map[training.Action]string{
	training.ActionApprove:         "approve the record",
	training.ActionReject:          "reject it: the record goes back to IN_PROGRESS",
	training.ActionRetry:           "carry on from the start; what is done is found by reading",
	training.ActionUseRecord:       "use another training record, of the same employee and training",
	training.ActionUseEmployee:     "use another employee id",
	training.ActionSubmit:          "submit the record for approval instead of completing it",
	training.ActionSkipCertificate: "complete without a certificate",
	training.ActionSkipStatement:   "complete without an xAPI statement",
	training.ActionSkipEvidence:    "go on without keeping the document with the training in the QMS",
	training.ActionClose:           "end it without a record",
}

// examples is a decision of each kind to paste.
func examples(actions []training.Action) string {
	var text strings.Builder
	for _, action := range actions {
		fmt.Fprintf(&text, "- %s:\n\n```json\n%s\n```\n", does[action], action.Example())
	}
	return text.String()
}

// longest bounds what another system or a person has said, in runes.
const longest = 300

// code is text as Markdown shows it literally, "" for none.
func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + strings.NewReplacer("`", "'", "\n", " ").Replace(clip(text, longest)) + "`"
}

func escapeLong(text string) string { return markdown.Replace(clip(text, longest)) }

func clockTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
