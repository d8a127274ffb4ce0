package mapping

import "fmt"

// Mistake is one thing that is wrong with a Definition.
type Mistake struct {
	// Target is the field it is in, "" outside the fields.
	Target Target `json:"target,omitempty"`
	// Part is the member of the definition: path, else[0], const, transform, parse, zone, omit, target, version,
	// completionWhen.path or completionWhen.in.
	Part string `json:"part"`
	// Offset is the byte of the part, counted from 0, at which the mistake begins; -1 where it is
	// nowhere in particular.
	Offset int `json:"offset"`
	// Code is one word for programs, e.g. unknown_transform.
	Code string `json:"code"`
	// Text says it to a person. It may quote the expression: that is the administrator's own.
	Text string `json:"text"`
}

// Error says where, what, and the code: `passed: transform, byte 3: … (unknown_transform)`.
func (m *Mistake) Error() string {
	where := m.Part
	if m.Target != "" {
		where = string(m.Target) + ": " + where
	}
	if m.Offset >= 0 {
		where = fmt.Sprintf("%s, byte %d", where, m.Offset)
	}
	return fmt.Sprintf("%s: %s (%s)", where, m.Text, m.Code)
}

// mistakes gathers what is wrong, for errors.Join.
type mistakes []error

func (all *mistakes) add(m Mistake) { *all = append(*all, &m) }
