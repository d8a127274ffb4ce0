package strictjson

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// Text reads an id, name, title or code the way every adapter does (lms/canonical.md §1):
// absent, null and "" are ""; spaces around are cut, inner ones, case and leading zeros kept;
// an integer is its digits (10291 → "10291").
//
// A number with a fraction or an exponent (10291.0, 1e3) is an error: an id written like that
// went through floating point, where two ids can become one, and guessing which was meant is
// for a person.
func (v Value) Text() (string, error) {
	switch v.kind {
	case Absent, Null:
		return "", nil
	case String:
		return strings.TrimSpace(v.text), nil
	case Number:
		if strings.ContainsAny(v.text, ".eE") {
			return "", errors.New("want a string or an integer, is a number with a fraction or exponent")
		}
		return v.text, nil
	default:
		return "", v.mismatch("a string or an integer")
	}
}

// StringOnly reads a text that is never a number, a date say: "" when absent or null, trimmed.
func (v Value) StringOnly() (string, error) {
	switch v.kind {
	case Absent, Null, String:
		return strings.TrimSpace(v.text), nil
	default:
		return "", v.mismatch("a string")
	}
}

// Number reads a number exactly as written, "" when absent, null or "". A string that holds a
// JSON number is taken too: several platforms quote their scores.
func (v Value) Number() (string, error) {
	switch v.kind {
	case Absent, Null:
		return "", nil
	case Number:
		return v.text, nil
	case String:
		text := strings.TrimSpace(v.text)
		if text == "" {
			return "", nil
		}
		if strings.ContainsAny(text[:1], "-0123456789") && json.Valid([]byte(text)) {
			return text, nil
		}
		return "", errors.New("want a number, is a string that holds none")
	default:
		return "", v.mismatch("a number")
	}
}

// Bool reads a boolean; nil when absent or null. Nothing else is taken for one.
func (v Value) Bool() (*bool, error) {
	switch v.kind {
	case Absent, Null:
		return nil, nil
	case Bool:
		return &v.truth, nil
	default:
		return nil, v.mismatch("a boolean")
	}
}

// Picker reads many members of one value and gathers what is wrong with them, so that an
// administrator sees all of it at once. The zero Picker reads nothing.
type Picker struct {
	root     Value
	problems []string
}

// Pick starts reading members of root.
func Pick(root Value) *Picker { return &Picker{root: root} }

// At is the value at a path of keys joined by dots. Anything but an object on the way is a problem;
// an absent or null one is not.
func (p *Picker) At(path string) Value {
	value := p.root
	keys := strings.Split(path, ".")
	for i, key := range keys {
		if !value.Missing() && value.kind != Object {
			p.Problem(strings.Join(keys[:i], "."), value.mismatch("an object"))
			return Value{}
		}
		value = value.Member(key)
	}
	return value
}

// Text is Value.Text at path.
func (p *Picker) Text(path string) string { return pick(p, path, Value.Text) }

// StringOnly is Value.StringOnly at path.
func (p *Picker) StringOnly(path string) string { return pick(p, path, Value.StringOnly) }

// Number is Value.Number at path.
func (p *Picker) Number(path string) string { return pick(p, path, Value.Number) }

// Bool is Value.Bool at path.
func (p *Picker) Bool(path string) *bool { return pick(p, path, Value.Bool) }

func pick[T any](p *Picker, path string, read func(Value) (T, error)) T {
	picked, err := read(p.At(path))
	if err != nil {
		p.Problem(path, err)
	}
	return picked
}

// Problem notes that the member at path cannot be used; err must hold no value.
func (p *Picker) Problem(path string, err error) {
	text := err.Error()
	if path != "" {
		text = path + ": " + text
	}
	if !slices.Contains(p.problems, text) {
		p.problems = append(p.problems, text)
	}
}

// Err is everything noted, as one error; nil when there is nothing.
func (p *Picker) Err() error {
	if len(p.problems) == 0 {
		return nil
	}
	return errors.New(strings.Join(p.problems, "; "))
}
