package lmsapi

import (
	"fmt"
	"net/http"
	"time"

	"countersign/internal/simulator/fault"
)

// Canvas's endpoints.
const (
	EndpointCanvasProfile     fault.Endpoint = "profile"     // GET /api/v1/users/{id}/profile
	EndpointCanvasCourse      fault.Endpoint = "course"      // GET /api/v1/courses/{id}
	EndpointCanvasEnrollments fault.Endpoint = "enrollments" // GET /api/v1/courses/{id}/enrollments
	EndpointCanvasProgress    fault.Endpoint = "progress"    // GET /api/v1/courses/{id}/users/{user}/progress
	EndpointCanvasBulk        fault.Endpoint = "bulk"        // GET /api/v1/courses/{id}/bulk_user_progress
	EndpointCanvasCourses     fault.Endpoint = "courses"     // GET /api/v1/accounts/{account}/courses
)

// canvas speaks as the vendor documents: ids as numbers, pages by the Link header, and a course without a code (as one
// without modules) refuses to tell of progress.
func canvas(l *LMS) dialect {
	d := dialect{
		credentials: map[string]string{"token": "s3cret-canvas-token"},
		fail: func(w http.ResponseWriter, status int) {
			writeJSON(w, status, map[string]any{"errors": []map[string]string{{"message": http.StatusText(status)}}})
		},
	}
	allowed := func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer "+d.credentials["token"] }
	d.routes = func(l *LMS) {
		l.handle("GET /api/v1/users/{id}/profile", EndpointCanvasProfile, allowed, l.canvasProfile)
		l.handle("GET /api/v1/courses/{id}", EndpointCanvasCourse, allowed, func(w http.ResponseWriter, r *http.Request, _ *fault.Exchange) {
			c, ok := l.course(func(c Course) bool { return c.ID == r.PathValue("id") })
			if !ok {
				l.dialect.fail(w, http.StatusNotFound)
				return
			}
			writeJSON(w, http.StatusOK, canvasCourse(c))
		})
		l.handle("GET /api/v1/courses/{id}/enrollments", EndpointCanvasEnrollments, allowed, l.canvasEnrollments)
		l.handle("GET /api/v1/courses/{id}/users/{user}/progress", EndpointCanvasProgress, allowed, l.canvasProgress)
		l.handle("GET /api/v1/courses/{id}/bulk_user_progress", EndpointCanvasBulk, allowed, l.canvasBulk)
		l.handle("GET /api/v1/accounts/{account}/courses", EndpointCanvasCourses, allowed, func(w http.ResponseWriter, r *http.Request, _ *fault.Exchange) {
			out := []map[string]any{}
			for _, c := range canvasPage(w, r, l.allCourses()) {
				out = append(out, canvasCourse(c))
			}
			writeJSON(w, http.StatusOK, out)
		})
	}
	return d
}

func canvasCourse(c Course) map[string]any {
	return map[string]any{"id": raw(c.ID), "name": c.Title, "course_code": "short " + c.Code, "sis_course_id": orNull(c.Code)}
}

// canvasPage cuts the page that is asked for, and links to the next.
func canvasPage[T any](w http.ResponseWriter, r *http.Request, items []T) []T {
	query := r.URL.Query()
	current, size := max(number(query.Get("page"), 1), 1), min(max(number(query.Get("per_page"), 10), 1), 100)
	cut, more := page(items, current-1, size)
	if more {
		w.Header().Set("Link", fmt.Sprintf(`<http://%s%s?page=%d&per_page=%d>; rel="next"`, r.Host, r.URL.Path, current+1, size))
	}
	return cut
}

func (l *LMS) canvasProfile(w http.ResponseWriter, r *http.Request, _ *fault.Exchange) {
	u, ok := l.learner(func(u Learner) bool { return u.ID == r.PathValue("id") })
	if !ok {
		l.dialect.fail(w, http.StatusNotFound)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"id": raw(u.ID), "name": u.FirstName + " " + u.LastName, "sortable_name": u.LastName + ", " + u.FirstName,
		"primary_email": u.Email, "login_id": u.Username, "sis_user_id": orNull(u.ExternalID)})
}

func (l *LMS) canvasEnrollments(w http.ResponseWriter, r *http.Request, _ *fault.Exchange) {
	if _, ok := l.course(func(c Course) bool { return c.ID == r.PathValue("id") }); !ok {
		l.dialect.fail(w, http.StatusNotFound)
		return
	}
	user := r.URL.Query().Get("user_id")
	out := []map[string]any{}
	for _, e := range l.matching(func(e Enrollment) bool { return e.CourseID == r.PathValue("id") && e.LearnerID == user }) {
		out = append(out, map[string]any{"id": raw(e.ID), "user_id": raw(e.LearnerID), "course_id": raw(e.CourseID), "type": "StudentEnrollment",
			"grades": map[string]any{"final_score": raw(e.Score), "current_score": raw(e.Score), "final_grade": nil}})
	}
	writeJSON(w, http.StatusOK, out)
}

func canvasProgress(e Enrollment) map[string]any {
	out := map[string]any{"requirement_count": 6, "requirement_completed_count": 2, "next_requirement_url": nil, "completed_at": nil}
	if !e.CompletedAt.IsZero() {
		out["requirement_completed_count"], out["completed_at"] = 6, e.CompletedAt.UTC().Format(time.RFC3339)
	}
	return out
}

func (l *LMS) canvasProgress(w http.ResponseWriter, r *http.Request, _ *fault.Exchange) {
	found := l.matching(func(e Enrollment) bool {
		return e.CourseID == r.PathValue("id") && e.LearnerID == r.PathValue("user")
	})
	if len(found) == 0 {
		l.dialect.fail(w, http.StatusNotFound)
		return
	}
	writeJSON(w, http.StatusOK, canvasProgress(found[len(found)-1]))
}

func (l *LMS) canvasBulk(w http.ResponseWriter, r *http.Request, _ *fault.Exchange) {
	c, ok := l.course(func(c Course) bool { return c.ID == r.PathValue("id") })
	if !ok || c.Code == "" {
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": map[string]string{
			"message": "No progress available because this course is not module based (has modules and module completion requirements)"}})
		return
	}
	out := []map[string]any{}
	for _, e := range canvasPage(w, r, l.matching(func(e Enrollment) bool { return e.CourseID == c.ID })) {
		out = append(out, map[string]any{"id": raw(e.LearnerID), "display_name": "-", "progress": canvasProgress(e)})
	}
	writeJSON(w, http.StatusOK, out)
}
