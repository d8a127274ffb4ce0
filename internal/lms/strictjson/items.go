package strictjson

import "fmt"

// Item is one of the values of a body that may hold one or several.
type Item struct {
	Value
	// Where begins what is said about it: "" for the only one, "[2]: " for the third of several.
	Where string
}

// OneOrMany is root itself where it is an object, and its items, of whatever kind, where it is an array. The
// error says that it is neither; what names what was wanted, e.g. "an event".
func OneOrMany(root Value, what string) ([]Item, error) {
	switch root.Kind() {
	case Object:
		return []Item{{Value: root}}, nil
	case Array:
		items := make([]Item, len(root.Items()))
		for i, value := range root.Items() {
			items[i] = Item{Value: value, Where: fmt.Sprintf("[%d]: ", i)}
		}
		return items, nil
	default:
		return nil, fmt.Errorf("want %s or an array of them, is %s", what, root.Kind())
	}
}
