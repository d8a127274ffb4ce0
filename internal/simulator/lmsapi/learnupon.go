package lmsapi

import (
	"net/http"
	"strconv"
	"time"

	"countersign/internal/simulator/fault"
)

// LearnUpon's endpoints.
const (
	EndpointLearnUponSearch     fault.Endpoint = "enrollments_search" // GET /api/v1/enrollments/search
	EndpointLearnUponEnrollment fault.Endpoint = "enrollment"         // GET /api/v1/enrollments/{id}
	EndpointLearnUponCourses    fault.Endpoint = "courses"            // GET /api/v1/courses
	EndpointLearnUponUser       fault.Endpoint = "user"               // GET /api/v1/users/{id}
)

// learnUponPage is a fifth of the vendor's 500 rows, so that a small portal has several pages.
const learnUponPage = 100

// learnupon speaks as the vendor's reference and public clients have it: Basic, pages by number with LU-Has-Next-Page,
// single things in a list of one, seconds in UTC, and the rest of the budget in headers.
func learnupon(*LMS) dialect {
	d := dialect{
		credentials: map[string]string{"username": "s3cret-learnupon-user", "password": "s3cret-learnupon-password"},
		fail: func(w http.ResponseWriter, status int) {
			writeJSON(w, status, map[string]any{"response_type": "ERROR", "response_code": status, "message": http.StatusText(status)})
		},
	}
	allowed := func(r *http.Request) bool {
		user, password, ok := r.BasicAuth()
		return ok && user == d.credentials["username"] && password == d.credentials["password"]
	}
	d.routes = func(l *LMS) {
		l.handle("GET /api/v1/enrollments/search", EndpointLearnUponSearch, allowed, l.learnUponSearch)
		l.handle("GET /api/v1/enrollments/{id}", EndpointLearnUponEnrollment, allowed, func(w http.ResponseWriter, r *http.Request, _ *fault.Exchange) {
			found := l.matching(func(e Enrollment) bool { return e.ID == r.PathValue("id") })
			if len(found) == 0 {
				l.dialect.fail(w, http.StatusNotFound)
				return
			}
			writeJSON(w, http.StatusOK, map[string]any{"enrollment": []any{l.learnUponEnrollment(found[0])}})
		})
		l.handle("GET /api/v1/courses", EndpointLearnUponCourses, allowed, l.learnUponCourses)
		l.handle("GET /api/v1/users/{id}", EndpointLearnUponUser, allowed, func(w http.ResponseWriter, r *http.Request, _ *fault.Exchange) {
			u, ok := l.learner(func(u Learner) bool { return u.ID == r.PathValue("id") })
			if !ok {
				l.dialect.fail(w, http.StatusNotFound)
				return
			}
			writeJSON(w, http.StatusOK, map[string]any{"user": []any{map[string]any{
				"id": raw(u.ID), "first_name": u.FirstName, "last_name": u.LastName, "email": u.Email, "username": orNull(u.Username),
				"enabled": true, "user_type": "learner", "CustomData": map[string]any{"employee_number": u.ExternalID, "shift": 2},
			}}})
		})
	}
	return d
}

// learnUponSearch wants one of the keys: there is no list of all enrollments.
func (l *LMS) learnUponSearch(w http.ResponseWriter, r *http.Request, _ *fault.Exchange) {
	query := r.URL.Query()
	if !query.Has("course_id") && !query.Has("user_id") {
		l.dialect.fail(w, http.StatusBadRequest)
		return
	}
	found := l.matching(func(e Enrollment) bool {
		return (!query.Has("course_id") || e.CourseID == query.Get("course_id")) && (!query.Has("user_id") || e.LearnerID == query.Get("user_id"))
	})
	out := []any{}
	for _, e := range learnUponCut(w, r, found) {
		out = append(out, l.learnUponEnrollment(e))
	}
	writeJSON(w, http.StatusOK, map[string]any{"enrollments": out})
}

func (l *LMS) learnUponCourses(w http.ResponseWriter, r *http.Request, _ *fault.Exchange) {
	query := r.URL.Query()
	found := []Course{}
	for _, c := range l.allCourses() {
		if !query.Has("course_id") || query.Get("course_id") == c.ID {
			found = append(found, c)
		}
	}
	out := []any{}
	for _, c := range learnUponCut(w, r, found) {
		out = append(out, map[string]any{"id": raw(c.ID), "name": c.Title, "reference_code": orNull(c.Code), "version": 1, "source_id": raw(c.ID)})
	}
	writeJSON(w, http.StatusOK, map[string]any{"courses": out})
}

// learnUponCut cuts the page that r asks for, and says in the headers what is documented.
func learnUponCut[T any](w http.ResponseWriter, r *http.Request, items []T) []T {
	current := max(number(r.URL.Query().Get("page"), 1), 1)
	cut, more := page(items, current-1, learnUponPage)
	w.Header().Set("LU-Current-Page", strconv.Itoa(current))
	w.Header().Set("LU-Records-Per-Page", strconv.Itoa(learnUponPage))
	w.Header().Set("LU-Has-Next-Page", strconv.FormatBool(more))
	w.Header().Set("X-LU-Rate-Limit-Remaining-Minute", "280")
	w.Header().Set("X-LU-Rate-Limit-Remaining-Week", "90000")
	return cut
}

func (l *LMS) learnUponEnrollment(e Enrollment) map[string]any {
	u, _ := l.learner(func(u Learner) bool { return u.ID == e.LearnerID })
	c, _ := l.course(func(c Course) bool { return c.ID == e.CourseID })
	instant := func(at *time.Time) any {
		if at == nil || at.IsZero() {
			return nil
		}
		return at.UTC().Format("2006-01-02T15:04:05Z")
	}
	status, progress := "in_progress", 40
	switch {
	case e.CompletedAt.IsZero():
	case e.Passed == nil:
		status, progress = "completed", 100
	case *e.Passed:
		status, progress = "passed", 100
	default:
		status, progress = "failed", 100
	}
	return map[string]any{
		"id": raw(e.ID), "user_id": raw(e.LearnerID), "first_name": u.FirstName, "last_name": u.LastName, "email": u.Email, "username": orNull(u.Username),
		"course_id": raw(e.CourseID), "course_name": c.Title, "course_source_id": raw(e.CourseID), "version": 1,
		"status": status, "percentage": raw(e.Score), "percentage_complete": progress,
		"date_completed": instant(&e.CompletedAt), "cert_expires_at": instant(e.ExpiresAt), "was_recertified": false, "unenrolled": false,
	}
}
