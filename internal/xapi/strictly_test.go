package xapi_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

var (
	uuidV5    = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	instant   = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)
	tag       = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)
	mailtoIRI = regexp.MustCompile(`^mailto:[a-z0-9!$'*+._~%-]+@[a-z0-9.-]+$`)
)

// strictly checks a statement against the rules of xAPI 1.0.3 as the strictest of the LRSs we
// know apply them, independently of the code under test. It returns the first fault.
func strictly(id string, body []byte) string {
	var s map[string]any
	if err := json.Unmarshal(body, &s); err != nil {
		return err.Error()
	}
	v := &validator{}
	v.nulls("statement", s)
	v.keys("statement", s, []string{"id", "actor", "verb", "object", "result", "context", "timestamp"}, nil)
	v.that(s["id"] == id && uuidV5.MatchString(id), "id %v", s["id"])
	v.that(instant.MatchString(str(s["timestamp"])), "timestamp %v", s["timestamp"])

	actor := obj(s["actor"])
	v.keys("actor", actor, []string{"objectType"}, []string{"name", "account", "mbox"})
	v.that((actor["account"] != nil) != (actor["mbox"] != nil), "actor needs exactly one identifier")
	if account, ok := actor["account"]; ok {
		v.keys("account", obj(account), []string{"homePage", "name"}, nil)
		v.iri("homePage", obj(account)["homePage"])
		v.that(str(obj(account)["name"]) != "", "account name %v", obj(account)["name"])
	} else {
		v.that(mailtoIRI.MatchString(str(actor["mbox"])), "mbox %v", actor["mbox"])
	}
	if name, ok := actor["name"]; ok {
		v.that(str(name) != "", "actor name")
	}

	verb := obj(s["verb"])
	v.keys("verb", verb, []string{"id", "display"}, nil)
	v.that(verb["id"] == "http://adlnet.gov/expapi/verbs/completed", "verb %v", verb["id"])
	v.language(verb["display"])

	object := obj(s["object"])
	v.keys("object", object, []string{"objectType", "id", "definition"}, nil)
	v.iri("object id", object["id"])
	definition := obj(object["definition"])
	v.keys("definition", definition, []string{"type"}, []string{"name"})
	v.that(definition["type"] == "http://adlnet.gov/expapi/activities/course", "type %v", definition["type"])
	if name, ok := definition["name"]; ok {
		v.language(name)
	}

	result := obj(s["result"])
	v.keys("result", result, []string{"completion"}, []string{"success", "score"})
	v.that(result["completion"] == true, "completion %v", result["completion"])
	if success, ok := result["success"]; ok {
		_, isBool := success.(bool)
		v.that(isBool, "success %v", success)
	}
	if score, ok := result["score"]; ok {
		v.score(obj(score))
	}

	context := obj(s["context"])
	v.keys("context", context, []string{"extensions"}, []string{"registration", "platform"})
	if registration, ok := context["registration"]; ok {
		v.that(uuidV5.MatchString(str(registration)), "registration %v", registration)
	}
	for key := range obj(context["extensions"]) {
		v.iri("extension", key)
	}
	return v.fault
}

type validator struct{ fault string }

func (v *validator) that(ok bool, format string, args ...any) {
	if !ok && v.fault == "" {
		v.fault = "bad " + fmt.Sprintf(format, args...)
	}
}

func (v *validator) keys(where string, m map[string]any, required, optional []string) {
	for _, key := range required {
		_, ok := m[key]
		v.that(ok, "%s: no %s", where, key)
	}
	for key := range m {
		v.that(slices.Contains(required, key) || slices.Contains(optional, key), "%s: unknown property %s", where, key)
	}
}

func (v *validator) nulls(where string, value any) {
	v.that(value != nil, "%s is null", where)
	for key, inner := range obj(value) {
		v.nulls(where+"."+key, inner)
	}
}

func (v *validator) iri(where string, value any) {
	u, err := url.Parse(str(value))
	v.that(err == nil && u.Scheme != "" && u.Host != "" && !strings.ContainsAny(str(value), " \"<>\\^`{|}"), "%s %v", where, value)
}

func (v *validator) language(value any) {
	v.that(len(obj(value)) == 1, "language map %v", value)
	for key, text := range obj(value) {
		v.that(tag.MatchString(key) && str(text) != "", "language map %v", value)
	}
}

func (v *validator) score(score map[string]any) {
	v.keys("score", score, []string{"raw"}, []string{"scaled", "min", "max"})
	raw, isNumber := score["raw"].(float64)
	v.that(isNumber, "raw %v", score["raw"])
	low, hasMin := score["min"].(float64)
	high, hasMax := score["max"].(float64)
	v.that(hasMin == hasMax && (!hasMax || low < high), "range %v", score)
	v.that(!hasMax || (low <= raw && raw <= high), "raw outside its range %v", score)
	if scaled, ok := score["scaled"]; ok {
		number, isNumber := scaled.(float64)
		v.that(isNumber && number >= -1 && number <= 1 && hasMax, "scaled %v", scaled)
	}
}

func obj(value any) map[string]any { m, _ := value.(map[string]any); return m }
func str(value any) string         { s, _ := value.(string); return s }
