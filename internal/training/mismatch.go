package training

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// MismatchKind is what does not agree between an LMS, our journal, the QMS and the LRS (R144).
type MismatchKind string

// The kinds. They are in the journal: never change one.
const (
	// MismatchMissingInQMS: the LMS reports a completion that had not arrived, or that ended without its record.
	MismatchMissingInQMS MismatchKind = "missing_in_qms"
	// MismatchMissingInLMS: what the QMS or our journal shows as completed, the LMS does not report.
	MismatchMissingInLMS    MismatchKind = "missing_in_lms"
	MismatchDifferentDate   MismatchKind = "different_date"
	MismatchDifferentScore  MismatchKind = "different_score"
	MismatchDifferentStatus MismatchKind = "different_status"
	// MismatchOtherPerson: the training record belongs to another employee than it did when it was written.
	MismatchOtherPerson MismatchKind = "other_person"
	// MismatchWaitingTooLong: under way, or waiting for people, for longer than the tenant allows.
	MismatchWaitingTooLong MismatchKind = "waiting_too_long"
	MismatchNoMapping      MismatchKind = "no_mapping"
	MismatchUnknownPerson  MismatchKind = "unknown_person"
	// MismatchOrphanLink: an enrollment's link leads to a record that is gone or is somebody else's.
	MismatchOrphanLink    MismatchKind = "orphan_link"
	MismatchNoCertificate MismatchKind = "no_certificate"
	MismatchNoStatement   MismatchKind = "no_statement"
	// MismatchMissingInLRS: the LRS has taken the statement and shows nothing under its id.
	MismatchMissingInLRS MismatchKind = "missing_in_lrs"
	// MismatchVoidedInLRS: somebody has voided the statement there.
	MismatchVoidedInLRS MismatchKind = "voided_in_lrs"
	// MismatchDifferentInLRS: the LRS shows another statement under its id than was sent.
	MismatchDifferentInLRS MismatchKind = "different_in_lrs"
	// MismatchDocumentTwice: a document of ours is kept more than once with its training in the QMS.
	MismatchDocumentTwice MismatchKind = "document_twice"
	// MismatchUnreadable: a row that reports a completion and cannot be understood, or a record that cannot be.
	MismatchUnreadable MismatchKind = "unreadable"
)

// MismatchOrigin is the comparison that found a mismatch, and that has to be made again to see it gone.
type MismatchOrigin string

// The origins.
const (
	MismatchFromListing    MismatchOrigin = "listing"    // the LMS's listing, or a file, against our journal
	MismatchFromCompletion MismatchOrigin = "completion" // our journal against the QMS and our own effects
	MismatchFromLink       MismatchOrigin = "link"       // enrollment links against the QMS
	MismatchFromRecord     MismatchOrigin = "record"     // the QMS's listing against our journal
	MismatchFromStatement  MismatchOrigin = "statement"  // the statements that our journal calls delivered against the LRS
	MismatchFromDocument   MismatchOrigin = "document"   // the documents that the QMS keeps with trainings, among themselves
)

// Mismatch is one difference. It holds no name and no address; scores and dates are personal data all the
// same, so it lives in the journal and in the report only.
type Mismatch struct {
	Kind   MismatchKind
	Origin MismatchOrigin
	Source string
	// Fingerprint is the completion it is about, "" for none.
	Fingerprint Fingerprint
	// RecordID is the training record, "" where none is known.
	RecordID string
	// Course is what a person calls the course.
	Course string
	// At is when the completion happened, zero where nobody says.
	At time.Time
	// LMS and QMS are what the two sides say, in a few words; "" where there is nothing to say.
	LMS, QMS string
	// Detail says the rest: a failure class, a field's name; never a person.
	Detail string
	// Started says that the completion was put on its way by this run.
	Started bool
	// Key tells mismatches of one kind apart that have neither completion nor record.
	Key string

	// Since is when a run first found it. Carried says that this run could not look at it again: it lies
	// outside of what the run has compared.
	Since   time.Time
	Carried bool
}

