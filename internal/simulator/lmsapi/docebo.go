package lmsapi

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"countersign/internal/simulator/fault"
)

// Docebo's endpoints.
const (
	EndpointDoceboUser        fault.Endpoint = "user"        // GET /manage/v1/user/{id}
	EndpointDoceboUsers       fault.Endpoint = "users"       // GET /manage/v1/user
	EndpointDoceboEnrollment  fault.Endpoint = "enrollment"  // GET /learn/v1/enrollments/{course}/{user}
	EndpointDoceboEnrollments fault.Endpoint = "enrollments" // GET /course/v1/courses/enrollments
)

// doceboDate is Docebo's writing of an instant; it has no zone and means UTC.
const doceboDate = "2006-01-02 15:04:05"

// docebo speaks as reference clients of Docebo's API have seen it: pages until has_more is false, 0000-00-00 for no
// date, errors as {"name","message","code","status"}.
func docebo(l *LMS) dialect {
	d := dialect{
		credentials: map[string]string{"client_id": "countersign", "client_secret": "s3cret-docebo-api"},
		fail: func(w http.ResponseWriter, status int) {
			writeJSON(w, status, map[string]any{"name": http.StatusText(status), "message": http.StatusText(status), "code": 0, "status": status})
		},
	}
	d.routes = func(l *LMS) {
		l.open("POST /oauth2/token", EndpointToken, func(w http.ResponseWriter, _ *http.Request, x *fault.Exchange) {
			form := formOf(x)
			if form.Get("grant_type") != "client_credentials" || form.Get("client_id") != d.credentials["client_id"] || form.Get("client_secret") != d.credentials["client_secret"] {
				writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client", "error_description": "The client credentials are invalid"})
				return
			}
			token, seconds := l.issue()
			writeJSON(w, http.StatusOK, map[string]any{"access_token": token, "expires_in": seconds, "token_type": "Bearer", "scope": "api"})
		})
		l.handle("GET /manage/v1/user/{id}", EndpointDoceboUser, l.bearer, l.doceboUser)
		l.handle("GET /manage/v1/user", EndpointDoceboUsers, l.bearer, func(w http.ResponseWriter, _ *http.Request, _ *fault.Exchange) {
			writeJSON(w, http.StatusOK, map[string]any{"data": map[string]any{"items": []string{}, "has_more_data": false}})
		})
		l.handle("GET /learn/v1/enrollments/{course}/{user}", EndpointDoceboEnrollment, l.bearer, l.doceboEnrollment)
		l.handle("GET /course/v1/courses/enrollments", EndpointDoceboEnrollments, l.bearer, l.doceboEnrollments)
	}
	return d
}

func (l *LMS) doceboUser(w http.ResponseWriter, r *http.Request, _ *fault.Exchange) {
	learner, ok := l.learner(func(learner Learner) bool { return learner.ID == r.PathValue("id") })
	if !ok {
		l.dialect.fail(w, http.StatusNotFound)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"data": map[string]any{
		"user_data": map[string]any{
			"user_id": learner.ID, "username": learner.Username, "email": learner.Email,
			"first_name": learner.FirstName, "last_name": learner.LastName,
		},
		"additional_fields": []map[string]any{{"id": "1", "title": "Employee number", "value": learner.ExternalID}},
	}})
}

func (l *LMS) doceboEnrollment(w http.ResponseWriter, r *http.Request, _ *fault.Exchange) {
	found := l.matching(func(e Enrollment) bool {
		return e.CourseID == r.PathValue("course") && e.LearnerID == r.PathValue("user")
	})
	if len(found) == 0 {
		l.dialect.fail(w, http.StatusNotFound)
		return
	}
	e := found[len(found)-1]
	course, _ := l.course(func(c Course) bool { return c.ID == e.CourseID })
	writeJSON(w, http.StatusOK, map[string]any{"data": map[string]any{"records": map[string]any{
		"id": raw(e.CourseID), "code": course.Code, "name": course.Title, "status": doceboStatus(e),
		"date_complete": doceboInstant(e.CompletedAt), "score_given": raw(e.Score), "score_total": raw(e.Max),
	}}})
}

func (l *LMS) doceboEnrollments(w http.ResponseWriter, r *http.Request, _ *fault.Exchange) {
	query := r.URL.Query()
	found := l.matching(func(e Enrollment) bool {
		users, courses, states := query["user_id[]"], query["course_id[]"], query["enrollment_status[]"]
		return (len(states) == 0 || slices.Contains(states, doceboStatus(e))) && (len(users) == 0 || slices.Contains(users, e.LearnerID)) && (len(courses) == 0 || slices.Contains(courses, e.CourseID))
	})
	size := min(max(number(query.Get("page_size"), 200), 1), 200)
	current := max(number(query.Get("page"), 1), 1)
	items, more := page(found, current-1, size)
	out := []map[string]any{}
	for _, e := range items {
		course, _ := l.course(func(c Course) bool { return c.ID == e.CourseID })
		learner, _ := l.learner(func(u Learner) bool { return u.ID == e.LearnerID })
		out = append(out, map[string]any{
			"user_id": raw(e.LearnerID), "username": learner.Username,
			"course_id": raw(e.CourseID), "course_code": course.Code, "course_name": course.Title,
			"enrollment_level": "student", "enrollment_status": doceboStatus(e), "enrollment_score": raw(e.Score),
			"enrollment_completion_date": doceboInstant(e.CompletedAt),
		})
	}
	writeJSON(w, http.StatusOK, map[string]any{"data": map[string]any{
		"items": out, "count": len(out), "has_more_data": more, "has_more": more, "current_page": current,
		"total_page_count": (len(found) + size - 1) / size, "total_count": len(found),
	}})
}

func doceboStatus(e Enrollment) string {
	if e.CompletedAt.IsZero() {
		return "in_progress"
	}
	return "completed"
}

func doceboInstant(at time.Time) string {
	if at.IsZero() {
		return strings.NewReplacer("2006-01-02", "0000-00-00", "15:04:05", "00:00:00").Replace(doceboDate)
	}
	return at.UTC().Format(doceboDate)
}
