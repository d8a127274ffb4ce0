package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"

	"countersign/internal/lms/mapping"
)

// longestFile bounds a settings file, in bytes; thousands of tenants fit.
const longestFile = 8 << 20

// Known is what this build can do; a file that asks for anything else is refused.
type Known struct {
	// Platforms are the names of the LMS adapters, e.g. "canonical".
	Platforms []string
	// QMS are the names of the QMS adapters, the default first, e.g. "arena".
	QMS []string
	// Mapping checks a mapping that is put over the platform's own; its error joins *mapping.Mistake.
	// nil checks nothing.
	Mapping func(platform string, d mapping.Definition) error
	// APIs are the platforms at which something can be looked up, and what that takes.
	APIs map[string]KnownAPI
}

// Load reads the tenants' file and every secret it names. Relative paths in it start at its own
// folder. An error in the content is of type Mistakes and holds all of them.
func Load(path string, known Known) (*Settings, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("load settings: %w", err)
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, longestFile+1))
	if err != nil {
		return nil, fmt.Errorf("load settings %s: %w", path, err)
	}
	return parse(content, &report{file: filepath.Base(path), dir: filepath.Dir(path)}, known)
}

func parse(content []byte, r *report, known Known) (*Settings, error) {
	root, err := document(content)
	if err != nil {
		line, text := yamlError(err)
		return nil, Mistakes{{File: r.file, Line: line, Column: min(line, 1), Text: text}}
	}
	reader := tenantReader{known: known, ids: seen{}, domains: seen{}, secrets: seen{}}
	s := &Settings{Tenants: reader.tenants(newEntry(r, root, ""))}
	if len(r.mistakes) > 0 {
		r.mistakes.sort()
		return nil, r.mistakes
	}
	s.Warnings = r.warnings
	return s, nil
}

// document decodes the only YAML document of a file.
func document(content []byte) (*yaml.Node, error) {
	if len(content) > longestFile {
		return nil, fmt.Errorf("the file is longer than %d bytes", longestFile)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var document, second yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty; it must have a list of tenants")
	} else if err != nil {
		return nil, err
	}
	if err := decoder.Decode(&second); err == nil {
		return nil, fmt.Errorf("line %d: a second YAML document begins here; only one is read", second.Line)
	} else if !errors.Is(err, io.EOF) {
		return nil, err
	}
	if document.Kind != yaml.DocumentNode || len(document.Content) != 1 {
		return nil, errors.New("the file is empty; it must have a list of tenants")
	}
	return document.Content[0], nil
}

// yamlError takes the line out of the YAML library's "yaml: line 3: did not find ...".
func yamlError(err error) (line int, text string) {
	match := regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?(.*)`).FindStringSubmatch(err.Error())
	if match == nil {
		return 0, err.Error()
	}
	line, err = strconv.Atoi(match[1])
	if err != nil {
		return 0, match[2]
	}
	return line, match[2]
}

// seen remembers what must be unique, and where it stood first.
type seen map[string]entry

// first reports whether the value is new.
func (s seen) first(value string, at entry) (before entry, isFirst bool) {
	if before, found := s[value]; found {
		return before, false
	}
	s[value] = at
	return entry{}, true
}
