// Package telemetry makes what a process says about itself: a structured log that keeps secrets
// and personal data out (law 7), and Temporal's metrics as Prometheus reads them.
package telemetry

import (
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strings"
)

const withheld = "••••"

// Logger returns a logger that writes to w. level is debug, info, warn or error; format is json
// or text. It withholds the value of every attribute whose key, or whose group, names a secret
// or a person, and of every structure: a structure's fields would be printed unseen. It cannot
// see into messages, so these are constant texts.
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
	if a.Value.Kind() == slog.KindAny && !plain(a.Value.Any()) {
		return slog.String(a.Key, fmt.Sprintf("%s (%T)", withheld, a.Value.Any()))
	}
	return a
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