// ID is the same for the same difference in every run, so that a report can say since when it has stood.
func (m Mismatch) ID() string {
	subject := cmp.Or(string(m.Fingerprint), m.Key, m.RecordID)
	sum := sha256.Sum256([]byte(strings.Join([]string{string(m.Kind), string(m.Origin), m.Source, subject}, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// MismatchKinds are all kinds, in the order of the report: what needs somebody first.
func MismatchKinds() []MismatchKind {
	return []MismatchKind{
		MismatchMissingInQMS, MismatchDifferentStatus, MismatchOtherPerson, MismatchDifferentDate, MismatchDifferentScore, MismatchNoMapping, MismatchUnknownPerson,
		MismatchWaitingTooLong, MismatchNoCertificate, MismatchNoStatement, MismatchMissingInLRS, MismatchVoidedInLRS, MismatchDifferentInLRS,
		MismatchOrphanLink, MismatchDocumentTwice, MismatchMissingInLMS, MismatchUnreadable,
	}
}

// Title is the kind as people read it.
func (k MismatchKind) Title() string {
	switch k {
	case MismatchMissingInQMS:
		return "missing in the QMS"
	case MismatchMissingInLMS:
		return "missing in the LMS"
	case MismatchMissingInLRS:
		return "missing in the LRS"
	case MismatchVoidedInLRS:
		return "voided in the LRS"
	case MismatchDifferentInLRS:
		return "different in the LRS"
	}
	return strings.ReplaceAll(string(k), "_", " ")
}

var mismatchExplanations = map[MismatchKind]Explanation{
	MismatchMissingInQMS: {
		Happened: "The LMS reports a completion that the QMS does not show.",
		Means:    "Where it says started, the completion is on its way now, once, like any other; else the training record is not COMPLETED by it.",
		Do:       "Where it says started: nothing. Else start it again with starter replay, giving your name and a reason.",
	},
	MismatchMissingInLMS: {
		Happened: "The QMS or the journal shows a completion that the LMS does not report.",
		Means:    "The training record is COMPLETED and is not touched; the LMS may have lost, reset or never had the completion.",
		Do:       "Ask the LMS's administrator what became of it. If the completion was wrong, correct the record in the QMS.",
	},
	MismatchDifferentDate: {
		Happened: "The two sides state different completion dates.",
		Means:    "It counts as one completion; no second one was made of it, and the training record keeps its date.",
		Do:       "Find out which date is right, and correct the other side.",
	},
	MismatchDifferentScore: {
		Happened: "The two sides state different scores.",
		Means:    "The training record keeps the score that was written.",
		Do:       "Find out which score is right, and correct the other side.",
	},
	MismatchDifferentStatus: {
		Happened: "The training record was COMPLETED and verified, and no longer is.",
		Means:    "Somebody or something has changed it in the QMS since; the certificate says what the record said then.",
		Do:       "Look at the record's history in the QMS and have the change explained or undone.",
	},
	MismatchOtherPerson: {
		Happened: "The training record belongs to another employee than when it was written.",
		Means:    "The learner's completion stands in somebody else's name.",
		Do:       "Look at the record's history in the QMS and have the change explained or undone.",
	},
	MismatchWaitingTooLong: {
		Happened: "The completion has been under way, or waiting for people, for longer than your settings allow.",
		Means:    "The training record is not COMPLETED yet.",
		Do:       "Open the completion in the Temporal Web UI; it says what it waits for. Approve, decide or retry it there.",
	},
	MismatchNoMapping: {
		Happened: "The settings name no training in the QMS for this course.",
		Means:    "The completion is kept and waits; no training record has been changed.",
		Do:       "Add the course to the tenant's courses, then choose retry for what waits.",
	},
	MismatchUnknownPerson: {
		Happened: "The QMS knows no employee for this learner.",
		Means:    "The completion is kept and waits; no training record has been changed.",
		Do:       "Create the employee in the QMS or correct the id in the LMS, then choose retry.",
	},
	MismatchOrphanLink: {
		Happened: "An enrollment is linked to a training record that is gone or belongs to somebody else.",
		Means:    "A completion of this enrollment would not find its record by the link; it would be searched for.",
		Do:       "Correct the link, or have the record restored in the QMS.",
	},
	MismatchNoCertificate: {
		Happened: "The training record is COMPLETED and no certificate exists.",
		Means:    "The record is right; the document is missing.",
		Do:       "Open the completion in the Temporal Web UI and see why none was issued.",
	},
	MismatchNoStatement: {
		Happened: "The training record is COMPLETED and the LRS has not taken the xAPI statement.",
		Means:    "The record is right; the statement is missing.",
		Do:       "Open the completion in the Temporal Web UI and see why none was taken.",
	},
	MismatchMissingInLRS: {
		Happened: "The LRS has taken the xAPI statement and does not show it any more.",
		Means:    "The training record and the certificate are right and untouched; the statement is missing, and is not sent again by itself.",
		Do:       "Ask the LRS's administrator what became of it and have it restored: its bytes are in the journal, and go under the same id.",
	},
	MismatchVoidedInLRS: {
		Happened: "Somebody has voided the xAPI statement in the LRS.",
		Means:    "The training record and the certificate are untouched; reports of the LRS leave the completion out. A voided id is never used again.",
		Do:       "Ask the LRS's administrator who voided it and why. If the completion was wrong, correct the record in the QMS.",
	},
	MismatchDifferentInLRS: {
		Happened: "The LRS shows another statement under the id of this completion's than was sent.",
		Means:    "The training record and the certificate are right and untouched; the LRS says something else of who finished what, how or when.",
		Do:       "Have the LRS's administrator compare its statement with the bytes in the journal, and have the change explained or undone.",
	},
	MismatchDocumentTwice: {
		Happened: "The QMS keeps the same document more than once with one training: an upload whose answer was lost was carried out late.",
		Means:    "The training record is right and nothing is missing; one file of those that the detail names is enough.",
		Do:       "Compare the files in the QMS, and remove all but one there. Countersign removes nothing from the QMS.",
	},
	MismatchUnreadable: {
		Happened: "A row that reports a completion, a training record or a statement could not be understood.",
		Means:    "Nothing was done about it, and nothing has been changed.",
		Do:       "Mend what the detail names, in the LMS, in the file, in the QMS or in the LRS; the next run reads it again.",
	},
}

// Explain gives the three sentences of a kind. One that this version does not know reads as unreadable.
func (k MismatchKind) Explain() Explanation {
	return cmp.Or(mismatchExplanations[k], mismatchExplanations[MismatchUnreadable])
}
