package axis

import (
	"errors"
	"math/big"
	"regexp"
	"strings"

	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
)

// The events that end something. A certification that is renewed is one of its own (R161).
const (
	course          = "course_complete"
	ilt             = "ilt_complete"
	learningPath    = "learningpath_complete"
	certification   = "certification"
	recertification = "recertification"
)

// kind is what an event is. name is ours where it is known, and else the sender's.
type kind struct {
	name       string
	known      bool
	completion bool
	// reason says why it is no completion.
	reason string
}

// kindOf looks an event up by the letters of its name. Starts and new users are known, so that they
// are never taken for completions (R79).
func kindOf(name string) kind {
	const start, user = "a start of training", "a user was added"
	switch letters(name) {
	case "coursecomplete":
		return completes(course)
	case "iltcomplete":
		return completes(ilt)
	case "learningpathcomplete":
		return completes(learningPath)
	case "certification":
		return completes(certification)
	case "recertification":
		return completes(recertification)
	case "coursestart":
		return kind{name: "course_start", known: true, reason: start}
	case "iltstart":
		return kind{name: "ilt_start", known: true, reason: start}
	case "learningpathstart":
		return kind{name: "learningpath_start", known: true, reason: start}
	case "useradd":
		return kind{name: "user_add", known: true, reason: user}
	default:
		return kind{name: name}
	}
}

func completes(name string) kind { return kind{name: name, known: true, completion: true} }

// group is what a name stands for: one URL may serve certifications and their renewals.
func (k kind) group() string { return strings.TrimPrefix(k.name, "re") }

// renewal tells a certification from its renewal (R161), by a member whose words are a guess. A word that
// is neither might be an end of a certification, so it is a problem.
func (e event) renewal(reader *mapping.Reader, what kind) kind {
	text, err := e.document.Member("type").Text()
	said := kindOf(text)
	switch {
	case err != nil:
		reader.Problem("type", err)
	case text == "":
		return what
	case said.group() != certification:
		reader.Problem("type", errors.New("want certification or recertification"))
	case what.name == recertification && said != what:
		reader.Problem("type", errors.New("is not recertification, though the event is"))
	}
	return said
}

// modest is a JSON number that costs no memory to compute with exactly: "1e999999999" would.
var modest = regexp.MustCompile(`^-?\d{1,18}(\.\d{1,18})?([eE][+-]?\d{1,2})?$`)

// passed holds a score against the passing score that came with it (R72), nil where one of them is missing. There is no
// tolerance: 69.99 against 70 is failed. A passing score of 0 is one that everybody reaches.
func (e event) passed(reader *mapping.Reader, raw string) *bool {
	const path = "course_passing_score"
	fields := strictjson.Pick(e.document)
	text := fields.Number(path)
	if err := fields.Err(); err != nil {
		reader.Problem("", err)
	}
	if raw == "" || text == "" {
		return nil
	}
	if !modest.MatchString(text) || !modest.MatchString(raw) {
		reader.Problem(path, errors.New("it or the score has more digits than a percentage"))
		return nil
	}
	mark, _ := new(big.Rat).SetString(text)
	score, _ := new(big.Rat).SetString(raw)
	if mark.Sign() < 0 || mark.Cmp(big.NewRat(100, 1)) > 0 {
		reader.Problem(path, errors.New("lies outside 0 to 100"))
	}
	reached := score.Cmp(mark) >= 0
	return &reached
}
