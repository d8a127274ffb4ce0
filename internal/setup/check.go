package setup

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
)

// checker gathers what is missing on a page.
type checker struct {
	sources  map[string]bool
	used     map[string]bool
	mistakes []error
}

func (c *checker) mistake(format string, args ...any) {
	c.mistakes = append(c.mistakes, fmt.Errorf(format, args...))
}

// text holds that something is said.
func (c *checker) text(at, text string) {
	if text == "" {
		c.mistake("%s is empty", at)
	}
}

func (c *checker) fact(at string, f Fact) {
	c.used[f.Source] = true
	if err := f.check(c.sources); err != nil {
		c.mistake("%s %w", at, err)
	}
}

// facts holds that there is at least one.
func (c *checker) facts(at string, all []Fact) {
	if len(all) == 0 {
		c.mistake("%s is empty", at)
	}
	for i, f := range all {
		c.fact(fmt.Sprintf("%s[%d]", at, i), f)
	}
}

// check holds a page against what every page must say; loading has read samples and settings.
func (p Page) check() []error {
	c := &checker{sources: map[string]bool{}, used: map[string]bool{}}
	for i, s := range p.Sources {
		if s.ID == "" || s.Title == "" || c.sources[s.ID] {
			c.mistake("sources[%d] lacks its id or title, or has an id twice", i)
		}
		c.sources[s.ID] = true
	}
	for at, text := range map[string]string{
		"title": p.Title, "summary": p.Summary, "matrix.transport": p.Matrix.Transport,
		"matrix.retries": p.Matrix.Retries, "matrix.down": p.Matrix.Down,
	} {
		c.text(at, text)
	}
	c.fact("verified", p.Verified)
	for at, all := range map[string][]Fact{
		"before": p.Before, "sending": p.Sending, "success": p.Success, "outage.after": p.Outage.After,
		"addresses": p.Addresses, "tests.connection": p.Tests.Connection, "tests.user": p.Tests.User,
		"traps": p.Traps, "certainty": p.Certainty,
	} {
		c.facts(at, all)
	}
	for at, f := range map[string]Fact{
		"outage.timeout": p.Outage.Timeout, "outage.retries": p.Outage.Retries,
		"outage.gives_up": p.Outage.GivesUp, "outage.down": p.Outage.Down,
	} {
		c.fact(at, f)
	}
	for i, f := range p.URLNotes {
		c.fact(fmt.Sprintf("url_notes[%d]", i), f)
	}
	for i, u := range p.URLs {
		c.text(fmt.Sprintf("urls[%d]", i), u.Path)
		c.text(fmt.Sprintf("urls[%d].use", i), u.Use)
	}
	if p.Own != nil {
		c.fact("mapping.why", p.Own.Why)
		c.text("mapping.lines", p.Own.Lines)
	}
	c.lists(p)
	c.samples(p)
	for id := range c.sources {
		if !c.used[id] {
			c.mistake("source %q is cited nowhere", id)
		}
	}
	return c.mistakes
}

// lists checks steps, credentials, fields and events.
func (c *checker) lists(p Page) {
	for at, n := range map[string]int{
		"steps": len(p.Steps), "credentials": len(p.Credentials), "fields": len(p.Fields), "sources": len(p.Sources),
		"events.completions": len(p.Events.Completions), "events.ignored": len(p.Events.Ignored),
	} {
		if n == 0 {
			c.mistake("%s is empty", at)
		}
	}
	for i, group := range p.Steps {
		c.facts(fmt.Sprintf("steps[%d]", i), group.Do)
		if len(p.Steps) > 1 {
			c.text(fmt.Sprintf("steps[%d].title", i), group.Title)
		}
	}
	seen := map[string]bool{}
	for i, credential := range p.Credentials {
		at := fmt.Sprintf("credentials[%d]", i)
		c.text(at+".title", credential.Title)
		c.fact(at+".sends", credential.Sends)
		c.facts(at+".enter", credential.Enter)
		if credential.ID == "" || seen[credential.ID] {
			c.mistake("%s.id is empty or there twice", at)
		}
		seen[credential.ID] = true
	}
	for i, f := range p.Fields {
		at := fmt.Sprintf("fields[%d]", i)
		c.text(at+".target", f.Target)
		c.text(at+".at", f.At)
		c.text(at+".type", f.Type)
		note := f.Note // its mark is about the row, so it may have no words of its own
		if note.Text == "" {
			note.Text = f.Target
		}
		c.fact(at+".note", note)
		if !slices.Contains([]Need{Required, OneOfThese, Optional}, f.Need) {
			c.mistake("%s.need is %q", at, f.Need)
		}
	}
	for i, l := range p.Lacking {
		c.text(fmt.Sprintf("lacking[%d].what", i), l.What)
		c.text(fmt.Sprintf("lacking[%d].instead", i), l.Instead)
	}
	for i, e := range slices.Concat(p.Events.Completions, p.Events.Ignored) {
		at := fmt.Sprintf("events[%d]", i)
		c.text(at+".name", e.Name)
		c.fact(at+".says", e.Says)
	}
}

// errNewline is for a body that would not come out of a shell as it went in: command substitution
// cuts line ends off, and a NUL cannot stand in a variable.
var errNewline = errors.New("ends with a line end, or holds a carriage return or NUL; a shell would change it")

// plainHeader is a header that can stand between the quotes of a shell.
var plainHeader = regexp.MustCompile(`^[A-Za-z0-9-]+: [A-Za-z0-9 ,.;:/=_+-]+$`)

func (c *checker) samples(p Page) {
	if len(p.Samples) == 0 || p.Samples[0].Kind == IsIgnored {
		c.mistake("the first sample must report a completion")
	}
	seen := map[string]bool{}
	for i, s := range p.Samples {
		at := fmt.Sprintf("samples[%d]", i)
		if s.Name == "" || seen[s.Name] {
			c.mistake("%s.name is empty or there twice", at)
		}
		seen[s.Name] = true
		c.text(at+".says", s.Says)
		c.text(at+".content_type", s.ContentType)
		if !slices.Contains([]Kind{IsCompletion, IsMixed, IsIgnored, IsReview}, s.Kind) {
			c.mistake("%s.kind is %q", at, s.Kind)
		}
		if _, ok := p.credential(s.Credential); !ok {
			c.mistake("%s names a credential %q that the page does not have", at, s.Credential)
		}
		if bytes.ContainsAny(s.body, "\r\x00") || bytes.HasSuffix(s.body, []byte("\n")) {
			c.mistake("%s %w", at, errNewline)
		}
		for name, value := range s.Headers {
			if !plainHeader.MatchString(name + ": " + value) {
				c.mistake("%s.headers[%s] has characters that mean something to a shell", at, name)
			}
		}
	}
}
