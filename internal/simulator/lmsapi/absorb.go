package lmsapi

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"countersign/internal/simulator/fault"
)

// Absorb's endpoints.
const (
	EndpointAbsorbUsers       fault.Endpoint = "users"              // GET /users
	EndpointAbsorbUser        fault.Endpoint = "user"               // GET /users/{id}
	EndpointAbsorbEnrollment  fault.Endpoint = "enrollment"         // GET /users/{id}/enrollments/{course}
	EndpointAbsorbCourses     fault.Endpoint = "courses"            // GET /courses
	EndpointAbsorbEnrollments fault.Endpoint = "course_enrollments" // GET /courses/{id}/enrollments
)

// absorb speaks as reference clients describe API version 2: a key on every call, a token as a JSON string of which only
// the newest lives, and _offset that counts pages.
func absorb(l *LMS) dialect {
	d := dialect{
		credentials: map[string]string{"username": "countersign", "password": "s3cret-absorb-password", "api_key": "s3cret-absorb-key"},
		fail: func(w http.ResponseWriter, status int) {
			writeJSON(w, status, map[string]any{"code": "Error", "message": http.StatusText(status)})
		},
	}
	keyed := func(r *http.Request) bool {
		return r.Header.Get("X-Api-Key") == d.credentials["api_key"] && r.Header.Get("X-Api-Version") == "2"
	}
	d.routes = func(l *LMS) {
		l.open("POST /authenticate", EndpointToken, func(w http.ResponseWriter, r *http.Request, x *fault.Exchange) {
			var in struct{ Username, Password, PrivateKey string }
			if !keyed(r) || json.Unmarshal(x.Body, &in) != nil || in.Username != d.credentials["username"] ||
				in.Password != d.credentials["password"] || in.PrivateKey != d.credentials["api_key"] {
				l.dialect.fail(w, http.StatusUnauthorized)
				return
			}
			l.RevokeTokens()
			token, _ := l.issue()
			writeJSON(w, http.StatusOK, token)
		})
		allowed := func(r *http.Request) bool { return keyed(r) && l.bearer(r) }
		l.handle("GET /users", EndpointAbsorbUsers, allowed, func(w http.ResponseWriter, _ *http.Request, _ *fault.Exchange) {
			writeJSON(w, http.StatusOK, map[string]any{"totalItems": 0, "returnedItems": 0, "users": []string{}})
		})
		l.handle("GET /users/{id}", EndpointAbsorbUser, allowed, l.absorbUser)
		l.handle("GET /users/{id}/enrollments/{course}", EndpointAbsorbEnrollment, allowed, l.absorbEnrollment)
		l.handle("GET /courses", EndpointAbsorbCourses, allowed, func(w http.ResponseWriter, r *http.Request, _ *fault.Exchange) {
			items, _ := absorbPage(r, l.allCourses())
			out := []map[string]any{}
			for _, c := range items {
				out = append(out, map[string]any{"id": c.ID, "name": c.Title, "courseType": "OnlineCourse"})
			}
			writeJSON(w, http.StatusOK, map[string]any{"returnedItems": len(out), "courses": out})
		})
		l.handle("GET /courses/{id}/enrollments", EndpointAbsorbEnrollments, allowed, l.absorbEnrollments)
	}
	return d
}

func absorbPage[T any](r *http.Request, items []T) (cut []T, more bool) {
	query := r.URL.Query()
	return page(items, number(query.Get("_offset"), 0), min(max(number(query.Get("_limit"), 20), 1), 1000))
}

func (l *LMS) absorbUser(w http.ResponseWriter, r *http.Request, _ *fault.Exchange) {
	u, ok := l.learner(func(u Learner) bool { return u.ID == r.PathValue("id") })
	if !ok {
		l.dialect.fail(w, http.StatusNotFound)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"id": u.ID, "username": u.Username, "emailAddress": u.Email, "firstName": u.FirstName,
		"lastName": u.LastName, "employeeNumber": u.ExternalID, "externalId": "ext-" + u.ExternalID, "referenceNumber": nil})
}

// absorbEnrollmentJSON is an enrollment; dates are null where there are none.
func (l *LMS) absorbEnrollmentJSON(e Enrollment) map[string]any {
	c, _ := l.course(func(c Course) bool { return c.ID == e.CourseID })
	status := 3
	switch {
	case e.CompletedAt.IsZero():
		status = 1
	case e.Passed != nil && !*e.Passed:
		status = 5
	}
	out := map[string]any{"id": e.ID, "userId": e.LearnerID, "courseId": e.CourseID, "courseName": c.Title, "status": status,
		"score": raw(e.Score), "dateCompleted": nil, "dateExpires": nil}
	if !e.CompletedAt.IsZero() {
		out["dateCompleted"] = e.CompletedAt.UTC().Format(time.RFC3339)
	}
	if e.ExpiresAt != nil {
		out["dateExpires"] = e.ExpiresAt.UTC().Format(time.RFC3339)
	}
	return out
}

func (l *LMS) absorbEnrollment(w http.ResponseWriter, r *http.Request, _ *fault.Exchange) {
	found := l.matching(func(e Enrollment) bool {
		return e.LearnerID == r.PathValue("id") && e.CourseID == r.PathValue("course")
	})
	if len(found) == 0 {
		l.dialect.fail(w, http.StatusNotFound)
		return
	}
	writeJSON(w, http.StatusOK, l.absorbEnrollmentJSON(found[len(found)-1]))
}

// absorbEnrollments takes the one filter that is needed here: dateEdited ge datetime'…', where an edit is the completion.
func (l *LMS) absorbEnrollments(w http.ResponseWriter, r *http.Request, _ *fault.Exchange) {
	var since time.Time
	if filter := r.URL.Query().Get("_filter"); filter != "" {
		text, ok := strings.CutPrefix(filter, "dateEdited ge datetime'")
		at, err := time.Parse(time.RFC3339, strings.TrimSuffix(text, "'"))
		if !ok || err != nil {
			l.dialect.fail(w, http.StatusBadRequest)
			return
		}
		since = at
	}
	found, more := absorbPage(r, l.matching(func(e Enrollment) bool {
		return e.CourseID == r.PathValue("id") && !e.CompletedAt.Before(since)
	}))
	out := []map[string]any{}
	for _, e := range found {
		out = append(out, l.absorbEnrollmentJSON(e))
	}
	writeJSON(w, http.StatusOK, map[string]any{"returnedItems": len(out), "more": more, "enrollments": out})
}
