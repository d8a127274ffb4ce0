package mapping

import (
	"errors"
	"strconv"

	"github.com/theory/jsonpath/spec"

	"countersign/internal/lms/strictjson"
)

// budget is how many nodes one read may look at: ten times what a body of 100,000 tokens holds.
const budget = 1_000_000

var errBudget = errors.New("the path visits more than 1000000 nodes of this event")

// document is one event. tree is the same for the library's filters, made when the first filter wants it.
type document struct {
	root strictjson.Value
	tree any
	made bool
}

// node is a value and its twin in the tree; the twin is nil where the path has no filter.
type node struct {
	value strictjson.Value
	twin  any
}

// walker follows one path, depth first, which is the order of RFC 9535's node list. It ends with
// the first node that says something, so that the list is never built.
type walker struct {
	segments []*spec.Segment
	filters  bool
	rootTwin any
	left     int
	found    strictjson.Value
}

// walk is path.first for the paths that are no chain.
func (d *document) walk(p *path) (strictjson.Value, error) {
	w := walker{segments: p.segments, filters: p.filters, left: budget}
	if p.filters {
		if !d.made {
			d.tree, d.made = twin(d.root), true
		}
		w.rootTwin = d.tree
	}
	w.visit(node{d.root, w.rootTwin}, 0)
	if w.left <= 0 {
		return strictjson.Value{}, errBudget
	}
	return w.found, nil
}

// visit applies the segments from i on and reports whether the search is over.
func (w *walker) visit(n node, i int) bool {
	if w.left--; w.left <= 0 {
		return true
	}
	if i == len(w.segments) {
		if says(n.value) {
			w.found = n.value
			return true
		}
		return false
	}
	segment := w.segments[i]
	for _, selector := range segment.Selectors() {
		if w.choose(n, selector, i+1) {
			return true
		}
	}
	return segment.IsDescendant() && w.children(n, func(child node) bool { return w.visit(child, i) })
}

// choose applies one selector, and to what it selects the segments from next on.
func (w *walker) choose(n node, selector spec.Selector, next int) bool {
	switch selector := selector.(type) {
	case spec.Name:
		child := n.value.Member(string(selector))
		return child.Kind() != strictjson.Absent && w.visit(w.member(n, string(selector), child), next)
	case spec.Index:
		at := int(selector)
		if at < 0 {
			at += len(n.value.Items())
		}
		return at >= 0 && at < len(n.value.Items()) && w.visit(w.item(n, at), next)
	case spec.SliceSelector:
		return w.slice(n, selector, next)
	case *spec.FilterSelector:
		return w.children(n, func(child node) bool {
			return selector.Eval(child.twin, w.rootTwin) && w.visit(child, next)
		})
	default: // the wildcard
		return w.children(n, func(child node) bool { return w.visit(child, next) })
	}
}

func (w *walker) slice(n node, s spec.SliceSelector, next int) bool {
	lower, upper := s.Bounds(len(n.value.Items()))
	switch step := s.Step(); {
	case step > 0:
		for at := lower; at < upper; at += step {
			if w.visit(w.item(n, at), next) {
				return true
			}
		}
	case step < 0:
		for at := upper; at > lower; at += step {
			if w.visit(w.item(n, at), next) {
				return true
			}
		}
	}
	return false
}

// children calls each for every item or member, members in the order of their keys, until it says true.
func (w *walker) children(n node, each func(node) bool) bool {
	for at := range n.value.Items() {
		if w.left--; w.left <= 0 || each(w.item(n, at)) {
			return true
		}
	}
	for _, key := range n.value.Keys() {
		if w.left--; w.left <= 0 || each(w.member(n, key, n.value.Member(key))) {
			return true
		}
	}
	return false
}

func (w *walker) member(n node, key string, value strictjson.Value) node {
	if !w.filters {
		return node{value: value}
	}
	members, _ := n.twin.(map[string]any)
	return node{value, members[key]}
}

func (w *walker) item(n node, at int) node {
	value := n.value.Items()[at]
	if !w.filters {
		return node{value: value}
	}
	items, _ := n.twin.([]any)
	return node{value, items[at]}
}

// twin is v as the library compares it. Numbers are float64, as RFC 9535 §2.4.1 allows for: which node
// a filter takes is decided on them; what is read is the digits that were sent.
func twin(v strictjson.Value) any {
	switch v.Kind() {
	case strictjson.Bool:
		truth, _ := v.Bool()
		return *truth
	case strictjson.Number:
		digits, _ := v.Number()
		f, _ := strconv.ParseFloat(digits, 64) // beyond its range the nearest, which is infinite
		return f
	case strictjson.String:
		return v.Raw()
	case strictjson.Array:
		items := make([]any, len(v.Items()))
		for i, item := range v.Items() {
			items[i] = twin(item)
		}
		return items
	case strictjson.Object:
		members := make(map[string]any, len(v.Keys()))
		for _, key := range v.Keys() {
			members[key] = twin(v.Member(key))
		}
		return members
	default:
		return nil
	}
}
