package setup

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed platforms answers.yaml
var embedded embed.FS

// Book is all setup pages, read and checked.
type Book struct {
	pages   []Page
	answers []Answer
}

// Answer is an answer of Countersign that an LMS administrator may see, and what to do (R199 to R205).
type Answer struct {
	// Code is the HTTP status code, or what is seen in its place.
	Code string `yaml:"code"`
	Says string `yaml:"says"`
	Fix  string `yaml:"fix"`
}

// New reads the pages that are compiled in. The error names every mistake with its file.
func New() (*Book, error) { return read(embedded) }

// All returns the pages in the order of their platforms.
func (b *Book) All() []Page { return slices.Clone(b.pages) }

// Find returns the page of a platform.
func (b *Book) Find(platform string) (Page, bool) {
	for _, p := range b.pages {
		if p.Platform == platform {
			return p, true
		}
	}
	return Page{}, false
}

// Answers returns what Countersign may answer, and what to do then.
func (b *Book) Answers() []Answer { return slices.Clone(b.answers) }

// read takes platforms/*.yaml and answers.yaml of a file system.
func read(files fs.FS) (*Book, error) {
	names, err := fs.Glob(files, "platforms/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("read setup pages: %w", err)
	}
	if len(names) == 0 {
		return nil, errors.New("read setup pages: there is none")
	}
	book := &Book{}
	var mistakes []error
	for _, name := range names {
		page, err := readPage(files, name)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("read setup page %s: %w", name, err))
		}
		book.pages = append(book.pages, page)
	}
	slices.SortFunc(book.pages, func(a, b Page) int { return cmp.Compare(a.Platform, b.Platform) })
	text, err := fs.ReadFile(files, "answers.yaml")
	if err != nil {
		return nil, fmt.Errorf("read answers.yaml: %w", err)
	}
	if err := strictly(text, &book.answers); err != nil {
		mistakes = append(mistakes, fmt.Errorf("read answers.yaml: %w", err))
	}
	for _, a := range book.answers {
		if a.Code == "" || a.Says == "" || a.Fix == "" {
			mistakes = append(mistakes, fmt.Errorf("read answers.yaml: %q lacks code, says or fix", a.Code))
		}
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	return book, nil
}

func readPage(files fs.FS, name string) (Page, error) {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return Page{}, err
	}
	var page Page
	if err := strictly(text, &page); err != nil {
		return Page{}, err
	}
	if want := strings.TrimSuffix(path.Base(name), ".yaml"); page.Platform != want {
		return Page{}, fmt.Errorf("platform is %q, the file's name says %q", page.Platform, want)
	}
	folder := path.Join("platforms/samples", page.Platform)
	var mistakes []error
	used := map[string]bool{}
	for i := range page.Samples {
		sample := &page.Samples[i]
		used[sample.File] = true
		if sample.body, err = fs.ReadFile(files, path.Join(folder, sample.File)); err != nil {
			mistakes = append(mistakes, fmt.Errorf("samples[%d]: %w", i, err))
		}
	}
	stored, err := fs.ReadDir(files, folder)
	if err != nil {
		mistakes = append(mistakes, err)
	}
	for _, file := range stored {
		if !used[file.Name()] {
			mistakes = append(mistakes, fmt.Errorf("%s is no sample of the page", path.Join(folder, file.Name())))
		}
	}
	for i := range page.Credentials {
		if err := page.Credentials[i].readSettings(); err != nil {
			mistakes = append(mistakes, fmt.Errorf("credentials[%d]: %w", i, err))
		}
	}
	mistakes = append(mistakes, page.check()...)
	return page, errors.Join(mistakes...)
}
