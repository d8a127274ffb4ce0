package lmsapi

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"countersign/internal/simulator/fault"
)

// learner is the learner for whom match says so.
func (l *LMS) learner(match func(Learner) bool) (Learner, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, learner := range l.learners {
		if match(learner) {
			return learner, true
		}
	}
	return Learner{}, false
}

// course is the course for which match says so.
func (l *LMS) course(match func(Course) bool) (Course, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, course := range l.courses {
		if match(course) {
			return course, true
		}
	}
	return Course{}, false
}

// allCourses lists all courses by id.
func (l *LMS) allCourses() []Course {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Course, 0, len(l.courses))
	for _, course := range l.courses {
		out = append(out, course)
	}
	slices.SortFunc(out, func(a, b Course) int { return cmp.Or(cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID)) })
	return out
}

// matching lists the enrollments for which match says so, as they were added.
func (l *LMS) matching(match func(Enrollment) bool) []Enrollment {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := []Enrollment{}
	for _, e := range l.enrollments {
		if match(e) {
			out = append(out, e)
		}
	}
	return out
}

// page cuts page number n, from 0, of size out of items, and says whether more follow.
func page[T any](items []T, n, size int) (cut []T, more bool) {
	from := min(max(n, 0)*size, len(items))
	to := min(from+size, len(items))
	return items[from:to], to < len(items)
}

// number is a query or form parameter as a number, fallback where it is none.
func number(text string, fallback int) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return fallback
	}
	return n
}

// raw writes an id or a score as the JSON number that it is, or null for "".
func raw(text string) json.RawMessage {
	if text == "" {
		return json.RawMessage("null")
	}
	return json.RawMessage(text)
}

// formOf is the request's form; one that cannot be read is empty.
func formOf(x *fault.Exchange) url.Values {
	form, err := url.ParseQuery(string(x.Body))
	if err != nil {
		return url.Values{}
	}
	return form
}

// peek reads the function that a form asks for, and gives the request back as it was.
func peek(r *http.Request) (function string, again *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, fault.MaxBody))
	if err != nil {
		body = nil // the gate finds it cut
	}
	form, err := url.ParseQuery(string(body))
	if err == nil {
		function = form.Get("wsfunction")
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return function, r
}

// digits reports whether text is a number's digits and nothing else.
func digits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == "" && len(text) < 19
}

// orNull writes "" as null.
func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The writer is the gate's buffer and every body plain data: neither can fail.
	_ = json.NewEncoder(w).Encode(body)
}

// controls serves /__sim/: what fault.Controls lists, and
//
//	POST /__sim/reset
//	POST /__sim/learners, /__sim/courses, /__sim/enrollments   one of them, as in Go
//	POST /__sim/tokens/revoke
func (l *LMS) controls() http.Handler {
	mux := http.NewServeMux()
	fault.Controls(l.Gate, mux, l.endpoints)
	done := func(do func()) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			do()
			fault.WriteControl(w, map[string]bool{"done": true})
		}
	}
	mux.HandleFunc("POST /__sim/reset", done(l.Reset))
	mux.HandleFunc("POST /__sim/tokens/revoke", done(l.RevokeTokens))
	mux.HandleFunc("POST /__sim/learners", fault.Control(func(_ *http.Request, in Learner) (any, error) {
		l.AddLearner(in)
		return in, nil
	}))
	mux.HandleFunc("POST /__sim/courses", fault.Control(func(_ *http.Request, in Course) (any, error) {
		l.AddCourse(in)
		return in, nil
	}))
	mux.HandleFunc("POST /__sim/enrollments", fault.Control(func(_ *http.Request, in Enrollment) (any, error) {
		l.AddEnrollment(in)
		return in, nil
	}))
	return fault.Loopback(mux)
}
