package arenav1

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/textproto"
	"path"
	"strings"
	"time"

	"countersign/internal/qms"
	"countersign/internal/training"
)

const readFiles = "read files"

// file is a file as a plan lists it. Arena names it as it was sent; a title is what a person may have given it.
type file struct {
	GUID string `json:"guid"`
	File struct {
		Name  string `json:"name"`
		Title string `json:"title"`
		Size  *int   `json:"size"`
	} `json:"file"`
}

// files are all that are kept with a plan.
func (c *Client) files(ctx context.Context, p plan, ref string) ([]file, error) {
	return list(ctx, c, c.of(p, ref, readFiles, "files"), func(f file) string { return f.GUID })
}

// Attached reports whether the document is kept with the record's plan: a file of its name or title, and of
// its size where Arena shows one. A file of the name that is of another size is not what was sent.
func (c *Client) Attached(ctx context.Context, recordID string, d qms.Document) (bool, error) {
	p, ref, err := c.planOf(ctx, recordID, readFiles)
	if err != nil {
		return false, err
	}
	files, err := c.files(ctx, p, ref)
	if err != nil {
		return false, err
	}
	spoiled := false
	for _, f := range files {
		if f.File.Name != d.Name && f.File.Title != strings.TrimSuffix(d.Name, path.Ext(d.Name)) {
			continue
		}
		if f.File.Size == nil || *f.File.Size == len(d.Bytes) {
			return true, nil
		}
		spoiled = true
	}
	if spoiled {
		return false, training.Fail(training.FailureOtherContent, readFiles, recordID, "the file "+d.Name+" has another size than was sent")
	}
	return false, nil
}

// Attach uploads a document to the files of the record's plan: POST /trainingplans/{guid}/files as a
// form, with the fields that the vendor's help has for files of items. Its page about files of plans
// shows only how one that is there already is added; docs/qms/arena-v1.md says what to check.
func (c *Client) Attach(ctx context.Context, recordID string, d qms.Document, requestID string) error {
	p, ref, err := c.planOf(ctx, recordID, "keep document")
	if err != nil {
		return err
	}
	fields := [][2]string{
		{"file.title", strings.TrimSuffix(d.Name, path.Ext(d.Name))},
		{"file.description", d.Title},
		{"file.edition", "1"},
		{"file.format", strings.TrimPrefix(path.Ext(d.Name), ".")},
		{"file.private", "true"}, // it names a person: not for everybody who may look at files
		{"file.storageMethodName", "FILE"},
		{"latestEditionAssociation", "true"},
	}
	if c.cfg.FileCategory != "" {
		fields = append(fields, [2]string{"file.category.guid", c.cfg.FileCategory})
	}
	body, contentType, err := form(fields, d)
	if err != nil {
		return training.FailWith(training.FailureDefect, "keep document", recordID, err)
	}
	call := c.of(p, ref, "keep document", "files")
	call.contentType, call.body, call.requestID = contentType, body, requestID
	call.missing = ""
	return c.write(ctx, call)
}

// planOf is the plan of a record, as it was read no longer ago than the settings allow.
func (c *Client) planOf(ctx context.Context, recordID, operation string) (plan, string, error) {
	trainingID, _, ok := splitRecord(recordID)
	if !ok {
		return plan{}, "", training.Fail(training.FailureRecordMissing, operation, recordID, "not a record id")
	}
	ref, _ := splitTraining(trainingID)
	p, err := c.planAt(ctx, ref)
	return p, ref, err
}

// planAt is the plan that a reference leads to, as it was read no longer ago than the settings allow.
func (c *Client) planAt(ctx context.Context, ref string) (p plan, err error) {
	err = c.locked(ctx, ref, func(s *shelf) (err error) {
		if s.view != nil && c.kept(s.view.planAt, c.framed(), time.Time{}) {
			p = s.view.plan
			return nil
		}
		p, err = c.findPlan(ctx, ref)
		return err
	})
	return p, err
}

// form is a multipart body with the content last.
func form(fields [][2]string, d qms.Document) (body []byte, contentType string, err error) {
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	for _, f := range fields {
		if err := w.WriteField(f[0], f[1]); err != nil {
			return nil, "", err
		}
	}
	header := textproto.MIMEHeader{}
	header.Set("Content-Disposition", multipart.FileContentDisposition("content", d.Name))
	header.Set("Content-Type", d.ContentType)
	part, err := w.CreatePart(header)
	if err == nil {
		_, err = part.Write(d.Bytes)
	}
	if err == nil {
		err = w.Close()
	}
	return out.Bytes(), w.FormDataContentType(), err
}
