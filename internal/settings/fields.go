package settings

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// fields is a mapping of the file whose keys are being read.
type fields struct {
	of     entry
	values map[string]entry
	names  map[string]*yaml.Node
	known  []string
}

// fields reads a mapping; ok is false when the entry is absent or something else. Call done
// after the last field.
func (e entry) fields() (f *fields, ok bool) {
	f = &fields{of: e, values: map[string]entry{}, names: map[string]*yaml.Node{}}
	if !e.present() {
		return f, false
	}
	if e.node.Kind != yaml.MappingNode {
		e.mistake("must be a mapping, not %s", kindOf(e.node))
		return f, false
	}
	for i := 0; i+1 < len(e.node.Content); i += 2 {
		name, value := e.node.Content[i], e.node.Content[i+1]
		at := newEntry(e.report, name, join(e.key, name.Value))
		if name.Kind != yaml.ScalarNode {
			at.mistake("a key must be a word")
			continue
		}
		if first, twice := f.names[name.Value]; twice {
			at.mistake("stands here twice; the first one is in line %d", first.Line)
			continue
		}
		f.names[name.Value] = name
		f.values[name.Value] = newEntry(e.report, value, at.key)
	}
	return f, true
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// get returns the field's entry, an absent one when the file does not have it.
func (f *fields) get(name string) entry {
	if !slices.Contains(f.known, name) {
		f.known = append(f.known, name)
	}
	if e, ok := f.values[name]; ok {
		if !e.present() { // `key:` alone: point at the key, where a person looks
			e.line, e.column = f.names[name].Line, f.names[name].Column
		}
		return e
	}
	return entry{report: f.of.report, key: join(f.of.key, name), line: f.of.line, column: f.of.column}
}

// done records every key that nothing has asked for.
func (f *fields) done() {
	for name, node := range f.names {
		if !slices.Contains(f.known, name) {
			at := newEntry(f.of.report, node, join(f.of.key, name))
			at.mistake("unknown key (known: %s)", strings.Join(f.known, " "))
		}
	}
}
