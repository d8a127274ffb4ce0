package mapping

import (
	"fmt"
	"slices"
	"time"

	// Zones have to be known on a machine that has no zone files, a container from scratch say.
	_ "time/tzdata"

	"countersign/internal/lms/strictjson"
)

// field is a Field that was checked; nil stands for one that is not read.
type field struct {
	paths     []*path
	constant  *strictjson.Value
	transform *Transform
	pattern   pattern // nil where the platform's own way of writing dates counts
	zone      *time.Location
}

// compileField checks a field and returns nil where it is omitted or wrong.
func compileField(target Target, f Field, all *mistakes) *field {
	before := len(*all)
	wrong := func(part string, offset int, code, text string) {
		all.add(Mistake{Target: target, Part: part, Offset: offset, Code: code, Text: text})
	}
	compiled := &field{zone: time.UTC}
	if !slices.Contains(Targets(), target) {
		wrong("target", -1, "unknown_target", "there is no such target")
	}
	switch {
	case f.Omit:
		if f.Path != "" || f.Const != nil || f.Transform != "" || f.Parse != "" || f.Zone != "" || len(f.Else) > 0 {
			wrong("omit", -1, "conflict", "a field that is omitted has nothing else")
		}
		return nil
	case f.Path != "" && f.Const != nil:
		wrong("const", -1, "conflict", "want path or const, not both")
	case f.Const != nil:
		value := strictjson.StringOf(*f.Const)
		compiled.constant = &value
		if len(f.Else) > 0 {
			wrong("else", -1, "conflict", "else stands behind a path only")
		}
	case f.Path == "":
		wrong("path", -1, "missing_path", "want path, const or omit")
	}
	for i, text := range append([]string{f.Path}, f.Else...) {
		part := "path"
		if i > 0 {
			part = fmt.Sprintf("else[%d]", i-1)
		} else if text == "" {
			continue
		}
		p, mistake := parsePath(text)
		if mistake != nil {
			wrong(part, mistake.Offset, mistake.Code, mistake.Text)
			continue
		}
		compiled.paths = append(compiled.paths, p)
	}
	transform, found := parseTransform(f.Transform)
	for _, mistake := range found {
		wrong("transform", mistake.Offset, mistake.Code, mistake.Text)
	}
	if len(transform.steps) > 0 {
		compiled.transform = transform
	}
	compileDate(target, f, compiled, wrong)
	if len(*all) > before {
		return nil
	}
	return compiled
}

// compileDate checks parse and zone.
func compileDate(target Target, f Field, compiled *field, wrong func(part string, offset int, code, text string)) {
	if f.Parse != "" {
		if !target.isInstant() {
			wrong("parse", -1, "conflict", "only completedAt, expiresAt, enrolledAt and dueAt are dates")
		}
		p, mistake := parsePattern(plain(f.Parse))
		if mistake == nil {
			mistake = p.checkReadable()
		}
		if mistake != nil {
			wrong("parse", mistake.Offset, mistake.Code, mistake.Text)
		}
		compiled.pattern = p
	}
	if f.Zone == "" {
		return
	}
	if f.Parse == "" {
		wrong("zone", -1, "conflict", "zone stands beside parse only")
	}
	zone, err := time.LoadLocation(f.Zone)
	if err != nil || f.Zone == "Local" { // which zone is local depends on the machine
		wrong("zone", -1, "unknown_zone", "want the IANA name of a time zone, e.g. America/Chicago")
		return
	}
	compiled.zone = zone
}

// condition is a Condition that was checked.
type condition struct {
	path *path
	in   []string
}

func compileCondition(c Condition, all *mistakes) *condition {
	p, mistake := parsePath(c.Path)
	if mistake != nil {
		mistake.Part = "completionWhen.path"
		all.add(*mistake)
	}
	if len(c.In) == 0 {
		all.add(Mistake{Part: "completionWhen.in", Offset: -1, Code: "missing_text", Text: "want at least one text, or nothing is ever a completion"})
	}
	return &condition{path: p, in: slices.Clone(c.In)}
}
