package journal

import (
	"reflect"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/training"
)

// A text of a completion that is not looked at could be stored as another one.
func TestEveryTextOfACompletionIsLookedAt(t *testing.T) {
	var c training.Completion
	want := fill(reflect.ValueOf(&c).Elem(), nil)
	require.Greater(t, len(want), 15)
	require.ElementsMatch(t, want, texts(c))
}

// fill gives every text in v, and in what v has inside, a value of its own.
func fill(v reflect.Value, given []string) []string {
	switch v.Kind() {
	case reflect.String:
		text := "text " + strconv.Itoa(len(given))
		v.SetString(text)
		given = append(given, text)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				given = fill(v.Field(i), given)
			}
		}
	}
	return given
}
