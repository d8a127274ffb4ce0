package lrs

import "strings"

// Validate reports everything that a strict LRS refuses in a statement, empty if nothing. The
// statement is as parsed with numbers kept as json.Number; the rules are those of xAPI 1.0.3
// Data 2.
func Validate(statement map[string]any) []string {
	c := &checker{}
	rules := statementRules()
	rules["id"] = uuidRule
	rules["stored"] = instantRule
	rules["authority"] = actor
	rules["version"] = matching("1.0.n", versionPattern.MatchString)
	rules["object"] = object(true)
	checkStatement(c, "statement", statement, rules)
	return c.problems
}

func statementRules() map[string]rule {
	return map[string]rule{"actor": actor, "verb": verb, "object": object(false), "result": result,
		"context": context, "timestamp": instantRule, "attachments": list(attachment)}
}

func checkStatement(c *checker, path string, value any, rules map[string]rule) {
	fields := c.object(path, value, rules, "actor", "verb", "object")
	target, _ := fields["object"].(map[string]any)
	kind, _ := target["objectType"].(string)
	if surroundings, ok := fields["context"].(map[string]any); ok && kind != "" && kind != "Activity" {
		for _, name := range []string{"revision", "platform"} {
			if _, ok := surroundings[name]; ok {
				c.fail(path+".context."+name, "goes only with an Activity")
			}
		}
	}
	if v, ok := fields["verb"].(map[string]any); ok && v["id"] == verbVoided && kind != "StatementRef" {
		c.fail(path+".object", "of a voiding statement must be a StatementRef")
	}
}

// actor is an Agent or a Group: exactly one identifier, except for an anonymous group.
func actor(c *checker, path string, value any) {
	rules := map[string]rule{
		"objectType": oneOf("Agent", "Group"), "name": isText, "member": list(actor),
		"mbox":         matching("mailto: and an ASCII address", mboxPattern.MatchString),
		"mbox_sha1sum": matching("40 hexadecimal digits", sha1Pattern.MatchString),
		"openid":       iriRule,
		"account": func(c *checker, path string, value any) {
			c.object(path, value, map[string]rule{"homePage": iriRule, "name": isText}, "homePage", "name")
		},
	}
	fields := c.object(path, value, rules)
	identifiers := 0
	for _, name := range []string{"mbox", "mbox_sha1sum", "openid", "account"} {
		if _, ok := fields[name]; ok {
			identifiers++
		}
	}
	_, members := fields["member"]
	group := fields["objectType"] == "Group"
	switch {
	case fields == nil:
	case members && !group:
		c.fail(path+".member", "goes only with a Group")
	case identifiers > 1, identifiers == 0 && (!group || !members):
		c.fail(path, "must have exactly one of mbox, mbox_sha1sum, openid, account")
	}
}

func verb(c *checker, path string, value any) {
	c.object(path, value, map[string]rule{"id": iriRule, "display": languageMap}, "id")
}

// object makes the rule for a statement's object; a SubStatement holds no other SubStatement.
func object(mayHoldStatement bool) rule {
	return func(c *checker, path string, value any) {
		fields, ok := value.(map[string]any)
		if !ok {
			c.fail(path, "must be an object")
			return
		}
		switch kind, has := fields["objectType"]; {
		case !has, kind == "Activity":
			activity(c, path, value)
		case kind == "Agent", kind == "Group":
			actor(c, path, value)
		case kind == "StatementRef":
			statementRef(c, path, value)
		case kind == "SubStatement" && mayHoldStatement:
			rules := statementRules()
			rules["objectType"] = oneOf("SubStatement")
			checkStatement(c, path, value, rules)
		default:
			c.fail(path+".objectType", "is none that may stand here")
		}
	}
}

func statementRef(c *checker, path string, value any) {
	c.object(path, value, map[string]rule{"objectType": oneOf("StatementRef"), "id": uuidRule}, "objectType", "id")
}

func activity(c *checker, path string, value any) {
	c.object(path, value, map[string]rule{"objectType": oneOf("Activity"), "id": iriRule, "definition": definition}, "id")
}

func definition(c *checker, path string, value any) {
	components := list(func(c *checker, path string, value any) {
		c.object(path, value, map[string]rule{"id": isText, "description": languageMap}, "id")
	})
	c.object(path, value, map[string]rule{
		"name": languageMap, "description": languageMap, "type": iriRule, "moreInfo": iriRule, "extensions": extensions,
		"interactionType": oneOf("true-false", "choice", "fill-in", "long-fill-in", "matching", "performance",
			"sequencing", "likert", "numeric", "other"),
		"correctResponsesPattern": list(isText),
		"choices":                 components, "scale": components, "source": components, "target": components, "steps": components,
	})
}

func result(c *checker, path string, value any) {
	c.object(path, value, map[string]rule{"score": score, "success": isBool, "completion": isBool, "response": isText,
		"duration": durationRule, "extensions": extensions})
}

func score(c *checker, path string, value any) {
	fields := c.object(path, value, map[string]rule{"scaled": isNumber, "raw": isNumber, "min": isNumber, "max": isNumber})
	scaled, _ := asNumber(fields["scaled"])
	if scaled < -1 || scaled > 1 {
		c.fail(path+".scaled", "must lie within -1 and 1")
	}
	raw, hasRaw := asNumber(fields["raw"])
	least, hasMin := asNumber(fields["min"])
	most, hasMax := asNumber(fields["max"])
	if hasMin && hasMax && least >= most {
		c.fail(path+".min", "must be less than max")
	}
	if hasRaw && ((hasMin && raw < least) || (hasMax && raw > most)) {
		c.fail(path+".raw", "must lie within min and max")
	}
}

func context(c *checker, path string, value any) {
	c.object(path, value, map[string]rule{
		"registration": uuidRule, "instructor": actor, "team": actor, "contextActivities": contextActivities,
		"revision": isText, "platform": isText, "language": tagRule, "statement": statementRef, "extensions": extensions,
	})
}

// contextActivities holds arrays; a single activity is what 1.0.0 senders sent.
func contextActivities(c *checker, path string, value any) {
	several := func(c *checker, path string, value any) {
		if _, one := value.(map[string]any); one {
			activity(c, path, value)
			return
		}
		list(activity)(c, path, value)
	}
	c.object(path, value, map[string]rule{"parent": several, "grouping": several, "category": several, "other": several})
}

// attachment needs an address: this store takes no multipart bodies.
func attachment(c *checker, path string, value any) {
	c.object(path, value, map[string]rule{
		"usageType": iriRule, "display": languageMap, "description": languageMap,
		"contentType": matching("a media type", func(s string) bool { return strings.Contains(s, "/") }),
		"length":      isNumber, "sha2": isText, "fileUrl": iriRule,
	}, "usageType", "display", "contentType", "length", "sha2", "fileUrl")
}
