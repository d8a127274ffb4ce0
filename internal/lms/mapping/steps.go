package mapping

import (
	"strconv"
	"strings"

	"countersign/internal/lms/strictjson"
)

// longestResult of concat in bytes; a completion's texts are far shorter.
const longestResult = 10_000

func same(v strictjson.Value) (strictjson.Value, error) { return v, nil }

// textOf is a text unchanged, a number as its shortest decimal, and a boolean as true or false.
func textOf(v strictjson.Value) (string, error) {
	switch v.Kind() {
	case strictjson.String:
		return v.Raw(), nil
	case strictjson.Bool:
		truth, err := v.Bool()
		return strconv.FormatBool(err == nil && *truth), nil
	case strictjson.Number:
		text, ok := shortest(v.Raw())
		if !ok {
			return "", refusal{"out_of_range", "the number is longer than 400 digits"}
		}
		return text, nil
	default:
		return "", refusal{"bad_type", "has no text, is " + v.Kind().String()}
	}
}

func toString(v strictjson.Value) (strictjson.Value, error) {
	text, err := textOf(v)
	return strictjson.StringOf(text), err
}

// toInt cuts towards zero: a score must not be rounded up over a pass mark.
func toInt(v strictjson.Value) (strictjson.Value, error) {
	var decimal string
	switch v.Kind() {
	case strictjson.Number:
		text, ok := shortest(v.Raw())
		if !ok {
			return strictjson.Value{}, refusal{"out_of_range", "does not fit 64 bits"}
		}
		decimal = text
	case strictjson.String:
		text, ok := numeric(v.Raw())
		if !ok {
			return strictjson.Value{}, refusal{"not_a_number", "the text is no number"}
		}
		decimal = text
	default:
		return strictjson.Value{}, refusal{"bad_type", "want a number, is " + v.Kind().String()}
	}
	whole, _, _ := strings.Cut(decimal, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return strictjson.Value{}, refusal{"out_of_range", "does not fit 64 bits"}
	}
	return strictjson.IntOf(n), nil
}

// concat puts the value into a template. What the value holds is not expanded again.
func concat(args chars, after int) (func(strictjson.Value) (strictjson.Value, error), *Mistake) {
	const placeholder = "{value}"
	var parts []string // the template between the placeholders
	rest := 0
	for i := 0; i+len(placeholder) <= len(args); i++ {
		if args[i : i+len(placeholder)].has(placeholder) {
			parts = append(parts, args[rest:i].String())
			rest = i + len(placeholder)
			i = rest - 1
		}
	}
	if len(parts) == 0 {
		return nil, mistake(after, "missing_placeholder", "the template has no {value}")
	}
	parts = append(parts, args[rest:].String())
	return func(v strictjson.Value) (strictjson.Value, error) {
		text, err := textOf(v)
		if err != nil {
			return strictjson.Value{}, err
		}
		if len(text)*(len(parts)-1)+len(args) > longestResult {
			return strictjson.Value{}, refusal{"out_of_range", "the result is longer than 10000 bytes"}
		}
		return strictjson.StringOf(strings.Join(parts, text)), nil
	}, nil
}

// statusMap turns the words of one system into those of another. What it does not know it never passes on.
func statusMap(args chars, after int) (func(strictjson.Value) (strictjson.Value, error), *Mistake) {
	if len(args) == 0 {
		return nil, mistake(after, "missing_argument", "want key=value pairs, separated by commas")
	}
	texts, numbers := map[string]strictjson.Value{}, map[string]strictjson.Value{}
	var fallback *strictjson.Value
	next := after
	for _, pair := range args.split(',') {
		at := next
		next = pair.end(at) + 1 // the ","
		left, right, found := pair.cut('=')
		key, value := left.trim(), right.trim()
		if !found || len(key) == 0 {
			return nil, mistake(at, "bad_argument", "want key=value")
		}
		result := strictjson.StringOf(value.String())
		if value.has("null") {
			result = strictjson.NullOf()
		}
		number, isNumber := numeric(key.String())
		switch {
		case key.has("*") && fallback == nil:
			fallback = &result
		case key.has("*") || texts[key.String()].Kind() != strictjson.Absent || isNumber && numbers[number].Kind() != strictjson.Absent:
			return nil, mistake(key[0].offset, "duplicate_key", "the key stands here for the second time")
		case isNumber:
			numbers[number] = result
		default:
			texts[key.String()] = result
		}
	}
	return func(v strictjson.Value) (strictjson.Value, error) {
		text, err := textOf(v)
		if err != nil {
			return strictjson.Value{}, err
		}
		result := texts[text]
		if number, ok := numeric(text); ok && v.Kind() != strictjson.Bool && result.Kind() == strictjson.Absent {
			result = numbers[number]
		}
		switch {
		case result.Kind() != strictjson.Absent:
			return result, nil
		case fallback != nil:
			return *fallback, nil
		default:
			return strictjson.Value{}, refusal{"unmapped_value", "the value is none of the keys"}
		}
	}, nil
}
