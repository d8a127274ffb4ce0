package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Values that no body held: what an adapter puts together, or a mapping makes of what it read.

// NullOf is null.
func NullOf() Value { return Value{kind: Null} }

// BoolOf is true or false.
func BoolOf(truth bool) Value { return Value{kind: Bool, truth: truth} }

// StringOf is a text, kept as it stands.
func StringOf(text string) Value { return Value{kind: String, text: text} }

// IntOf is a whole number.
func IntOf(n int64) Value { return Value{kind: Number, text: strconv.FormatInt(n, 10)} }

// NumberOf is the number that digits spell in JSON (RFC 8259 §6), kept as written. The error never holds
// the text.
func NumberOf(digits string) (Value, error) {
	if digits == "" || !strings.ContainsAny(digits[:1], "-0123456789") || !json.Valid([]byte(digits)) || strings.TrimSpace(digits) != digits {
		return Value{}, errors.New("is no JSON number")
	}
	return Value{kind: Number, text: digits}, nil
}

// ArrayOf is an array of items; an Absent one stands as null.
func ArrayOf(items ...Value) Value {
	return arrayOf(slices.Clone(items))
}

// ObjectOf is an object of members; Absent ones are left out.
func ObjectOf(members map[string]Value) Value {
	kept := make(map[string]Value, len(members))
	for key, member := range members {
		if member.kind != Absent {
			kept[key] = member
		}
	}
	return objectOf(kept)
}

// Keys are the keys of an object in the order of their bytes, nil where v is none. The order is
// ours, not the sender's: it must not depend on chance what a reader of all members sees first.
func (v Value) Keys() []string {
	if v.kind != Object {
		return nil
	}
	in := v.within()
	keys := make([]string, 0, len(in.members)+len(in.under))
	for key, member := range in.members {
		if member.kind != Absent {
			keys = append(keys, key)
		}
	}
	for key := range in.under {
		if _, hidden := in.members[key]; !hidden {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// With is a copy of the object v in which key has the value member; an Absent one takes it away. Where v
// is Absent or null the copy has this member alone, and any other v is returned as it is.
//
// The copy shares the members that v was decoded or put together with. It costs as much as With changed so
// far and not as much as v holds: the same envelope can go into each of many events. Whoever changes
// many members of one object makes it anew with ObjectOf.
func (v Value) With(key string, member Value) Value {
	if v.Missing() {
		v = Value{kind: Object, inner: &inner{under: map[string]Value{}}}
	}
	if v.kind != Object {
		return v
	}
	in := v.within()
	if in.under == nil {
		return Value{kind: Object, inner: &inner{members: map[string]Value{key: member}, under: in.members}}
	}
	members := make(map[string]Value, len(in.members)+1)
	maps.Copy(members, in.members)
	members[key] = member
	return Value{kind: Object, inner: &inner{members: members, under: in.under}}
}

// Without is a copy of the object v without key; any other v is returned as it is.
func (v Value) Without(key string) Value {
	if v.kind != Object {
		return v
	}
	return v.With(key, Value{})
}

// JSON is v as compact JSON: numbers as they were sent, keys in the order of Keys, null for Absent.
func (v Value) JSON() []byte { return v.append(nil) }

// MarshalJSON implements json.Marshaler with JSON.
func (v Value) MarshalJSON() ([]byte, error) { return v.JSON(), nil }

// append writes v behind to. Its recursion is as deep as the value, which Decode has bounded.
func (v Value) append(to []byte) []byte {
	switch v.kind {
	case Bool:
		return strconv.AppendBool(to, v.truth)
	case Number:
		return append(to, v.text...)
	case String:
		return appendText(to, v.text)
	case Array:
		to = append(to, '[')
		for i, item := range v.Items() {
			if i > 0 {
				to = append(to, ',')
			}
			to = item.append(to)
		}
		return append(to, ']')
	case Object:
		to = append(to, '{')
		for i, key := range v.Keys() {
			if i > 0 {
				to = append(to, ',')
			}
			to = append(appendText(to, key), ':')
			to = v.Member(key).append(to)
		}
		return append(to, '}')
	default:
		return append(to, "null"...)
	}
}

// appendText writes a text in quotes, without the escapes that only HTML needs: people read it. A string
// always has a JSON form, so there is no error to return.
func appendText(to []byte, text string) []byte {
	quoted := bytes.NewBuffer(to)
	encoder := json.NewEncoder(quoted)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		return append(to, `""`...)
	}
	return bytes.TrimSuffix(quoted.Bytes(), []byte("\n"))
}

// Raw is the text of a String or the digits of a Number exactly as sent, blanks included; "" for anything else.
func (v Value) Raw() string { return v.text }
