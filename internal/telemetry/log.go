// Package telemetry makes what a process says about itself: a structured log that keeps secrets
// and personal data out (law 7), and Temporal's metrics as Prometheus reads them.
package telemetry

import (
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"reflect"
	"strconv"
	"strings"
)

const withheld = "••••"

// Logger returns a logger that writes to w. level is debug, info, warn or error; format is json
// or text. It withholds the value of every attribute whose key, or whose group, names a secret
// or a person, and of every structure: a structure's fields would be printed unseen. From the URLs that
// net/http quotes in its errors it takes query and user, where tokens stand. It cannot see into
// messages, so these are constant texts.
func Logger(level, format string, w io.Writer) (*slog.Logger, error) {
	var threshold slog.Level
	if err := threshold.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("set up the log: unknown level %q (debug, info, warn, error)", level)
	}
	options := &slog.HandlerOptions{Level: threshold, ReplaceAttr: redact}
	switch format {
	case "json":
		return slog.New(slog.NewJSONHandler(w, options)), nil
	case "text":
		return slog.New(slog.NewTextHandler(w, options)), nil
	default:
		return nil, fmt.Errorf("set up the log: unknown format %q (json, text)", format)
	}
}

func redact(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey || a.Key == slog.MessageKey) {
		return a
	}
	for _, name := range append([]string{a.Key}, groups...) {
		if sensitive(name) {
			return slog.String(a.Key, withheld)
		}
	}
	if a.Value.Kind() != slog.KindAny {
		return a
	}
	if err, ok := a.Value.Any().(error); ok && !isNil(err) {
		return slog.String(a.Key, withoutQueries(err))
	}
	if !plain(a.Value.Any()) {
		return slog.String(a.Key, fmt.Sprintf("%s (%T)", withheld, a.Value.Any()))
	}
	return a
}

// withoutQueries is the text of an error in which every *url.Error below it has lost what may be
// secret of its URL.
func withoutQueries(err error) string {
	text := err.Error()
	for _, quoted := range quotedURLs(err) {
		text = strings.ReplaceAll(text, strconv.Quote(quoted), strconv.Quote(bareURL(quoted)))
	}
	return text
}

// isNil reports whether an error is a nil pointer: slog prints it as what it is, we could not ask it.
func isNil(err error) bool {
	v := reflect.ValueOf(err)
	return v.Kind() == reflect.Pointer && v.IsNil()
}

// quotedURLs walks the tree of an error, which errors.As would leave at the first it finds.
func quotedURLs(err error) []string {
	var found []string
	if broken, ok := err.(*url.Error); ok { //nolint:errorlint // the walk is its own
		found = append(found, broken.URL)
	}
	switch wrapper := err.(type) { //nolint:errorlint // as above
	case interface{ Unwrap() error }:
		if inner := wrapper.Unwrap(); inner != nil {
			found = append(found, quotedURLs(inner)...)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range wrapper.Unwrap() {
			found = append(found, quotedURLs(inner)...)
		}
	}
	return found
}

func bareURL(quoted string) string {
	parsed, err := url.Parse(quoted)
	if err != nil {
		return withheld
	}
	if parsed.User != nil {
		parsed.User = url.User("redacted")
	}
	if parsed.RawQuery != "" {
		parsed.RawQuery = "redacted"
	}
	if parsed.Fragment != "" {
		parsed.Fragment, parsed.RawFragment = "redacted", ""
	}
	return parsed.String()
}

// sensitive reports whether a key promises a secret or personal data. Words are looked for
// anywhere in it, without regard to case and separators: "X-Api-Key", "learnerEmail".
func sensitive(key string) bool {
	folded := strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == '.' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToLower(key))
	for _, word := range []string{
		"secret", "password", "passwd", "token", "authorization", "credential", "cookie", "apikey", "signature", "dsn",
		"email", "employee", "learner", "username", "firstname", "lastname", "fullname",
	} {
		if strings.Contains(folded, word) {
			return true
		}
	}
	return false
}

// plain reports whether v prints as what it is: an error, something with a text of its own, a
// simple value or a list of such.
func plain(v any) bool {
	switch v.(type) {
	case nil, error, fmt.Stringer:
		return true
	}
	t := reflect.TypeOf(v)
	if t.Kind() == reflect.Slice || t.Kind() == reflect.Array {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return true
	default: // bytes (uint8) too: they are bodies and keys
		return false
	}
}
