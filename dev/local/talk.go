package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
)

// say prints one line of what is going on.
func say(format string, args ...any) {
	_, _ = fmt.Fprintf(os.Stdout, format+"\n", args...) // nobody to tell when the terminal is gone
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// display is a path as short as it can be written from here.
func display(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	relative, err := filepath.Rel(here, path)
	if err != nil || strings.HasPrefix(relative, "..") {
		return path
	}
	return relative
}

// warnings passes on the warnings and errors among the log lines of a child, which are in slog's
// text format; the rest is in its log file.
type warnings struct {
	name string
	out  io.Writer

	mu   sync.Mutex
	rest []byte
}

func newWarnings(name string, out io.Writer) *warnings { return &warnings{name: name, out: out} }

// Write implements io.Writer.
func (w *warnings) Write(data []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest = append(w.rest, data...)
	for {
		line, rest, found := bytes.Cut(w.rest, []byte("\n"))
		if !found {
			return len(data), nil
		}
		w.rest = rest
		_, text, isWarning := bytes.Cut(line, []byte(" level=WARN "))
		if !isWarning {
			_, text, isWarning = bytes.Cut(line, []byte(" level=ERROR "))
		}
		if isWarning {
			_, _ = fmt.Fprintf(w.out, "  %s: %s\n", w.name, shorten(brief(string(text))))
		}
	}
}

var (
	// On this machine there is one process of a name and one tenant to begin with.
	known = regexp.MustCompile(`\b(process|tenant|link)=\S+ ?`)
	// Twelve digits of a fingerprint are what the demo prints of it as well.
	longDigest = regexp.MustCompile(`\b([0-9a-f]{12})[0-9a-f]{52}\b`)
)

// brief leaves out what a reader of the terminal knows already.
func brief(text string) string {
	text = strings.TrimPrefix(known.ReplaceAllString(text, ""), "msg=")
	return longDigest.ReplaceAllString(text, "$1")
}

const widest = 240 // characters of a log line

func shorten(text string) string {
	if runes := []rune(text); len(runes) > widest {
		return string(runes[:widest]) + "…"
	}
	return text
}
