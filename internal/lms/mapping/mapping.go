package mapping

import (
	"errors"
	"maps"
	"regexp"
	"slices"

	"countersign/internal/lms/strictjson"
)

// Field says where one target comes from: from Path or from Const, then through Transform.
type Field struct {
	// Path is an RFC 9535 JSONPath into the event. The first node counts that is neither null nor an empty
	// text: senders write "" for "none". So "$['email','mail']" is the first of two names that says
	// something. Members of an object that a path takes together ("*", "..", a filter) come in the order
	// of their keys, so that the same event always reads the same.
	Path string `json:"path,omitempty"`
	// Else are further paths, tried in order where those before found nothing. What was found and
	// cannot be read is a problem, not a reason to look further.
	Else []string `json:"else,omitempty"`
	// Const is a fixed text in place of a path.
	Const *string `json:"const,omitempty"`
	// Transform is an expression of the grammar at ParseTransform, "" for none.
	Transform string `json:"transform,omitempty"`
	// Parse reads a local date and time by the tokens of dateFormat, the other way round. Only
	// completedAt, expiresAt, enrolledAt and dueAt take it.
	Parse string `json:"parse,omitempty"`
	// Zone is the IANA name of the zone that Parse reads in, e.g. "America/Chicago"; "" is UTC.
	Zone string `json:"zone,omitempty"`
	// Omit says that the target is deliberately not read: an override takes a default away with it.
	Omit bool `json:"omit,omitempty"`
}

// Condition says which events are completions: those with one of the texts In at Path. Texts are compared
// exactly, numbers and booleans by their text.
type Condition struct {
	Path string   `json:"path"`
	In   []string `json:"in"`
}

func (f Field) clone() Field {
	f.Else = slices.Clone(f.Else)
	if f.Const != nil {
		text := *f.Const
		f.Const = &text
	}
	return f
}

func (c *Condition) clone() *Condition {
	if c == nil {
		return nil
	}
	return &Condition{Path: c.Path, In: slices.Clone(c.In)}
}

// Definition is a mapping as a person writes it.
type Definition struct {
	// Version is required: 1 to 40 of A-Z a-z 0-9 . _ -. Whoever changes a field changes it, because
	// it stands on every completion.
	Version string           `json:"version"`
	Fields  map[Target]Field `json:"fields"`
	// CompletionWhen is nil where every event is a completion, or where the adapter decides.
	CompletionWhen *Condition `json:"completionWhen,omitempty"`
}

// Mapping is a Definition that was checked. It does not change and is safe for concurrent use, unless it was
// made by WithTrace.
type Mapping struct {
	platform   string
	definition Definition
	fields     map[Target]*field
	condition  *condition
	// overridden are the targets that an Override named.
	overridden map[Target]bool
	trace      *Trace
}

var versionForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,40}$`)

// Compile checks a definition. The error joins every *Mistake in it.
func Compile(platform string, d Definition) (*Mapping, error) {
	m := &Mapping{platform: platform, fields: map[Target]*field{}, overridden: map[Target]bool{}}
	return m.with(d, false)
}

// MustCompile is Compile for the default mapping of an adapter, which is a constant of the program: it
// panics where that is wrong.
func MustCompile(platform string, d Definition) *Mapping {
	m, err := Compile(platform, d)
	if err != nil {
		panic("mapping of " + platform + ": " + err.Error())
	}
	return m
}

// Override is a tenant's mapping over m: the fields of d replace those of m, whole, and the others stay. The
// version is d's, and so is the condition where d has one. The error joins every *Mistake in d.
func (m *Mapping) Override(d Definition) (*Mapping, error) { return m.with(d, true) }

// with is m with the fields of d.
func (m *Mapping) with(d Definition, override bool) (*Mapping, error) {
	var mistakes mistakes
	if !versionForm.MatchString(d.Version) {
		mistakes.add(Mistake{Part: "version", Offset: -1, Code: "bad_version", Text: "want 1 to 40 letters, digits, dots, dashes or underscores"})
	}
	result := &Mapping{
		platform: m.platform,
		definition: Definition{
			Version: d.Version, Fields: maps.Clone(m.definition.Fields), CompletionWhen: m.definition.CompletionWhen,
		},
		fields: maps.Clone(m.fields), condition: m.condition, overridden: maps.Clone(m.overridden), trace: m.trace,
	}
	if result.definition.Fields == nil {
		result.definition.Fields = map[Target]Field{}
	}
	for _, target := range sortedTargets(d.Fields) {
		compiled := compileField(target, d.Fields[target], &mistakes)
		result.definition.Fields[target] = d.Fields[target].clone()
		result.fields[target] = compiled
		result.overridden[target] = override
	}
	if d.CompletionWhen != nil {
		result.definition.CompletionWhen = d.CompletionWhen.clone()
		result.condition = compileCondition(*d.CompletionWhen, &mistakes)
	}
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	return result, nil
}

// Version is "<platform>/<version>", which is stamped on every completion, e.g. "docebo/acme-3".
func (m *Mapping) Version() string { return m.platform + "/" + m.definition.Version }

// Platform is the platform the mapping was compiled for.
func (m *Mapping) Platform() string { return m.platform }

// Definition is the whole mapping as a person would have written it, for docs and explain. It is a copy.
func (m *Mapping) Definition() Definition {
	d := m.definition
	d.Fields = make(map[Target]Field, len(m.definition.Fields))
	for target, f := range m.definition.Fields {
		d.Fields[target] = f.clone()
	}
	d.CompletionWhen = d.CompletionWhen.clone()
	return d
}

// Overridden reports whether an Override named the target. An adapter that reads a target in more ways than a path
// can say leaves them out then.
func (m *Mapping) Overridden(t Target) bool { return m.overridden[t] }

// Has reports whether the target is read at all.
func (m *Mapping) Has(t Target) bool { return m.fields[t] != nil }

// WithTrace is a copy of m that notes every read in t, for explain and the rehearsal. The copy is for one delivery
// and not safe for concurrent use.
func (m *Mapping) WithTrace(t *Trace) *Mapping {
	traced := *m
	traced.trace = t
	return &traced
}

// Read starts reading one event.
func (m *Mapping) Read(event strictjson.Value) *Reader {
	r := &Reader{mapping: m, doc: document{root: event}}
	if m.trace != nil {
		r.traced = m.trace.begin()
	}
	return r
}
