package mapping

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/theory/jsonpath/parser"
	"github.com/theory/jsonpath/spec"

	"countersign/internal/lms/strictjson"
)

// longestPath in bytes; parsing costs little more than a multiple of it.
const longestPath = 500

// path is an RFC 9535 path that was checked.
type path struct {
	text string
	// chain and last are set where the path is one chain of names and indexes, with one or several names
	// at its end: it is followed by hand then. Nearly every path of a mapping is such a one.
	direct bool
	chain  []hop
	last   []hop
	// segments are those of any other path.
	segments []*spec.Segment
	filters  bool
}

// hop is one step of a chain: a name, or an index where name is nil. at leads to it, e.g. "payload.users[0]".
type hop struct {
	name  *string
	index int
	at    string
}

var (
	positionForm = regexp.MustCompile(` at position (\d+)$`)
	plainName    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)
)

// parsePath checks a path; the Mistake has no Target and the Part "path".
func parsePath(text string) (*path, *Mistake) {
	wrong := func(offset int, code, reason string) *Mistake {
		return &Mistake{Part: "path", Offset: offset, Code: code, Text: reason}
	}
	if len(text) > longestPath {
		return nil, wrong(longestPath, "path_too_long", "longer than 500 bytes")
	}
	functions := newFunctions()
	query, err := parser.Parse(functions, text)
	if err != nil {
		offset, reason := position(text, err)
		if !strings.HasPrefix(text, "$") {
			reason += "; a path begins with $"
		}
		return nil, wrong(offset, "invalid_path", reason)
	}
	p := &path{text: text, segments: query.Segments()}
	if reason := p.checkCost(); reason != "" {
		return nil, wrong(-1, "path_too_costly", reason)
	}
	p.takeDirect()
	return p, nil
}

// position takes the byte apart from the words of the library's error: it writes "jsonpath: … at position 4"
// and counts from 1.
func position(text string, err error) (offset int, reason string) {
	reason = strings.TrimPrefix(err.Error(), parser.ErrPathParse.Error()+": ")
	found := positionForm.FindStringSubmatch(reason)
	if found == nil {
		return len(text), reason
	}
	offset, _ = strconv.Atoi(found[1])
	return max(offset-1, 0), strings.TrimSuffix(reason, found[0])
}

// takeDirect notes chain and last where the path is that simple.
func (p *path) takeDirect() {
	at := ""
	var chain []hop
	for i, segment := range p.segments {
		selectors := segment.Selectors()
		if segment.IsDescendant() || (len(selectors) != 1 && i < len(p.segments)-1) {
			return
		}
		if len(selectors) > 1 {
			for _, selector := range selectors {
				name, ok := selector.(spec.Name)
				if !ok {
					p.last = nil
					return
				}
				text := string(name)
				p.last = append(p.last, hop{name: &text, at: join(at, text)})
			}
			break
		}
		switch selector := selectors[0].(type) {
		case spec.Name:
			name := string(selector)
			at = join(at, name)
			chain = append(chain, hop{name: &name, at: at})
		case spec.Index:
			at += "[" + strconv.Itoa(int(selector)) + "]"
			chain = append(chain, hop{index: int(selector), at: at})
		default:
			return
		}
	}
	p.direct, p.chain = true, chain
}

// join is a dotted path for people; a name that could be mistaken for more is quoted.
func join(at, name string) string {
	switch {
	case !plainName.MatchString(name):
		return at + "[" + strconv.QuoteToASCII(name) + "]"
	case at == "":
		return name
	default:
		return at + "." + name
	}
}

// first is the first node that says something, and where it stands: a dotted path for a chain, and else the path as
// written. Null and empty texts say nothing; the value is Absent where no node is left.
func (p *path) first(doc *document) (value strictjson.Value, at string, err error) {
	if !p.direct {
		value, err = doc.walk(p)
		return value, p.text, err
	}
	value = doc.root
	for _, hop := range p.chain {
		parent := value
		want := strictjson.Object
		if hop.name != nil {
			value = parent.Member(*hop.name)
		} else {
			want = strictjson.Array
			value = item(parent, hop.index)
		}
		// Something else in the place of an object is another payload than the mapping was made for.
		if !parent.Missing() && parent.Kind() != want {
			return strictjson.Value{}, at, mismatch(want, parent)
		}
		at = hop.at
	}
	switch {
	case len(p.last) > 0:
		return p.firstOf(value, at)
	case says(value):
		return value, at, nil
	default:
		return strictjson.Value{}, at, nil
	}
}

// firstOf is the first of the last names that says something in parent, which stands at at.
func (p *path) firstOf(parent strictjson.Value, at string) (strictjson.Value, string, error) {
	if !parent.Missing() && parent.Kind() != strictjson.Object {
		return strictjson.Value{}, at, mismatch(strictjson.Object, parent)
	}
	for _, hop := range p.last {
		if member := parent.Member(*hop.name); says(member) {
			return member, hop.at, nil
		}
	}
	return strictjson.Value{}, p.last[0].at, nil
}

func mismatch(want strictjson.Kind, v strictjson.Value) error {
	return errors.New("want " + want.String() + ", is " + v.Kind().String())
}

// says reports whether v holds something: neither absent nor null nor a text of blanks.
func says(v strictjson.Value) bool {
	if v.Kind() != strictjson.String {
		return !v.Missing()
	}
	text, _ := v.Text()
	return text != ""
}

// item is the item of an array; a negative index counts from its end (RFC 9535 §2.3.3).
func item(v strictjson.Value, index int) strictjson.Value {
	items := v.Items()
	if index < 0 {
		index += len(items)
	}
	if index < 0 || index >= len(items) {
		return strictjson.Value{}
	}
	return items[index]
}
