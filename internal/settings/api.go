package settings

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// API is a source's access to its LMS's REST API, where what deliveries lack is looked up (R15).
type API struct {
	URL string
	// Credentials are by their names, those that the platform takes.
	Credentials map[string]Credential
	// ExternalIDField names the LMS's own field of the employee number, "" where the platform has one of its own.
	ExternalIDField string
	// PerHour bounds the calls of each process in an hour; 0 takes the platform's own number (R146).
	PerHour int
}

// LooksUp reports whether the source's LMS can be asked for what its deliveries lack.
func (s *Settings) LooksUp(tenant, source string) bool {
	t, ok := s.Tenant(tenant)
	if !ok {
		return false
	}
	from, ok := t.Source(source)
	return ok && from.API != nil
}

// Credential is one of an API's: a name in the clear, or a secret.
type Credential struct {
	Text   string
	Secret Secret
}

// Reveal returns the value.
func (c Credential) Reveal() string { return c.Text + c.Secret.Reveal() }

// KnownAPI is what a platform's REST API takes.
type KnownAPI struct {
	Credentials []KnownCredential
	// ExternalIDField says that customers make the field of the employee number themselves.
	ExternalIDField bool
}

// KnownCredential is one that a platform's API takes.
type KnownCredential struct {
	Name             string
	Secret, Required bool
}

// api reads the access to a platform's API; nil where the file has none.
func (r *tenantReader) api(e entry, platform string) *API {
	f, ok := e.fields()
	if !ok {
		return nil
	}
	known, speaks := r.known.APIs[platform]
	if !speaks {
		if slices.Contains(r.known.Platforms, platform) {
			e.mistake("nothing can be looked up at platform %q; its deliveries have to say everything", platform)
		}
		return nil
	}
	a := &API{URL: webAddress(f.get("url").required()), Credentials: map[string]Credential{}}
	for _, c := range known.Credentials {
		value := f.get(c.Name)
		if c.Required {
			value = value.required()
		}
		switch {
		case !value.present():
		case c.Secret:
			a.Credentials[c.Name] = Credential{Secret: value.secret()}
		default:
			a.Credentials[c.Name] = Credential{Text: value.text()}
		}
	}
	if known.ExternalIDField {
		if field := f.get("external_id_field"); field.present() {
			a.ExternalIDField = field.text()
		}
	}
	a.PerHour = f.get("per_hour").integer(0, leastPerHour, 1e6)
	f.done()
	return a
}

// leastPerHour lets one completion be looked up whole: that takes up to five calls, and half of a small budget may
// go at once.
const leastPerHour = 10

func (a API) describe(w io.Writer) {
	names := make([]string, 0, len(a.Credentials))
	for name, c := range a.Credentials {
		value := c.Text
		if c.Text == "" {
			value = shown(c.Secret)
		}
		names = append(names, name+" "+value)
	}
	slices.Sort(names)
	budget := "the platform's own budget"
	if a.PerHour > 0 {
		budget = fmt.Sprintf("at most %d calls an hour", a.PerHour)
	}
	line(w, "", "looks up at %s with %s, %s", a.URL, strings.Join(names, ", "), budget)
	if a.ExternalIDField != "" {
		line(w, "", "employee number: the LMS's field %q", a.ExternalIDField)
	}
}
