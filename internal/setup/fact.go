package setup

import (
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// Mark says how sure a statement is.
type Mark string

// The marks.
const (
	// Documented: the vendor's own published text says so.
	Documented Mark = "documented"
	// Observed: seen in captured deliveries, or in public code that works with the platform.
	Observed Mark = "observed"
	// Assumed: a text that is not the vendor's says so, or it follows from something else; the first
	// real delivery confirms it or not.
	Assumed Mark = "assumed"
	// Unknown: looked for and not found.
	Unknown Mark = "unknown"
	// Ours: what Countersign does or asks for; no matter of opinion.
	Ours Mark = "ours"
)

func marks() []Mark { return []Mark{Documented, Observed, Assumed, Unknown, Ours} }

// Fact is one statement. In the files it is written under its mark:
//
//	{documented: "Any 2xx counts.", source: webhooks}
type Fact struct {
	Text string
	Mark Mark
	// Source is the ID of one of the page's sources; a documented fact has one.
	Source string
}

// UnmarshalYAML implements yaml.Unmarshaler: exactly one mark, and perhaps a source.
func (f *Fact) UnmarshalYAML(node *yaml.Node) error {
	var written map[string]string
	if err := node.Decode(&written); err != nil {
		return fmt.Errorf("line %d: a fact is a mapping of texts: %w", node.Line, err)
	}
	var read Fact
	for _, mark := range marks() {
		text, given := written[string(mark)]
		if !given {
			continue
		}
		if read.Mark != "" {
			return fmt.Errorf("line %d: a fact has one mark, not %s and %s", node.Line, read.Mark, mark)
		}
		read.Text, read.Mark = text, mark
		delete(written, string(mark))
	}
	if source, given := written["source"]; given {
		read.Source = source
		delete(written, "source")
	}
	for key := range written {
		return fmt.Errorf("line %d: a fact has no %q", node.Line, key)
	}
	*f = read
	return nil
}

// check returns what is missing or too much.
func (f Fact) check(sources map[string]bool) error {
	switch {
	case f.Mark == "":
		return errors.New("has no mark")
	case f.Text == "":
		return errors.New("has no text")
	case f.Mark == Documented && f.Source == "":
		return errors.New("is documented, but not where")
	case f.Mark == Ours && f.Source != "":
		return errors.New("is ours and needs no source")
	case f.Source != "" && !sources[f.Source]:
		return fmt.Errorf("names a source %q that the page does not list", f.Source)
	}
	return nil
}
