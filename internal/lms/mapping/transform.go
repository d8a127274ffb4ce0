package mapping

import (
	"errors"
	"fmt"

	"countersign/internal/lms/strictjson"
)

// longestTransform in bytes.
const longestTransform = 1000

// Transform is a checked chain of transforms. It does not change and is safe for concurrent use.
type Transform struct {
	steps []step
}

// step is one transform of a chain. apply never sees a null; omitted says that the field is left out.
type step struct {
	text  string
	name  string
	apply func(strictjson.Value) (strictjson.Value, error)
	// onNull is set for the one transform that does something with null.
	onNull bool
}

// ValueError is a value that a transform cannot take. It never holds the value.
type ValueError struct {
	// Step counts the steps of the chain from 1, Name is the transform's.
	Step int
	Name string
	// Code is invalid_date, unmapped_value, bad_type, not_a_number or out_of_range.
	Code string
	Text string
}

// Error names the step, what is wrong, and the code.
func (e *ValueError) Error() string {
	return fmt.Sprintf("transform step %d, %s: %s (%s)", e.Step, e.Name, e.Text, e.Code)
}

// refusal is what a step says about a value; the chain adds where.
type refusal struct{ code, text string }

func (r refusal) Error() string { return r.text }

// ParseTransform checks an expression:
//
//	expr  := empty | step { "|" step }
//	step  := name [ ":" args ]        white space around a step is dropped
//
// The first ":" ends the name; a backslash takes the next character literally. Names have their case. An
// empty expression changes nothing. The error joins every *Mistake; none of them depends on a value.
func ParseTransform(expr string) (*Transform, error) {
	t, found := parseTransform(expr)
	if len(found) == 0 {
		return t, nil
	}
	joined := make([]error, len(found))
	for i, mistake := range found {
		joined[i] = mistake
	}
	return nil, errors.Join(joined...)
}

func parseTransform(expr string) (*Transform, []*Mistake) {
	t := &Transform{}
	if len(expr) > longestTransform {
		return t, []*Mistake{mistake(longestTransform, "expression_too_long", "longer than 1000 bytes")}
	}
	read, ok := unescape(expr)
	if !ok {
		return t, []*Mistake{mistake(len(expr)-1, "bad_argument", "nothing stands behind the backslash")}
	}
	if len(read.trim()) == 0 {
		return t, nil
	}
	var found []*Mistake
	end := 0 // where the step begins, should it be empty
	for _, part := range read.split('|') {
		start := end
		end = part.end(start) + 1 // the "|"
		s, wrong := parseStep(part.trim(), start)
		if wrong != nil {
			found = append(found, wrong)
			continue
		}
		t.steps = append(t.steps, s)
	}
	return t, found
}

// parseStep reads one step; start is its byte where it is empty.
func parseStep(text chars, start int) (step, *Mistake) {
	if len(text) == 0 {
		return step{}, mistake(start, "empty_step", "there is no transform here")
	}
	name, args, colon := text.cut(':')
	at := text[0].offset
	after := text.end(0)
	if colon && len(args) > 0 {
		after = args[0].offset
	}
	s := step{text: text.String(), name: name.String()}
	var wrong *Mistake
	switch s.name {
	case "dateFormat":
		s.apply, wrong = dateFormat(args, after)
	case "statusMap":
		s.apply, wrong = statusMap(args, after)
	case "concat":
		s.apply, wrong = concat(args, after)
	case "omitIfNull":
		s.apply, s.onNull = same, true
		wrong = noArguments(args)
	case "toString":
		s.apply, wrong = toString, noArguments(args)
	case "toInt":
		s.apply, wrong = toInt, noArguments(args)
	default:
		wrong = mistake(at, "unknown_transform", "want dateFormat, statusMap, concat, omitIfNull, toString or toInt")
	}
	return s, wrong
}

func noArguments(args chars) *Mistake {
	if len(args) == 0 {
		return nil
	}
	return mistake(args[0].offset, "unexpected_argument", "this transform takes no argument")
}

func mistake(offset int, code, text string) *Mistake {
	return &Mistake{Part: "transform", Offset: offset, Code: code, Text: text}
}

// Apply runs the steps from left to right, each on the previous result with its type. Null goes through every step
// untouched, except that omitIfNull ends the chain: the result is Absent then, the field left out. An
// absent value is null here. The error is a *ValueError.
func (t *Transform) Apply(v strictjson.Value) (strictjson.Value, error) {
	return t.apply(v, nil)
}

// apply tells note of every step's result.
func (t *Transform) apply(v strictjson.Value, note func(step string, output strictjson.Value)) (strictjson.Value, error) {
	if v.Kind() == strictjson.Absent {
		v = strictjson.NullOf()
	}
	for i, s := range t.steps {
		switch {
		case v.Kind() != strictjson.Null:
			result, err := s.apply(v)
			if err != nil {
				failure := &ValueError{Step: i + 1, Name: s.name, Text: err.Error()}
				var refused refusal
				if errors.As(err, &refused) {
					failure.Code = refused.code
				}
				return strictjson.Value{}, failure
			}
			v = result
		case s.onNull:
			v = strictjson.Value{}
		}
		if note != nil {
			note(s.text, v)
		}
		if v.Kind() == strictjson.Absent {
			return v, nil
		}
	}
	return v, nil
}
