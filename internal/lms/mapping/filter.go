package mapping

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/theory/jsonpath/registry"
	"github.com/theory/jsonpath/spec"
)

// What a filter may cost. The walker counts the nodes it visits, but what happens inside a filter it cannot see. So
// what would cost more per node than the node is long is refused when the mapping is loaded:
//
//   - a query inside a filter takes one thing per segment, one "[*]" or one filter included, and never "..";
//   - "$" inside a filter is one chain of names and indexes, and stands on one side of a comparison only;
//   - no function measures or searches what "$" leads to, which is the same for every node;
//   - the pattern of match and search is written out in the path.

// checkCost returns why the path may cost too much, "" where it may not. It notes whether there are filters.
func (p *path) checkCost() string {
	descendants := 0
	for _, segment := range p.segments {
		if segment.IsDescendant() {
			descendants++
		}
		for _, selector := range segment.Selectors() {
			filter, ok := selector.(*spec.FilterSelector)
			if !ok {
				continue
			}
			p.filters = true
			if reason := costOfOr(filter.LogicalOr, 0); reason != "" {
				return reason
			}
		}
	}
	// Each further ".." multiplies the nodes by the depth of the event.
	if descendants > 1 {
		return "more than one '..'"
	}
	return ""
}

func costOfOr(or spec.LogicalOr, depth int) string {
	for _, and := range or {
		for _, expression := range and {
			if reason := costOf(expression, depth); reason != "" {
				return reason
			}
		}
	}
	return ""
}

func costOf(expression spec.BasicExpr, depth int) string {
	switch e := expression.(type) {
	case *spec.ParenExpr:
		return costOfOr(e.LogicalOr, depth)
	case *spec.NotParenExpr:
		return costOfOr(e.LogicalOr, depth)
	case *spec.ExistExpr:
		return costOfQuery(e.PathQuery, depth)
	case *spec.NonExistExpr:
		return costOfQuery(e.PathQuery, depth)
	case *spec.CompExpr:
		if roots(e.String()) > 1 {
			return "a comparison inside a filter has '$' on both sides"
		}
	}
	return "" // functions were looked at by their validators
}

func costOfQuery(q *spec.PathQuery, depth int) string {
	if q.Singular() != nil {
		return ""
	}
	if strings.HasPrefix(q.String(), "$") {
		return "'$' inside a filter leads to more than one node"
	}
	for _, segment := range q.Segments() {
		selectors := segment.Selectors()
		if segment.IsDescendant() || len(selectors) != 1 {
			return "a query inside a filter has '..' or several selectors in one bracket"
		}
		if filter, ok := selectors[0].(*spec.FilterSelector); ok {
			if depth == 2 {
				return "filters nested deeper than 3"
			}
			if reason := costOfOr(filter.LogicalOr, depth+1); reason != "" {
				return reason
			}
		}
	}
	return ""
}

// roots counts the "$" outside texts in an expression as the library writes it.
func roots(expression string) int {
	count, quoted := 0, false
	for i := 0; i < len(expression); i++ {
		switch c := expression[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && c == '$':
			count++
		}
	}
	return count
}

// newFunctions are the functions of RFC 9535 §2.4 for one path. The library's match and search panic on a
// missing argument, anchor "a|b" wrongly and compile their pattern once per node, so they are ours.
func newFunctions() *registry.Registry {
	functions := registry.New()
	patterns := map[string]*regexp.Regexp{}
	for _, name := range []string{"length", "count", "value"} {
		function := functions.Get(name)
		original := *function
		*function = *spec.Extension(name, original.ReturnType(), func(args []spec.FuncExprArg) error {
			if err := checkArguments(args); err != nil {
				return err
			}
			return original.Validate(args)
		}, original.Evaluate)
	}
	for _, name := range []string{"match", "search"} {
		whole := name == "match"
		*functions.Get(name) = *spec.Extension(name, spec.FuncLogical,
			func(args []spec.FuncExprArg) error { return compilePattern(args, whole, patterns) },
			func(args []spec.PathValue) spec.PathValue { return search(args, whole, patterns) })
	}
	return functions
}

// checkArguments refuses what costs more per node than the node is long.
func checkArguments(args []spec.FuncExprArg) error {
	for _, arg := range args {
		if strings.HasPrefix(arg.String(), "$") {
			return errors.New("takes no '$': it would be read again for every node")
		}
		if query, ok := arg.(*spec.PathQuery); ok {
			if reason := costOfQuery(query, 0); reason != "" {
				return errors.New("costs too much: " + reason)
			}
		}
	}
	return nil
}

// compilePattern checks the arguments of match and search and keeps the pattern.
func compilePattern(args []spec.FuncExprArg, whole bool, patterns map[string]*regexp.Regexp) error {
	if err := checkArguments(args); err != nil {
		return err
	}
	if len(args) != 2 {
		return fmt.Errorf("expected 2 arguments but found %d", len(args))
	}
	if !args[0].ConvertsTo(spec.FuncValue) {
		return errors.New("cannot convert argument 1 to Value")
	}
	literal, ok := args[1].(*spec.LiteralArg)
	if !ok {
		return errors.New("wants its pattern written out")
	}
	text, ok := literal.Value().(string)
	if !ok {
		return errors.New("wants a text as its pattern")
	}
	compiled, err := compileRegexp(text, whole)
	if err != nil {
		return errors.New("has an invalid pattern")
	}
	patterns[patternKey(text, whole)] = compiled
	return nil
}

// search is match and search; anything but a text is no match (RFC 9535 §2.4.6).
func search(args []spec.PathValue, whole bool, patterns map[string]*regexp.Regexp) spec.PathValue {
	subject, pattern := spec.ValueFrom(args[0]), spec.ValueFrom(args[1])
	if subject == nil || pattern == nil {
		return spec.LogicalFalse
	}
	text, isText := subject.Value().(string)
	source, _ := pattern.Value().(string)
	compiled := patterns[patternKey(source, whole)]
	return spec.Logical(isText && compiled != nil && compiled.MatchString(text))
}

// compileRegexp takes an I-Regexp (RFC 9485); its dot matches neither end of a line. Go's expressions run in a time
// linear in the text, whatever the pattern is.
func compileRegexp(text string, whole bool) (*regexp.Regexp, error) {
	parsed, err := syntax.Parse(text, syntax.Perl|syntax.DotNL)
	if err != nil {
		return nil, err
	}
	dot, err := syntax.Parse(`[^\n\r]`, syntax.Perl)
	if err != nil {
		return nil, err
	}
	narrowDots(parsed, dot)
	text = parsed.String()
	if whole {
		text = `\A(?:` + text + `)\z`
	}
	return regexp.Compile(text)
}

func narrowDots(expression, dot *syntax.Regexp) {
	if expression.Op == syntax.OpAnyChar {
		*expression = *dot
	}
	for _, sub := range expression.Sub {
		narrowDots(sub, dot)
	}
}

func patternKey(text string, whole bool) string { return fmt.Sprint(whole, text) }
