package reconcile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"countersign/internal/training"
)

// MaxFile is the longest uploaded file in bytes: it is kept in the journal as one delivery.
const MaxFile = 32 << 20

// The columns of an uploaded file. Case, blanks and underscores in their names do not matter.
const (
	columnLearnerID  = "learner_id"
	columnEmail      = "email"
	columnExternalID = "external_id"
	columnUsername   = "username"
	columnCourseID   = "course_id"
	columnCode       = "course_code"
	columnTitle      = "course_title"
	columnAt         = "completed_at"
	columnScore      = "score"
	columnMaxScore   = "max_score"
	columnPassed     = "passed"
	columnEnrollment = "enrollment_id"
)

// Columns are the names that the header of an uploaded file may hold.
func Columns() []string {
	return []string{columnLearnerID, columnExternalID, columnUsername, columnEmail, columnCourseID, columnCode, columnTitle,
		columnAt, columnScore, columnMaxScore, columnPassed, columnEnrollment}
}

// File is an uploaded list of completions: UTF-8 with or without a byte order mark, columns parted by commas or
// semicolons, quoted as RFC 4180 says, the first row naming them.
type File struct {
	body    []byte
	zone    *time.Location
	comma   rune
	columns []string
	reader  *csv.Reader
	// start is where reader began, place where its next row begins.
	start, place FilePlace
}

// FilePlace is where reading goes on. Its zero value is the first row.
type FilePlace struct {
	Offset int64
	// Line is the number of lines before Offset.
	Line int
}

// FileRow is one row. Either Mistake is "" or Completion is to be ignored.
type FileRow struct {
	// Line is the row's, counted from 1.
	Line int
	// Raw is the row as it stands in the file.
	Raw        []byte
	Completion training.Completion
	// Mistake names columns and never values.
	Mistake string
}

// ReadFile begins to read at a place. Dates without an offset are read in zone. The error says what keeps the whole
// file from being read.
func ReadFile(body []byte, zone *time.Location, from FilePlace) (*File, error) {
	switch {
	case len(body) > MaxFile:
		return nil, fmt.Errorf("the file is longer than %d MiB", MaxFile>>20)
	case !utf8.Valid(body) || bytes.IndexByte(body, 0) >= 0:
		return nil, errors.New("the file is not UTF-8")
	}
	first := FilePlace{Offset: int64(len(body) - len(bytes.TrimPrefix(body, []byte("\ufeff"))))}
	header, _, _ := bytes.Cut(body[first.Offset:], []byte("\n"))
	f := &File{body: body, zone: zone, comma: ','}
	if bytes.Count(header, []byte(";")) > bytes.Count(header, []byte(",")) {
		f.comma = ';'
	}
	f.begin(first)
	names, err := f.reader.Read()
	if err != nil {
		return nil, errors.New("the file has no header")
	}
	if err := f.header(names); err != nil {
		return nil, err
	}
	f.moved()
	if from.Offset > f.place.Offset {
		f.begin(from)
	}
	return f, nil
}

func (f *File) begin(at FilePlace) {
	f.start, f.place = at, at
	f.reader = csv.NewReader(bytes.NewReader(f.body[min(at.Offset, int64(len(f.body))):]))
	f.reader.Comma, f.reader.ReuseRecord, f.reader.FieldsPerRecord = f.comma, true, -1
}

func (f *File) header(names []string) error {
	known := map[string]bool{}
	for _, name := range Columns() {
		known[name] = true
	}
	has := map[string]bool{}
	for i, name := range names {
		name = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), " ", "_")
		switch {
		case !known[name]:
			return fmt.Errorf("column %d of the header is unknown (known: %s)", i+1, strings.Join(Columns(), " "))
		case has[name]:
			return fmt.Errorf("column %s stands in the header twice", name)
		}
		has[name] = true
		f.columns = append(f.columns, name)
	}
	switch {
	case !has[columnAt]:
		return errors.New("the header lacks " + columnAt)
	case !has[columnLearnerID] && !has[columnEmail] && !has[columnExternalID] && !has[columnUsername]:
		return errors.New("the header lacks learner_id, external_id, username or email")
	case !has[columnCourseID] && !has[columnCode] && !has[columnTitle]:
		return errors.New("the header lacks course_id, course_code or course_title")
	}
	return nil
}

