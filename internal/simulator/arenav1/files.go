package arenav1

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"

	"countersign/internal/simulator/fault"
)

// fileEntry is a file of a plan as the API shows it, as far as anybody reads it.
type fileEntry struct {
	GUID string `json:"guid"`
	File struct {
		GUID    string `json:"guid"`
		Name    string `json:"name"`
		Title   string `json:"title"`
		Format  string `json:"format"`
		Edition string `json:"edition"`
		Size    int    `json:"size"`
	} `json:"file"`
}

func (f File) entry() fileEntry {
	e := fileEntry{GUID: f.GUID}
	e.File.GUID, e.File.Name, e.File.Title, e.File.Format, e.File.Edition, e.File.Size = "F"+f.GUID[1:], f.Name, f.Title, f.Format, "1", len(f.Bytes)
	return e
}

func (w *Workspace) listFiles(c call) {
	listing(w, c, func(p *plan) (all []fileEntry) {
		for _, f := range p.files {
			all = append(all, f.entry())
		}
		return all
	})
}

// upload is POST …/files with the content: the form of Arena's item files. The same name may come twice.
func (w *Workspace) upload(c call) {
	file, ok := readForm(c.r.Header.Get("Content-Type"), c.x.Body)
	switch {
	case !ok || file.Title == "" || file.Format == "":
		errRequired.write(c.w, c.x)
		return
	case len(file.Bytes) == 0:
		errContent.write(c.w, c.x)
		return
	}
	type result struct {
		problem problem
		file    File
	}
	got := fault.Attempt(c.x, func(commit bool) (result, bool) {
		w.mu.Lock()
		defer w.mu.Unlock()
		p := w.find(c.r.PathValue("guid"))
		if p == nil {
			return result{problem: errGUID}, false
		}
		file.GUID = "A0000000000000000000"
		if commit {
			file.GUID = w.guid("A")
			p.files = append(p.files, file)
		}
		return result{file: file}, true
	})
	if got.problem != none {
		got.problem.write(c.w, c.x)
		return
	}
	writeJSON(c.w, http.StatusCreated, got.file.entry())
}

// readForm reads the fields that the vendor's help names, and the part "content".
func readForm(contentType string, body []byte) (file File, ok bool) {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil || media != "multipart/form-data" {
		return File{}, false
	}
	storage, edition := "", ""
	for parts := multipart.NewReader(bytes.NewReader(body), params["boundary"]); ; {
		part, err := parts.NextPart()
		if err != nil {
			return file, errors.Is(err, io.EOF) && storage == "FILE" && edition != ""
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return File{}, false
		}
		switch part.FormName() {
		case "content":
			file.Name, file.Bytes = part.FileName(), value
		case "file.title":
			file.Title = string(value)
		case "file.format":
			file.Format = string(value)
		case "file.category.guid":
			file.Category = string(value)
		case "file.private":
			file.Private = string(value)
		case "file.storageMethodName":
			storage = string(value)
		case "file.edition":
			edition = string(value)
		}
	}
}
