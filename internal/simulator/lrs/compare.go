package lrs

import (
	"encoding/json"
	"reflect"
	"time"
)

// equal judges two statements under one id. Both were valid when they came in. What the store
// itself may fill in (id, stored, authority, version) never counts.
func equal(a, b []byte, how Compare) bool {
	x, errX := parseObject(a)
	y, errY := parseObject(b)
	if errX != nil || errY != nil {
		return false
	}
	for _, statement := range []map[string]any{x, y} {
		for _, name := range []string{"id", "stored", "authority", "version"} {
			delete(statement, name)
		}
		if how == CompareSpec {
			loosen(statement)
		}
	}
	return reflect.DeepEqual(numbers(x), numbers(y))
}

// loosen takes away what xAPI 1.0.3 Data 2.3.1 says must not count: the writing of an instant,
// displays, definitions, and the object types that are the default.
func loosen(statement map[string]any) {
	if text, ok := statement["timestamp"].(string); ok {
		if at, err := time.Parse(time.RFC3339, text); err == nil {
			statement["timestamp"] = at.UTC().Format(time.RFC3339Nano)
		}
	}
	if verb, ok := statement["verb"].(map[string]any); ok {
		delete(verb, "display")
	}
	for part, standard := range map[string]string{"object": "Activity", "actor": "Agent"} {
		if object, ok := statement[part].(map[string]any); ok {
			delete(object, "definition")
			if object["objectType"] == standard {
				delete(object, "objectType")
			}
		}
	}
}

// numbers turns every number into its value: 0.915 and 0.9150 are one number to every LRS.
func numbers(value any) any {
	switch v := value.(type) {
	case json.Number:
		if f, err := v.Float64(); err == nil {
			return f
		}
	case map[string]any:
		for key := range v {
			v[key] = numbers(v[key])
		}
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	}
	return value
}
