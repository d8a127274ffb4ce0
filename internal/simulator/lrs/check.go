package lrs

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// checker collects what is wrong with a statement, with the path to it.
type checker struct{ problems []string }

// rule checks one value at path.
type rule func(c *checker, path string, value any)

func (c *checker) fail(path, format string, args ...any) {
	c.problems = append(c.problems, path+": "+fmt.Sprintf(format, args...))
}

// object checks that value is an object with only the properties of rules, each by its rule,
// and with all required ones. It returns the object, nil if it is none.
func (c *checker) object(path string, value any, rules map[string]rule, required ...string) map[string]any {
	object, ok := value.(map[string]any)
	if !ok {
		c.fail(path, "must be an object")
		return nil
	}
	for _, name := range required {
		if _, ok := object[name]; !ok {
			c.fail(path+"."+name, "is required")
		}
	}
	// In order, so that the same statement always gets the same answer.
	for _, name := range slices.Sorted(maps.Keys(object)) {
		check, known := rules[name]
		switch {
		case !known:
			c.fail(path+"."+name, "is not a property of xAPI 1.0.3")
		case object[name] == nil:
			c.fail(path+"."+name, "must not be null")
		default:
			check(c, path+"."+name, object[name])
		}
	}
	return object
}

// list makes a rule for an array from the rule for its elements.
func list(element rule) rule {
	return func(c *checker, path string, value any) {
		elements, ok := value.([]any)
		if !ok {
			c.fail(path, "must be an array")
			return
		}
		for i, e := range elements {
			element(c, fmt.Sprintf("%s[%d]", path, i), e)
		}
	}
}

// matching makes a rule for a text from a test and a description of what passes it.
func matching(what string, test func(string) bool) rule {
	return func(c *checker, path string, value any) {
		if text, ok := value.(string); !ok || !test(text) {
			c.fail(path, "must be %s", what)
		}
	}
}

func oneOf(words ...string) rule {
	return matching("one of "+strings.Join(words, ", "), func(s string) bool { return slices.Contains(words, s) })
}

func isText(c *checker, path string, value any) {
	if _, ok := value.(string); !ok {
		c.fail(path, "must be a text")
	}
}

func isBool(c *checker, path string, value any) {
	if _, ok := value.(bool); !ok {
		c.fail(path, "must be true or false")
	}
}

func isNumber(c *checker, path string, value any) {
	if _, ok := asNumber(value); !ok {
		c.fail(path, "must be a number")
	}
}

func asNumber(value any) (float64, bool) {
	n, ok := value.(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}

var (
	uuidPattern     = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$`)
	iriPattern      = regexp.MustCompile("^[A-Za-z][A-Za-z0-9+.-]*:[^\\s<>\"{}|\\\\^`]+$")
	tagPattern      = regexp.MustCompile(`^([A-Za-z]{2,8}|[xX]|[iI])(-[A-Za-z0-9]{1,8})*$`)
	mboxPattern     = regexp.MustCompile(`^mailto:[\x21-\x3f\x41-\x7e]+@[A-Za-z0-9.-]+$`)
	sha1Pattern     = regexp.MustCompile(`^[0-9a-fA-F]{40}$`)
	instantPattern  = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$`)
	durationPattern = regexp.MustCompile(`^P(\d+W|(\d+Y)?(\d+M)?(\d+D)?(T(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?)$`)
	versionPattern  = regexp.MustCompile(`^1\.0(\.\d+)?$`)
)

// isUUID refuses the nil UUID with every other one that has no version.
func isUUID(s string) bool { return uuidPattern.MatchString(s) }

func isInstant(s string) bool {
	if !instantPattern.MatchString(s) || strings.HasSuffix(s, "-00:00") {
		return false
	}
	_, err := time.Parse(time.RFC3339, s)
	return err == nil
}

func isDuration(s string) bool {
	return durationPattern.MatchString(s) && !strings.HasSuffix(s, "P") && !strings.HasSuffix(s, "T")
}

// The rules for single values.
var (
	uuidRule     = matching("a UUID", isUUID)
	iriRule      = matching("an IRI with a scheme", iriPattern.MatchString)
	tagRule      = matching("an RFC 5646 language tag", tagPattern.MatchString)
	instantRule  = matching("an RFC 3339 date-time with a zone", isInstant)
	durationRule = matching("an ISO 8601 duration", isDuration)
)

func languageMap(c *checker, path string, value any) {
	object, ok := value.(map[string]any)
	if !ok {
		c.fail(path, "must be a language map")
		return
	}
	for _, tag := range slices.Sorted(maps.Keys(object)) {
		tagRule(c, path+"."+tag, tag)
		isText(c, path+"."+tag, object[tag])
	}
}

// extensions may hold anything, null included, under keys that are IRIs.
func extensions(c *checker, path string, value any) {
	object, ok := value.(map[string]any)
	if !ok {
		c.fail(path, "must be an object")
		return
	}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		iriRule(c, path+"."+key, key)
	}
}
