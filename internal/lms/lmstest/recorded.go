package lmstest

import (
	"bufio"
	"bytes"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
)

// formType is the media type of a form body (WHATWG URL §5.1).
const formType = "application/x-www-form-urlencoded"

// Recorded is a delivery as it came. Header may be nil where only the body is of interest; one
// with headers must pass the Verifier, unless it is a Content-Type alone.
type Recorded struct {
	Name   string
	Header http.Header
	Body   []byte
	// Path and Query are those of lms.Request.
	Path, Query string
}

// Request is the delivery as the ingress hands it on.
func (r Recorded) Request() lms.Request { return r.with(r.Body) }

// with is the delivery with another body.
func (r Recorded) with(body []byte) lms.Request {
	return lms.Request{Method: http.MethodPost, Header: r.Header, Body: body, Path: r.Path, Query: r.Query}
}

func (r Recorded) isForm() bool {
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return mediaType == formType
}

// isSigned reports whether the delivery has headers that a verifier can look at.
func (r Recorded) isSigned() bool {
	return len(r.Header) > 1 || len(r.Header) == 1 && r.Header.Get("Content-Type") == ""
}

// Sample reads the body, exactly as sent, from dir/name.json, dir/name.form or dir/name, and its headers,
// one per line, from dir/name.headers.txt.
func Sample(tb testing.TB, dir, name string) Recorded {
	tb.Helper()
	path := filepath.Join(dir, name)
	body, err := os.ReadFile(path + ".json")
	for _, other := range []string{path + ".form", path} {
		if err != nil {
			body, err = os.ReadFile(other)
		}
	}
	require.NoError(tb, err)
	lines, err := os.ReadFile(path + ".headers.txt")
	require.NoError(tb, err)
	header := http.Header{}
	for scanner := bufio.NewScanner(bytes.NewReader(lines)); scanner.Scan(); {
		if key, value, ok := strings.Cut(scanner.Text(), ":"); ok {
			header.Add(key, strings.TrimSpace(value))
		}
	}
	return Recorded{Name: name, Header: header, Body: body}
}

// JSON is a delivery written in a test.
func JSON(name, body string) Recorded { return Recorded{Name: name, Body: []byte(body)} }

// Form is a delivery of a form written in a test.
func Form(name, body string) Recorded {
	return Recorded{Name: name, Header: http.Header{"Content-Type": {formType}}, Body: []byte(body)}
}

// At is the delivery at a path behind the source's own.
func (r Recorded) At(path string) Recorded {
	r.Path = path
	return r
}
