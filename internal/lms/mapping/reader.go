package mapping

import (
	"errors"
	"slices"
	"strings"
	"time"

	"countersign/internal/lms/strictjson"
)

// Reader reads the targets of one event and gathers what is wrong with them, so that an administrator sees all of it at
// once. It is not safe for concurrent use.
type Reader struct {
	mapping  *Mapping
	doc      document
	problems []string
	notes    []string
	traced   *TracedEvent
}

// reading is a target's value before it is taken for a text, a number or a date.
type reading struct {
	value strictjson.Value
	// at is where it was read, e.g. "payload.user.id"; for a constant the target.
	at string
	// made says that a transform or a constant made the value, so that a boolean may be a text.
	made    bool
	failed  bool
	pattern pattern
	zone    *time.Location
	entry   *TracedRead
}

// Value is the target's value after its transforms; Absent where there is none, and where a problem was noted.
func (r *Reader) Value(t Target) strictjson.Value {
	got := r.read(t)
	got.output(got.value)
	return got.value
}

// read follows the paths and runs the transforms.
func (r *Reader) read(t Target) reading {
	got := reading{}
	f := r.mapping.fields[t]
	if f == nil {
		return got
	}
	if r.traced != nil {
		got.entry = r.traced.read(t)
	}
	got.pattern, got.zone, got.made = f.pattern, f.zone, f.transform != nil || f.constant != nil
	if f.constant != nil {
		got.value, got.at = *f.constant, string(t)
	} else {
		value, at, err := r.find(f.paths)
		got.value, got.at = value, at
		if err != nil {
			r.refuse(&got, err)
			return got
		}
	}
	if got.entry != nil {
		if f.constant == nil {
			got.entry.Path = got.at
		}
		got.entry.Input = got.value.JSON()
	}
	if f.transform == nil {
		return got
	}
	value, err := f.transform.apply(got.value, got.note())
	if err != nil {
		r.refuse(&got, err)
		return got
	}
	got.value = value
	return got
}

// find is what the first path says that says something. at is that path, or the first where none does.
func (r *Reader) find(paths []*path) (value strictjson.Value, at string, err error) {
	for i, p := range paths {
		found, where, err := p.first(&r.doc)
		if err != nil || says(found) {
			return found, where, err
		}
		if i == 0 {
			at = where
		}
	}
	return strictjson.Value{}, at, nil
}

// refuse notes the problem and leaves no value to go on with.
func (r *Reader) refuse(got *reading, err error) {
	r.Problem(got.at, err)
	got.entry.fail(err)
	got.value, got.failed = strictjson.Value{}, true
}

// note is what a traced read does with every step; nil for a plain one.
func (got *reading) note() func(string, strictjson.Value) {
	if got.entry == nil {
		return nil
	}
	return got.entry.step
}

// output notes what the completion gets; nothing where there was an error.
func (got *reading) output(v strictjson.Value) {
	if got.entry != nil && got.entry.Error == "" {
		got.entry.Output = v.JSON()
	}
}

// take reads the target as one kind of value.
func take[T any](r *Reader, t Target, as func(reading) (T, error), show func(T) strictjson.Value) T {
	got := r.read(t)
	taken, err := as(got)
	if err != nil {
		r.refuse(&got, err)
		return taken
	}
	if got.entry != nil {
		got.output(show(taken))
	}
	return taken
}

// Text reads the target by the rules of strictjson.Value.Text.
func (r *Reader) Text(t Target) string {
	return take(r, t, func(got reading) (string, error) { return got.value.Text() }, showText)
}

// StringOnly reads the target by the rules of strictjson.Value.StringOnly.
func (r *Reader) StringOnly(t Target) string {
	return take(r, t, func(got reading) (string, error) { return got.value.StringOnly() }, showText)
}

// Number reads the target by the rules of strictjson.Value.Number: the digits as written, "" for none.
func (r *Reader) Number(t Target) string {
	return take(r, t, func(got reading) (string, error) { return got.value.Number() }, func(digits string) strictjson.Value {
		number, err := strictjson.NumberOf(digits)
		if err != nil {
			return strictjson.NullOf()
		}
		return number
	})
}

// Bool reads a boolean, nil for none. Behind a transform or a constant the texts true and false
// count too, in any case, and any other text is nil: it was mapped to "says nothing".
func (r *Reader) Bool(t Target) *bool {
	as := func(got reading) (*bool, error) {
		if !got.made || got.value.Kind() != strictjson.String {
			return got.value.Bool()
		}
		for text, truth := range map[string]bool{"true": true, "false": false} {
			if strings.EqualFold(strings.TrimSpace(got.value.Raw()), text) {
				return &truth, nil
			}
		}
		return nil, nil //nolint:nilnil // nil is "does not say"
	}
	return take(r, t, as, func(truth *bool) strictjson.Value {
		if truth == nil {
			return strictjson.NullOf()
		}
		return strictjson.BoolOf(*truth)
	})
}

func showText(text string) strictjson.Value {
	if text == "" {
		return strictjson.NullOf()
	}
	return strictjson.StringOf(text)
}

// Problem notes that what stands at a path or belongs to a target cannot be used; err must hold no value.
func (r *Reader) Problem(where string, err error) {
	text := err.Error()
	if where != "" {
		text = where + ": " + text
	}
	if !slices.Contains(r.problems, text) {
		r.problems = append(r.problems, text)
	}
}

// Err is everything noted, as one error; nil when there is nothing.
func (r *Reader) Err() error {
	if len(r.problems) == 0 {
		return nil
	}
	return errors.New(strings.Join(r.problems, "; "))
}

// Notes are what was decided on the way and is worth a word to a person, e.g. about a local time that its zone has
// twice. They name paths and hold no value.
func (r *Reader) Notes() []string { return slices.Clone(r.notes) }
