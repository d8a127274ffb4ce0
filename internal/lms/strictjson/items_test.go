package strictjson_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms/strictjson"
)

func TestOneOrMany(t *testing.T) {
	for body, want := range map[string][]string{
		`{"a":1}`: {""}, `[{"a":1},null,7]`: {"[0]: ", "[1]: ", "[2]: "}, `[]`: {},
	} {
		root, err := strictjson.Decode([]byte(body), strictjson.DefaultLimits())
		require.NoError(t, err)
		items, err := strictjson.OneOrMany(root, "an event")
		require.NoError(t, err)
		places := []string{}
		for _, item := range items {
			places = append(places, item.Where)
		}
		require.Equal(t, want, places, body)
	}
	for _, body := range []string{"null", "1", `"x"`, "true"} {
		root, err := strictjson.Decode([]byte(body), strictjson.DefaultLimits())
		require.NoError(t, err)
		_, err = strictjson.OneOrMany(root, "an event")
		require.ErrorContains(t, err, "want an event or an array of them", body)
	}
}
