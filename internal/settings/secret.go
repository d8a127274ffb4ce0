package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

const (
	mask = "••••"
	// longestSecret bounds what is read from a secret's file, in bytes.
	longestSecret = 64 << 10
)

// Secret is a value that is never shown again after it was read (R207). However it is printed,
// logged or encoded, it gives a mask; Reveal is the only way to the value.
type Secret struct {
	reference string
	value     string
}

// NewSecret makes a secret of a value at hand, for tests and for values that were just generated.
func NewSecret(value string) Secret { return Secret{value: value} }

// Reveal returns the value, "" for the zero Secret.
func (s Secret) Reveal() string { return s.value }

// Reference says where the value came from, env:NAME or file:PATH, "" when it came from neither.
func (s Secret) Reference() string { return s.reference }

// String returns a mask, so that %s and %v cannot leak the value.
func (s Secret) String() string {
	if s.value == "" {
		return ""
	}
	return mask
}

// GoString returns a mask for %#v.
func (s Secret) GoString() string { return fmt.Sprintf("settings.Secret(%s)", s.String()) }

// Format returns a mask for every verb: %x and %q of a struct would walk its fields.
func (s Secret) Format(f fmt.State, verb rune) {
	text := s.String()
	if verb == 'v' && f.Flag('#') {
		text = s.GoString()
	}
	_, _ = io.WriteString(f, text) // a formatter has nobody to report to; fmt keeps the error of its own writer
}

// MarshalText returns a mask.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalJSON returns a mask.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + s.String() + `"`), nil }

// LogValue returns a mask.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// errNotReference holds no part of the text: it is probably the secret itself.
var errNotReference = errors.New("must name where the secret is kept, env:NAME or file:PATH, and not be the secret itself")

// resolve reads the value that a reference names. Relative paths start at dir. warning is ""
// or says what is doubtful. Errors and warnings never hold the value.
func resolve(reference, dir string) (secret Secret, warning string, err error) {
	kind, name, found := strings.Cut(reference, ":")
	switch {
	case !found || name == "":
		return Secret{}, "", errNotReference
	case kind == "env":
		secret, err = fromEnv(name)
	case kind == "file":
		secret, warning, err = fromFile(name, dir)
	default:
		return Secret{}, "", errNotReference
	}
	if err != nil {
		return Secret{}, "", err
	}
	secret.reference = reference
	return secret, warning, nil
}

func fromEnv(name string) (Secret, error) {
	if strings.ContainsFunc(name, notInVariable) {
		return Secret{}, errNotReference
	}
	value, found := os.LookupEnv(name)
	switch {
	case !found:
		return Secret{}, fmt.Errorf("environment variable %s is not set", name)
	case value == "":
		// An empty key would let anybody sign.
		return Secret{}, fmt.Errorf("environment variable %s is empty", name)
	}
	return Secret{value: value}, nil
}

func notInVariable(r rune) bool {
	return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_'
}

// fromFile reads a secret as Docker, Kubernetes and systemd provide it: one file each. One
// line end at its end is the editor's and not the secret's.
func fromFile(path, dir string) (Secret, string, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return Secret{}, "", fmt.Errorf("read secret: %w", err)
	}
	if !info.Mode().IsRegular() { // a pipe would block for ever
		return Secret{}, "", fmt.Errorf("read secret: %s is not a regular file", path)
	}
	if info.Size() > longestSecret {
		return Secret{}, "", fmt.Errorf("read secret: %s is longer than %d bytes", path, longestSecret)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return Secret{}, "", fmt.Errorf("read secret: %w", err)
	}
	content = bytes.TrimSuffix(bytes.TrimSuffix(content, []byte("\n")), []byte("\r"))
	if len(content) == 0 {
		return Secret{}, "", fmt.Errorf("read secret: %s is empty", path)
	}
	warning := ""
	if info.Mode().Perm()&0o004 != 0 {
		warning = fmt.Sprintf("%s can be read by everybody on this machine (mode %04o)", path, info.Mode().Perm())
	}
	return Secret{value: string(content)}, warning, nil
}
