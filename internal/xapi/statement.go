package xapi

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/mail"
	"strings"

	"github.com/google/uuid"

	"countersign/internal/training"
)

// The parts of a statement that are sent. stored, authority and version are the LRS's to set;
// what is unknown is left out, because null is not allowed.
type statement struct {
	ID        string          `json:"id"`
	Actor     actor           `json:"actor"`
	Verb      verb            `json:"verb"`
	Object    object          `json:"object"`
	Result    result          `json:"result"`
	Context   activityContext `json:"context"`
	Timestamp string          `json:"timestamp"`
}

type actor struct {
	ObjectType string   `json:"objectType"`
	Name       string   `json:"name,omitempty"`
	Account    *account `json:"account,omitempty"`
	Mbox       string   `json:"mbox,omitempty"`
}

type account struct {
	HomePage string `json:"homePage"`
	Name     string `json:"name"`
}

type verb struct {
	ID      string            `json:"id"`
	Display map[string]string `json:"display"`
}

type object struct {
	ObjectType string     `json:"objectType"`
	ID         string     `json:"id"`
	Definition definition `json:"definition"`
}

type definition struct {
	Type string            `json:"type"`
	Name map[string]string `json:"name,omitempty"`
}

type result struct {
	Completion bool   `json:"completion"`
	Success    *bool  `json:"success,omitempty"`
	Score      *score `json:"score,omitempty"`
}

type score struct {
	Scaled *float64    `json:"scaled,omitempty"`
	Raw    json.Number `json:"raw"`
	Min    json.Number `json:"min,omitempty"`
	Max    json.Number `json:"max,omitempty"`
}

type activityContext struct {
	Registration string            `json:"registration,omitempty"`
	Platform     string            `json:"platform,omitempty"`
	Extensions   map[string]string `json:"extensions"`
}

// New builds the statement of a completion (R148–R155): its id, a lower-case UUIDv5 of
// fingerprint, verb and object, and its bytes. The same completion gives the same bytes. fp is that of the event,
// which c may know more than: its LMS may have been asked since.
//
// A day without a time is sent as midnight UTC of that day: LRSs differ on whether they take a
// date alone. The error is a *training.Failure of class FailureStatementRefused when the
// completion or the settings give no valid statement; it names no person.
func New(fp training.Fingerprint, c training.Completion, opts Options) (id string, body []byte, err error) {
	refuse := func(err error) error {
		f := training.FailWith(training.FailureStatementRefused, "build statement", fp.Short(), err)
		f.Detail = err.Error()
		return f
	}
	if err := opts.Validate(); err != nil {
		return "", nil, refuse(err)
	}
	if err := c.Validate(); err != nil {
		return "", nil, refuse(err)
	}
	who, err := newActor(c.Learner, opts)
	if err != nil {
		return "", nil, refuse(err)
	}

	course := opts.courseIRI(c.Course)
	s := statement{
		ID:    nameUUID("statement", string(fp), VerbCompleted, course),
		Actor: who,
		Verb:  verb{ID: VerbCompleted, Display: map[string]string{"en-US": "completed"}},
		Object: object{ObjectType: "Activity", ID: course, Definition: definition{
			Type: ActivityCourse,
		}},
		Result:    result{Completion: true, Success: c.Score.Passed, Score: newScore(c.Score)},
		Timestamp: c.Precision.Truncate(c.CompletedAt).Format("2006-01-02T15:04:05.000Z"),
		Context: activityContext{
			Platform:   cmp.Or(opts.Platform, c.Platform),
			Extensions: map[string]string{ExtensionFingerprint: string(fp)},
		},
	}
	if title := cmp.Or(c.Course.Title, c.Course.Code); title != "" {
		s.Object.Definition.Name = map[string]string{cmp.Or(opts.Language, "und"): title}
	}
	if c.EnrollmentID != "" {
		s.Context.Registration = nameUUID("registration", c.Tenant, c.Source, c.EnrollmentID)
	}

	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(s); err != nil {
		return "", nil, refuse(fmt.Errorf("encode: %w", err))
	}
	return s.ID, bytes.TrimRight(out.Bytes(), "\n"), nil
}

// newActor is the learner with exactly one identifier.
func newActor(l training.Learner, opts Options) (actor, error) {
	who := actor{ObjectType: "Agent"}
	if opts.Names {
		who.Name = l.FullName()
	}
	address, hasMail := mbox(l.Email)
	id := cmp.Or(l.ID, l.ExternalID, l.Username)
	switch {
	case hasMail && (opts.Mbox || opts.HomePage == "" || id == ""):
		who.Mbox = address
	case opts.HomePage != "" && id != "":
		who.Account = &account{HomePage: opts.HomePage, Name: id}
	case opts.HomePage == "":
		return actor{}, fmt.Errorf("no usable e-mail address for mbox, and no home page for an account")
	default:
		return actor{}, fmt.Errorf("no learner id for an account, and no usable e-mail address")
	}
	return who, nil
}

// mbox is the address as a mailto IRI in lower case (R150, R155). Addresses are matched letter
// by letter, so that case must not matter; those outside ASCII some LRSs refuse.
func mbox(address string) (string, bool) {
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Address != address {
		return "", false
	}
	for _, r := range address {
		if r <= ' ' || r > '~' || r == '"' {
			return "", false
		}
	}
	// RFC 6068, section 2: what means something in an IRI is escaped.
	reserved := strings.NewReplacer("%", "%25", "/", "%2f", "?", "%3f", "#", "%23", "[", "%5b", "]", "%5d",
		"&", "%26", "=", "%3d", "^", "%5e", "`", "%60", "{", "%7b", "|", "%7c", "}", "%7d")
	return "mailto:" + reserved.Replace(strings.ToLower(address)), true
}

// newScore sends what is known: scaled only with its scale (R154), never guessed from 100.
func newScore(s training.Score) *score {
	raw, ok := jsonNumber(s.Raw)
	if !ok {
		return nil
	}
	out := &score{Raw: raw}
	if limit, ok := jsonNumber(s.Max); ok {
		out.Min, out.Max = "0", limit
		if scaled, ok := s.Scaled(); ok {
			out.Scaled = &scaled
		}
	}
	return out
}

// jsonNumber is text as a number of JSON, as the sender wrote it where JSON allows that:
// "91.50" stays, "+5" becomes 5.
func jsonNumber(text string) (json.Number, bool) {
	number, ok := training.Score{Raw: text}.RawNumber()
	if !ok {
		return "", false
	}
	if json.Valid([]byte(text)) {
		return json.Number(text), true
	}
	plain, err := json.Marshal(number)
	return json.Number(plain), err == nil
}

// nameUUID is a UUIDv5 in our namespace of the given parts, each preceded by its length so that
// no two lists of parts are the same name. It is lower case: LRSs compare ids as text.
func nameUUID(parts ...string) string {
	namespace := uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://countersign.dev/xapi"))
	var name []byte
	for _, part := range parts {
		name = binary.BigEndian.AppendUint64(name, uint64(len(part)))
		name = append(name, part...)
	}
	return uuid.NewSHA1(namespace, name).String()
}
