package setup

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strings"
)

//go:embed web
var web embed.FS

// prefix is where the pages are served.
const prefix = "/setup/"

// handler serves the pages.
type handler struct {
	book      *Book
	options   Options
	templates *template.Template
	policy    string
}

// Handler serves GET /setup/, all platforms in a table, and GET /setup/{platform}. With the query's
// parameters tenant and source it fills them into URLs, settings and commands; whether they
// exist it does not know and so cannot tell. There are no scripts, no cookies and nothing from
// elsewhere. The error is an o.BaseURL that is no URL, or a template that does not parse.
func (b *Book) Handler(o Options) (http.Handler, error) {
	base, err := checkBase(o.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("setup pages: %w", err)
	}
	o.BaseURL = base
	h := &handler{book: b, options: o}
	if h.templates, err = parse(); err != nil {
		return nil, fmt.Errorf("setup pages: %w", err)
	}
	if h.policy, err = h.policyOf(); err != nil {
		return nil, fmt.Errorf("setup pages: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+prefix+"{$}", h.index)
	mux.HandleFunc("GET "+prefix+"{platform}", h.page)
	return mux, nil
}

func parse() (*template.Template, error) {
	style, err := web.ReadFile("web/style.css")
	if err != nil {
		return nil, err
	}
	all := template.New("").Funcs(template.FuncMap{"prose": prose})
	for _, name := range []string{"layout.html", "index.html", "page.html"} {
		text, err := web.ReadFile("web/" + name)
		if err != nil {
			return nil, err
		}
		if _, err := all.Parse(strings.Replace(string(text), "/*STYLE*/", string(style), 1)); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// policyOf is the Content-Security-Policy: the one stylesheet, named by the hash of what the template
// makes of it, the one form, and nothing else.
func (h *handler) policyOf() (string, error) {
	var page bytes.Buffer
	if err := h.templates.ExecuteTemplate(&page, "head", ""); err != nil {
		return "", err
	}
	_, rest, opened := strings.Cut(page.String(), "<style>")
	style, _, closed := strings.Cut(rest, "</style>")
	if !opened || !closed {
		return "", errors.New("no stylesheet in the page")
	}
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'", nil
}

func (h *handler) index(w http.ResponseWriter, _ *http.Request) { h.overview(w, false) }

func (h *handler) overview(w http.ResponseWriter, unknown bool) {
	status := http.StatusOK
	if unknown {
		status = http.StatusNotFound
	}
	h.draw(w, status, "index", struct {
		Pages   []Page
		Prefix  string
		Unknown bool
	}{h.book.pages, prefix, unknown})
}

func (h *handler) page(w http.ResponseWriter, r *http.Request) {
	p, ok := h.book.Find(r.PathValue("platform"))
	if !ok {
		h.overview(w, true)
		return
	}
	query := r.URL.Query()
	h.draw(w, http.StatusOK, "page", struct {
		Heading string
		Prefix  string
		View    view
	}{p.Title + " - Countersign", prefix, h.book.newView(p, h.options, query.Get("tenant"), query.Get("source"))})
}

func (h *handler) draw(w http.ResponseWriter, status int, name string, data any) {
	header := w.Header()
	header.Set("Content-Security-Policy", h.policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-cache")
	var page bytes.Buffer
	if err := h.templates.ExecuteTemplate(&page, name, data); err != nil {
		http.Error(w, "the page cannot be drawn", http.StatusInternalServerError)
		return
	}
	header.Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w) // a reader who left is no error of ours
}
