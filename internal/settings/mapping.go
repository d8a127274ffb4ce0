package settings

import (
	"errors"
	"strings"

	"go.yaml.in/yaml/v3"

	"countersign/internal/lms/mapping"
)

// mapping reads where a source's fields stand, as far as that differs from its platform's own mapping
// (R61). A field is a path alone, or path, else, const, transform, parse, zone and omit. nil means
// that the platform's mapping holds as it is.
func (r *tenantReader) mapping(e entry, platform string) *mapping.Definition {
	f, ok := e.fields()
	if !ok {
		return nil
	}
	d := mapping.Definition{Version: f.get("version").required().text(), Fields: map[mapping.Target]mapping.Field{}}
	at := map[string]entry{"version": f.get("version")}
	if targets, ok := f.get("fields").required().fields(); ok {
		for name := range targets.names {
			d.Fields[mapping.Target(name)] = mapField(targets.get(name), name, at)
		}
		targets.done()
	}
	if when, ok := f.get("completion_when").fields(); ok {
		d.CompletionWhen = &mapping.Condition{Path: when.get("path").required().text()}
		at["completionWhen.path"], at["completionWhen.in"] = when.get("path"), when.get("in")
		for _, word := range when.get("in").required().list() {
			d.CompletionWhen.In = append(d.CompletionWhen.In, word.plain())
		}
		when.done()
	}
	f.done()
	if r.known.Mapping == nil || platform == "" || d.Version == "" {
		return &d
	}
	for _, mistake := range mistakesOf(r.known.Mapping(platform, d)) {
		place := e
		for _, key := range []string{string(mistake.Target) + "." + mistake.Part, string(mistake.Target), mistake.Part} {
			if named, known := at[key]; known && named.present() {
				place = named
				break
			}
		}
		place.mistake("%s", mistake.Error())
	}
	return &d
}

// mapField reads the field of a target and notes where its parts stand.
func mapField(e entry, target string, at map[string]entry) mapping.Field {
	at[target] = e
	if e.present() && e.node.Kind == yaml.ScalarNode {
		return mapping.Field{Path: e.text()}
	}
	f, ok := e.fields()
	if !ok {
		e.required()
		return mapping.Field{}
	}
	part := func(name string) entry {
		at[target+"."+name] = f.get(name)
		return f.get(name)
	}
	field := mapping.Field{
		Path: part("path").text(), Transform: part("transform").text(),
		Parse: part("parse").text(), Zone: part("zone").text(), Omit: part("omit").flag(false),
	}
	for _, path := range part("else").list() {
		at[target+strings.TrimPrefix(path.key, e.key)] = path
		field.Else = append(field.Else, path.required().text())
	}
	if constant := part("const"); constant.present() {
		text := constant.plain()
		field.Const = &text
	}
	f.done()
	return field
}

// plain reads a text, number or boolean as its text.
func (e entry) plain() string {
	text, _ := e.scalar("a text or a number", "!!str", "!!int", "!!float", "!!bool")
	return text
}

// mistakesOf takes the joined error of a mapping apart.
func mistakesOf(err error) (all []*mapping.Mistake) {
	var mistake *mapping.Mistake
	var several interface{ Unwrap() []error }
	switch {
	case err == nil:
	case errors.As(err, &several):
		for _, one := range several.Unwrap() {
			all = append(all, mistakesOf(one)...)
		}
	case errors.As(err, &mistake):
		all = append(all, mistake)
	default:
		all = append(all, &mapping.Mistake{Offset: -1, Code: "bad_mapping", Text: err.Error()})
	}
	return all
}

// mapped names the targets of a mapping, in the order in which people read about a completion.
func mapped(d mapping.Definition) []string {
	var names []string
	for _, target := range mapping.Targets() {
		if _, ok := d.Fields[target]; ok {
			names = append(names, string(target))
		}
	}
	return names
}
