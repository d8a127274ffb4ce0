package xapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// held is what makes two statements one: who, what, which course, how and when. Names and
// definitions may change between two sends and do not count (xAPI Data, 2.3.1).
type held struct {
	Actor struct {
		Account     *account `json:"account"`
		Mbox        string   `json:"mbox"`
		MboxSHA1Sum string   `json:"mbox_sha1sum"`
		OpenID      string   `json:"openid"`
	} `json:"actor"`
	Verb struct {
		ID string `json:"id"`
	} `json:"verb"`
	Object struct {
		ID string `json:"id"`
	} `json:"object"`
	Result    any    `json:"result"`
	Timestamp string `json:"timestamp"`
}

// compare returns the first part in which the LRS's statement differs from ours, "" for none.
// Its errors hold no value of either.
func compare(ours, theirs []byte) (difference string, err error) {
	a, err := read(ours)
	if err != nil {
		return "", fmt.Errorf("our statement: %w", err)
	}
	b, err := read(theirs)
	if err != nil {
		return "", fmt.Errorf("the LRS's statement: %w", err)
	}
	switch {
	case !sameActor(a, b):
		return "actor", nil
	case a.Verb.ID != b.Verb.ID:
		return "verb", nil
	case a.Object.ID != b.Object.ID:
		return "object", nil
	case !sameValue(a.Result, b.Result):
		return "result", nil
	case !sameInstant(a.Timestamp, b.Timestamp):
		return "timestamp", nil
	}
	return "", nil
}

func read(body []byte) (held, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber() // 0.915 and 0.9150 are compared as numbers, not as what a float makes of them
	var s held
	if err := decoder.Decode(&s); err != nil {
		return held{}, errors.New("not JSON of a statement") // the error would show values
	}
	if s.Verb.ID == "" || s.Object.ID == "" {
		return held{}, errors.New("no statement")
	}
	return s, nil
}

func sameActor(a, b held) bool {
	if (a.Actor.Account == nil) != (b.Actor.Account == nil) {
		return false
	}
	if a.Actor.Account != nil && *a.Actor.Account != *b.Actor.Account {
		return false
	}
	return strings.EqualFold(a.Actor.Mbox, b.Actor.Mbox) &&
		a.Actor.MboxSHA1Sum == b.Actor.MboxSHA1Sum && a.Actor.OpenID == b.Actor.OpenID
}

func sameInstant(a, b string) bool {
	x, xErr := time.Parse(time.RFC3339Nano, a)
	y, yErr := time.Parse(time.RFC3339Nano, b)
	return xErr == nil && yErr == nil && x.Equal(y)
}

// sameValue compares decoded JSON, numbers as numbers.
func sameValue(a, b any) bool {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		return ok && maps.EqualFunc(x, y, sameValue)
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, sameValue)
	case json.Number:
		y, ok := b.(json.Number)
		return ok && sameNumber(x.String(), y.String())
	default:
		return a == b
	}
}

// sameNumber allows for an LRS that keeps numbers as binary fractions: sixteen digits agree.
func sameNumber(a, b string) bool {
	if a == b {
		return true
	}
	x, xErr := strconv.ParseFloat(a, 64)
	y, yErr := strconv.ParseFloat(b, 64)
	return xErr == nil && yErr == nil && math.Abs(x-y) <= 1e-15*max(math.Abs(x), math.Abs(y))
}
