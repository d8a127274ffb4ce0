// Package strictjson reads JSON from the outside world without guessing. What encoding/json
// forgives it refuses: a key given twice, invalid UTF-8, half of a surrogate pair, anything
// after the value, and more depth or tokens than a real delivery has (RFC 8259 §4, §8; RFC 7493).
// Numbers stay the digits that were sent. Errors name positions and keys, never values.
//
// It stands on the tokenizer that becomes encoding/json/jsontext in Go 1.27. It has most of these rules; what
// differs is that a refusal here says where, in words that hold nothing of the body.
package strictjson

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Limits bound what one body may cost. The length is bounded before, by whoever reads it.
type Limits struct {
	// Depth is how many arrays and objects may stand inside each other.
	Depth int
	// Tokens counts keys, values and brackets.
	Tokens int
}

// DefaultLimits is far more than any delivery of the platforms we know has.
func DefaultLimits() Limits { return Limits{Depth: 32, Tokens: 100_000} }

// Error says why and where a body was refused. It holds no value of the body; keys appear in
// Path only where they look like names.
type Error struct {
	// Offset counts bytes from the start of the body to the end of what was refused.
	Offset int64
	// Path leads to the place, e.g. "payload.users[2].id"; "" is the top.
	Path string
	// Reason is a fixed text.
	Reason string
}

func (e *Error) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("%s at byte %d", e.Reason, e.Offset)
	}
	return fmt.Sprintf("%s at byte %d, %s", e.Reason, e.Offset, e.Path)
}

// Decode reads the one value that body holds. Every error is an *Error.
func Decode(body []byte, limits Limits) (Value, error) {
	if err := checkText(body); err != nil {
		return Value{}, err
	}
	// A buffer is read where it stands. Its text is checked already, and the names are below: they need
	// the reason, the place and the map in any case.
	d := decoder{limits: limits, tokens: jsontext.NewDecoder(bytes.NewBuffer(body),
		jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))}
	first, err := d.next()
	if err != nil {
		return Value{}, err
	}
	value, err := d.value(first, 0)
	if err != nil {
		return Value{}, err
	}
	if _, err := d.tokens.ReadToken(); !errors.Is(err, io.EOF) {
		return Value{}, d.refuse("more than one value")
	}
	return value, nil
}

// decoder builds the tree. Its recursion is bounded by limits.Depth.
type decoder struct {
	tokens *jsontext.Decoder
	limits Limits
	read   int
	path   []step
}

// step is one step of a path: a key, or an index.
type step struct {
	key   string
	keyed bool
	index int
}

// next reads a token, which is good until the next one is read.
func (d *decoder) next() (jsontext.Token, error) {
	token, err := d.tokens.ReadToken()
	if err != nil {
		refusal := d.refuse("not JSON")
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			refusal.Reason = "incomplete JSON"
		}
		// Its text quotes a character of the body, so only the place of a syntax error leaves here.
		if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
			refusal.Offset = syntax.ByteOffset
		}
		return jsontext.Token{}, refusal
	}
	if d.read++; d.read > d.limits.Tokens {
		return jsontext.Token{}, d.refuse(fmt.Sprintf("more than %d tokens", d.limits.Tokens))
	}
	return token, nil
}

func (d *decoder) value(token jsontext.Token, depth int) (Value, error) {
	switch token.Kind() {
	case 'n':
		return Value{kind: Null}, nil
	case 't', 'f':
		return Value{kind: Bool, truth: token.Bool()}, nil
	case '0':
		return Value{kind: Number, text: token.String()}, nil
	case '"':
		return Value{kind: String, text: token.String()}, nil
	}
	if depth == d.limits.Depth {
		return Value{}, d.refuse(fmt.Sprintf("nested deeper than %d", d.limits.Depth))
	}
	if token.Kind() == '[' {
		return d.array(depth)
	}
	return d.object(depth)
}

func (d *decoder) array(depth int) (Value, error) {
	items := []Value{}
	for {
		d.enter(step{index: len(items)})
		token, err := d.next()
		if err != nil {
			return Value{}, err
		}
		if token.Kind() == ']' {
			d.leave()
			return arrayOf(items), nil
		}
		item, err := d.value(token, depth+1)
		if err != nil {
			return Value{}, err
		}
		items = append(items, item)
		d.leave()
	}
}

func (d *decoder) object(depth int) (Value, error) {
	members := map[string]Value{}
	for {
		token, err := d.next()
		if err != nil {
			return Value{}, err
		}
		if token.Kind() == '}' {
			return objectOf(members), nil
		}
		key := token.String() // the tokenizer has seen that it is a text
		d.enter(step{key: key, keyed: true})
		// Which of two equal keys counts differs from reader to reader: a signed body must
		// not say two things (RFC 8259 §4).
		if _, twice := members[key]; twice {
			return Value{}, d.refuse("key given twice")
		}
		if token, err = d.next(); err != nil {
			return Value{}, err
		}
		if members[key], err = d.value(token, depth+1); err != nil {
			return Value{}, err
		}
		d.leave()
	}
}

func (d *decoder) enter(s step) { d.path = append(d.path, s) }
func (d *decoder) leave()       { d.path = d.path[:len(d.path)-1] }

func (d *decoder) refuse(reason string) *Error {
	return &Error{Offset: d.tokens.InputOffset(), Path: joinPath(d.path), Reason: reason}
}

// joinPath writes a path for people. A key that does not look like a name (an e-mail address
// used as a key, say) becomes "?".
func joinPath(steps []step) string {
	var path strings.Builder
	for _, s := range steps {
		if !s.keyed {
			fmt.Fprintf(&path, "[%d]", s.index)
			continue
		}
		if path.Len() > 0 {
			path.WriteByte('.')
		}
		if isName(s.key) {
			path.WriteString(s.key)
		} else {
			path.WriteByte('?')
		}
	}
	return path.String()
}

func isName(key string) bool {
	return key != "" && len(key) <= 40 && !strings.ContainsFunc(key, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
	})
}

// checkText refuses what encoding/json would silently turn into U+FFFD: two different bodies
// would read as one.
func checkText(body []byte) error {
	if bytes.HasPrefix(body, []byte("\xef\xbb\xbf")) {
		return &Error{Offset: 3, Reason: "byte order mark"}
	}
	if utf8.Valid(body) && !bytes.Contains(body, []byte(`\u`)) {
		return nil // nearly every body
	}
	for at := 0; at < len(body); {
		r, size := utf8.DecodeRune(body[at:])
		at += size
		if r == utf8.RuneError && size == 1 {
			return &Error{Offset: int64(at), Reason: "invalid UTF-8"}
		}
		if r != '\\' {
			continue
		}
		length, ok := escape(body[at:])
		at += length
		if !ok {
			return &Error{Offset: int64(at), Reason: "half of a surrogate pair"}
		}
	}
	return nil
}