// Place is where the next row begins.
func (f *File) Place() FilePlace { return f.place }

// moved brings place to where reader stands.
func (f *File) moved() {
	at := f.start.Offset + f.reader.InputOffset()
	f.place = FilePlace{Offset: at, Line: f.place.Line + bytes.Count(f.body[f.place.Offset:at], []byte("\n"))}
}

// Next reads the next row; ok is false after the last. A row that cannot be read is one with a mistake.
func (f *File) Next() (row FileRow, ok bool) {
	before := f.place
	fields, err := f.reader.Read()
	if errors.Is(err, io.EOF) {
		return FileRow{}, false
	}
	row.Line = before.Line + 1
	if err == nil {
		line, _ := f.reader.FieldPos(0)
		row.Line = f.start.Line + line
	}
	f.moved()
	row.Raw = bytes.Clone(f.body[before.Offset:f.place.Offset])
	switch {
	case err != nil:
		row.Mistake = "is not quoted as RFC 4180 says"
		// A quote that is not closed takes the rows behind it along: nobody may think that they were read.
		if last := before.Line + bytes.Count(bytes.TrimSuffix(row.Raw, []byte("\n")), []byte("\n")) + 1; last > row.Line {
			row.Mistake += fmt.Sprintf("; nothing up to line %d was read", last)
		}
	case len(fields) != len(f.columns):
		row.Mistake = fmt.Sprintf("has %d columns and the header %d", len(fields), len(f.columns))
	default:
		row.Completion, row.Mistake = f.completion(fields)
	}
	return row, true
}

func (f *File) completion(fields []string) (training.Completion, string) {
	c := training.Completion{Event: "import", CompletedAtSource: columnAt, MappingVersion: "import/1"}
	for i, name := range f.columns {
		value := strings.TrimSpace(fields[i])
		if value == "" {
			continue
		}
		switch name {
		case columnLearnerID:
			c.Learner.ID = value
		case columnExternalID:
			c.Learner.ExternalID = value
		case columnUsername:
			c.Learner.Username = value
		case columnEmail:
			c.Learner.Email = value
		case columnCourseID:
			c.Course.ID = value
		case columnCode:
			c.Course.Code = value
		case columnTitle:
			c.Course.Title = value
		case columnEnrollment:
			c.EnrollmentID = value
		case columnScore:
			c.Score.Raw = value
		case columnMaxScore:
			c.Score.Max = value
		case columnPassed:
			passed, ok := yes[strings.ToLower(value)]
			if !ok {
				return c, columnPassed + " must be true or false"
			}
			c.Score.Passed = &passed
		case columnAt:
			var ok bool
			if c.CompletedAt, c.Precision, ok = f.instant(value); !ok {
				return c, columnAt + " must be like 2026-04-08T14:30:00Z, 2026-04-08 14:30:00 or 2026-04-08"
			}
		}
	}
	if c.Score.Raw == "" {
		c.Score.Max = "" // a scale without a result says nothing
	}
	if err := c.Validate(); err != nil {
		return c, err.Error()
	}
	return c, ""
}

var yes = map[string]bool{"true": true, "false": false, "yes": true, "no": false, "1": true, "0": false}

// instant reads what nobody can misread. 04/08/2026 is not among it.
func (f *File) instant(text string) (time.Time, training.Precision, bool) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return training.PrecisionMillisecond.Truncate(t), training.PrecisionMillisecond, true
	}
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(layout, text, f.zone); err == nil {
			return training.PrecisionMillisecond.Truncate(t), training.PrecisionMillisecond, true
		}
	}
	t, err := time.Parse(time.DateOnly, text)
	return t, training.PrecisionDay, err == nil
}
