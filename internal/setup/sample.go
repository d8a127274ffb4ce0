package setup

import (
	"bytes"
	"encoding/json"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Placeholders stand in a sample's body where the credential is a part of it.
const (
	// SecretPlaceholder is to be replaced by the source's secret, escaped as the body's format wants it.
	SecretPlaceholder = "{{secret}}"
	// SignaturePlaceholder is to be replaced by the signature of LearnUpon's version 1: 32
	// hexadecimal digits, computed as internal/lms/learnupon describes.
	SignaturePlaceholder = "{{signature}}"
)

// Kind says what a sample is.
type Kind string

// The kinds of samples.
const (
	// IsCompletion: at least one completion, and nothing that is none.
	IsCompletion Kind = "completion"
	// IsMixed: completions, and events beside them that are none.
	IsMixed Kind = "completion and others"
	// IsIgnored: no completion; stored and ignored with a reason.
	IsIgnored Kind = "not a completion"
	// IsReview: reports a completion that a person has to look at; the verdict is unmapped.
	IsReview Kind = "goes to review"
)

// Sample is a delivery as the platform sends it, without its credential.
type Sample struct {
	Name string `yaml:"name"`
	Kind Kind   `yaml:"kind"`
	Says string `yaml:"says"`
	// File is the body, in platforms/samples/<platform>.
	File        string `yaml:"file"`
	ContentType string `yaml:"content_type"`
	// Headers are those beside Content-Type and the credential's.
	Headers map[string]string `yaml:"headers,omitempty"`
	// Path follows the source, or its token, in the URL; mostly "".
	Path string `yaml:"path,omitempty"`
	// Credential is the ID of the credential it is sent with; "" means the page's first.
	Credential string `yaml:"credential,omitempty"`

	body []byte
}

// Body are the exact bytes, but for placeholders.
func (s Sample) Body() []byte { return bytes.Clone(s.body) }

// Header returns Content-Type and what else the platform sends, without credentials.
func (s Sample) Header() http.Header {
	header := http.Header{"Content-Type": {s.ContentType}}
	for name, value := range s.Headers {
		header.Set(name, value)
	}
	return header
}

// Readable is the body for reading: JSON is indented, anything else is left as it is.
func (s Sample) Readable() string {
	var indented bytes.Buffer
	if json.Indent(&indented, s.body, "", "  ") != nil {
		return strings.TrimRight(string(s.body), "\n")
	}
	return indented.String()
}

// Sample finds one of the page's samples.
func (p Page) Sample(name string) (Sample, bool) {
	for _, s := range p.Samples {
		if s.Name == name {
			return s, true
		}
	}
	return Sample{}, false
}

// credential finds one of the page's credentials; "" is the first.
func (p Page) credential(id string) (Credential, bool) {
	for _, c := range p.Credentials {
		if c.ID == id || id == "" {
			return c, true
		}
	}
	return Credential{}, false
}

// sorted gives the headers by name.
func (s Sample) sorted() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
			if !yield(name, s.Headers[name]) {
				return
			}
		}
	}
}
