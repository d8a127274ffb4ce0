// Package successfactors reads what an integration flow (iFlow) in SAP BTP sends for SAP SuccessFactors Learning.
//
// SuccessFactors has no webhook for a completed course. A customer's iFlow polls its learning history and calls us,
// so the contract is ours, and this is it:
//
//   - Token: POST /oauth/{tenant}/{source}/token with grant_type=client_credentials (RFC 6749 §4.4); client id and
//     secret by Basic or in the form. The answer is {"access_token":"…","token_type":"Bearer","expires_in":600}.
//   - Delivery: POST /webhooks/lms/{tenant}/{source}, Authorization: Bearer <access_token>, JSON in UTF-8:
//     {"value":[row,…]}, and also {"value":row} and a row alone, because a converter from XML makes an
//     object of an array of one. Members that begin with @odata are not looked at.
//   - Row: the fields of SAP's learning history as they are, and who the learner is:
//     studentID, componentTypeID, componentID, completionDate, completionStatusID (required);
//     personExternalID, email, title, grade (wanted); all others are kept in the stored delivery.
//   - completionDate: milliseconds since 1970, or ISO 8601 with its offset.
//   - completionStatusID: the customer's own code. What it stands for is said once in the source's mapping:
//     passed: {path: $.completionStatusID, transform: "statusMap:COURSE-PASS=passed,COURSE-FAIL=failed,COURSE-INC=ignore"}.
//     A code that is not in it goes up for review, because a history holds failures too. So does every code
//     where the source has no such mapping, whatever word the code is.
//   - grade: free text; a plain number (91.5) is the score. Its scale is not in a row; a mapping may say it:
//     score.max: {const: "100"}.
//   - Answer: 200 with a verdict for each row; one bad row does not hold up the others. 401 asks for a new
//     token, 503 for the same delivery once more. A row that is sent twice is one completion: overlap is fine.
//
// The event that paths are read from is the row, and beside its members "derived", which is ours:
// item is componentTypeID/componentID, score is the grade where it is a plain number.
//
// Documented: studentID, completionDate and completionTimeZoneID (SAP KBA 2421887). Seen in public code: the other
// fields of the history. Ours: personExternalID, email, and the envelope's leniency. Unknown: whether SAP will ever
// have an event of its own. There is no event id, no name and no event name; revisionDate, the version of the item,
// has no place in a completion and is in the stored delivery.
package successfactors

import (
	"fmt"

	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
)

// Platform is the name of this platform in settings, API and docs.
const Platform = "successfactors"

// Transport is one JSON body at the source's own URL.
func Transport() lms.Transport { return lms.Transport{} }

// DefaultMapping reads a row. It cannot know what the customer's status codes stand for, so that with it alone every
// row goes up for review.
func DefaultMapping() *mapping.Mapping {
	return mapping.MustCompile(Platform, mapping.Definition{Version: "1", Fields: map[mapping.Target]mapping.Field{
		mapping.LearnerID:         {Path: "$.studentID"},
		mapping.LearnerEmail:      {Path: "$.email"},
		mapping.LearnerExternalID: {Path: "$.personExternalID"},
		mapping.CourseID:          {Path: "$.derived.item"},
		mapping.CourseTitle:       {Path: "$.title"},
		mapping.CourseCode:        {Path: "$.componentID"},
		mapping.CompletedAt:       {Path: "$.completionDate"},
		mapping.ScoreRaw:          {Path: "$.derived.score"},
		mapping.Passed:            {Path: "$.completionStatusID", Transform: "toString"},
	}})
}

// Adapter implements lms.Adapter.
type Adapter struct {
	mapping *mapping.Mapping
	limits  strictjson.Limits
}

var _ lms.Adapter = (*Adapter)(nil)

// New takes DefaultMapping or an override of it; nil is DefaultMapping.
func New(m *mapping.Mapping) *Adapter {
	if m == nil {
		m = DefaultMapping()
	}
	return &Adapter{mapping: m, limits: strictjson.DefaultLimits()}
}

// Platform implements lms.Adapter.
func (a *Adapter) Platform() string { return Platform }

// Decode implements lms.Adapter. A body that is no JSON object is unreadable.
func (a *Adapter) Decode(r lms.Request) (lms.Decoded, error) {
	root, err := strictjson.Decode(r.Body, a.limits)
	if err != nil {
		return lms.Decoded{}, fmt.Errorf("%w: %w", lms.ErrUnreadable, err)
	}
	if root.Kind() != strictjson.Object {
		return lms.Decoded{}, fmt.Errorf("%w: want an object with value; is %s", lms.ErrUnreadable, root.Kind())
	}
	var decoded lms.Decoded
	switch value := root.Member("value"); value.Kind() {
	case strictjson.Absent:
		a.add(&decoded, "", root)
	case strictjson.Array:
		for i, item := range value.Items() {
			a.add(&decoded, fmt.Sprintf("value[%d]", i), item)
		}
		if len(value.Items()) == 0 {
			decoded.Ignored = append(decoded.Ignored, lms.Ignored{Reason: "value holds no row"})
		}
	default:
		a.add(&decoded, "value", value)
	}
	return decoded, nil
}
