package strictjson

import "fmt"

// Kind is the kind of a JSON value. The zero Kind is Absent: a member that was not sent.
type Kind uint8

// The kinds.
const (
	Absent Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

func (k Kind) String() string {
	switch k {
	case Null:
		return "null"
	case Bool:
		return "a boolean"
	case Number:
		return "a number"
	case String:
		return "a string"
	case Array:
		return "an array"
	case Object:
		return "an object"
	default:
		return "absent"
	}
}

// Value is one JSON value. The zero Value is Absent.
type Value struct {
	_     [0]func() // == would compare texts by what they say and objects by where they are: it does not compile
	kind  Kind
	truth bool
	text  string // the text of a String, the digits of a Number as sent
	inner *inner // what an Array or an Object holds; most values are neither, and are kept small
}

// inner is what is inside of a Value.
type inner struct {
	items   []Value
	members map[string]Value
	// under is another object's members, which With left where they are: what members has not is looked for
	// there, and an Absent in members hides it. It is never written to.
	under map[string]Value
}

// within is what v holds, nothing where it holds nothing.
func (v Value) within() inner {
	if v.inner == nil {
		return inner{}
	}
	return *v.inner
}

func arrayOf(items []Value) Value { return Value{kind: Array, inner: &inner{items: items}} }

func objectOf(members map[string]Value) Value {
	return Value{kind: Object, inner: &inner{members: members}}
}

// Kind is what v is.
func (v Value) Kind() Kind { return v.kind }

// Missing reports whether v is absent or null; senders use the two for the same thing.
func (v Value) Missing() bool { return v.kind == Absent || v.kind == Null }

// Member is the member of an object; Absent where there is none or v is no object. Keys are
// compared exactly.
func (v Value) Member(key string) Value {
	if v.inner == nil {
		return Value{}
	}
	if member, own := v.inner.members[key]; own {
		return member
	}
	return v.inner.under[key]
}

// Items are the items of an array, nil where v is none.
func (v Value) Items() []Value { return v.within().items }

func (v Value) mismatch(want string) error { return fmt.Errorf("want %s, is %s", want, v.kind) }
