package settings

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// report gathers what is wrong with a file while it is read.
type report struct {
	file string
	// dir is where relative paths in the file start.
	dir      string
	mistakes Mistakes
	warnings []string
}

// entry is one value of the file: its place, and its path for messages. Every reading method
// records a mistake instead of returning one, and then returns the zero value, so that reading
// goes on and finds the rest.
type entry struct {
	report *report
	node   *yaml.Node // nil when the file does not have the entry
	key    string
	line   int // where to point when node is nil: the mapping that lacks it
	column int
}

func newEntry(r *report, node *yaml.Node, key string) entry {
	e := entry{report: r, node: node, key: key, line: node.Line, column: node.Column}
	if node.Kind == yaml.AliasNode {
		e.node = node.Alias // and the mistakes point at the use, where they can be understood
	}
	return e
}

func (e entry) mistake(format string, args ...any) {
	e.report.mistakes = append(e.report.mistakes, Mistake{
		File: e.report.file, Line: e.line, Column: e.column, Key: e.key, Text: fmt.Sprintf(format, args...),
	})
}

func (e entry) warn(text string) {
	m := Mistake{File: e.report.file, Line: e.line, Column: e.column, Key: e.key, Text: text}
	e.report.warnings = append(e.report.warnings, m.String())
}

// present reports whether the file says anything; `key:` and `key: null` say nothing.
func (e entry) present() bool {
	return e.node != nil && (e.node.Kind != yaml.ScalarNode || e.node.Tag != "!!null")
}

// required records a mistake for an absent entry.
func (e entry) required() entry {
	if !e.present() {
		e.mistake("is required")
	}
	return e
}

func (e entry) scalar(want string, tags ...string) (string, bool) {
	if !e.present() {
		return "", false
	}
	if e.node.Kind != yaml.ScalarNode || !slices.Contains(tags, e.node.Tag) {
		e.mistake("must be %s, not %s", want, kindOf(e.node))
		return "", false
	}
	return e.node.Value, true
}

func kindOf(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!bool":
		return "true or false"
	case n.Tag == "!!int", n.Tag == "!!float":
		return "a number (put it in quotes if it is meant as text)"
	case n.Tag == "!!timestamp":
		return "a date (put it in quotes if it is meant as text)"
	case n.Tag == "!!str":
		return "a text"
	default:
		return "something tagged " + n.Tag
	}
}

// text reads a non-empty text. Numbers are refused: 007 would lose its zeros elsewhere.
func (e entry) text() string {
	text, ok := e.scalar("a text", "!!str")
	if !ok {
		return ""
	}
	if strings.TrimSpace(text) == "" {
		e.mistake("must not be empty")
	} else if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		e.mistake("must be one line without control characters")
	}
	return text
}

// textOr reads a text; absent gives fallback, and so does "".
func (e entry) textOr(fallback string) string {
	if !e.present() || (e.node.Kind == yaml.ScalarNode && e.node.Tag == "!!str" && e.node.Value == "") {
		return fallback
	}
	return e.text()
}

// oneOf reads one of the known words; the first one is the default when absent.
func oneOf[W ~string](e entry, what string, known ...W) W {
	if !e.present() && len(known) > 0 {
		return known[0]
	}
	if word := W(e.text()); slices.Contains(known, word) {
		return word
	} else if word != "" {
		e.unknown(what, string(word), known)
	}
	return ""
}

func (e entry) unknown(what, word string, known any) {
	e.mistake("unknown %s %.60q (known: %s)", what, word, strings.Trim(fmt.Sprint(known), "[]"))
}

func (e entry) flag(fallback bool) bool {
	if !e.present() {
		return fallback
	}
	text, _ := e.scalar("true or false", "!!bool")
	flag, err := strconv.ParseBool(strings.ToLower(text))
	return err == nil && flag
}

// number reads a number from low to high.
func (e entry) number(fallback, low, high float64) float64 {
	if !e.present() {
		return fallback
	}
	text, ok := e.scalar("a number", "!!int", "!!float")
	if !ok {
		return 0
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(n) || n < low || n > high {
		e.mistake("must be a number from %v to %v", low, high)
		return 0
	}
	return n
}

// integer reads a whole number from low to high.
func (e entry) integer(fallback, low, high int) int {
	if !e.present() {
		return fallback
	}
	text, ok := e.scalar("a whole number", "!!int")
	if !ok {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		e.mistake("must be a whole number from %d to %d", low, high)
		return 0
	}
	return n
}

// duration reads a time span as Go writes it: 90s, 1m, 1h30m.
func (e entry) duration(fallback, low, high time.Duration) time.Duration {
	if !e.present() {
		return fallback
	}
	text, ok := e.scalar(`a time span such as "90s" or "15m"`, "!!str")
	if !ok {
		return 0
	}
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		e.mistake(`must be a time span such as "90s", "15m" or "1h30m"`)
	case d < low || d > high:
		e.mistake("must be a time span from %s to %s", low, high)
	default:
		return d
	}
	return 0
}

// secret reads a reference to a secret and resolves it.
func (e entry) secret() Secret {
	if !e.present() {
		return Secret{}
	}
	reference, ok := e.scalar("a reference to a secret (env:NAME or file:PATH)", "!!str")
	if !ok {
		return Secret{}
	}
	secret, warning, err := resolve(reference, e.report.dir)
	if err != nil {
		e.mistake("%s", err)
	}
	if warning != "" {
		e.warn(warning)
	}
	return secret
}

// list reads the items of a list; an absent list has none.
func (e entry) list() []entry {
	if !e.present() {
		return nil
	}
	if e.node.Kind != yaml.SequenceNode {
		e.mistake("must be a list, not %s", kindOf(e.node))
		return nil
	}
	items := make([]entry, len(e.node.Content))
	for i, node := range e.node.Content {
		items[i] = newEntry(e.report, node, fmt.Sprintf("%s[%d]", e.key, i))
	}
	return items
}
