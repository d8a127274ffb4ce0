package lmsapi

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"countersign/internal/simulator/fault"
)

// TalentLMS's endpoints, version 1.
const (
	EndpointTalentSite    fault.Endpoint = "siteinfo" // GET /api/v1/siteinfo
	EndpointTalentUser    fault.Endpoint = "user"     // GET /api/v1/users/id:{id}
	EndpointTalentCourses fault.Endpoint = "courses"  // GET /api/v1/courses
	EndpointTalentCourse  fault.Endpoint = "course"   // GET /api/v1/courses/id:{id}
	EndpointTalentStatus  fault.Endpoint = "status"   // GET /api/v1/getuserstatusincourse/course_id:{id},user_id:{id}
)

// talentlms speaks as public clients of version 1 have seen it: parameters in the path, numbers as texts, "" for none, a
// course with all of its users, Basic with the key alone, errors under error. A missing thing is answered with 404 here; some
// clients look for its error whatever the status is.
func talentlms(*LMS) dialect {
	d := dialect{
		credentials: map[string]string{"api_key": "s3cret-talentlms-api"},
		fail:        func(w http.ResponseWriter, status int) { talentError(w, status, http.StatusText(status)) },
	}
	allowed := func(r *http.Request) bool {
		key, password, ok := r.BasicAuth()
		return ok && key == d.credentials["api_key"] && password == ""
	}
	d.routes = func(l *LMS) {
		l.handle("GET /api/v1/siteinfo", EndpointTalentSite, allowed, func(w http.ResponseWriter, _ *http.Request, _ *fault.Exchange) {
			writeJSON(w, http.StatusOK, map[string]any{"total_courses": strconv.Itoa(len(l.allCourses())), "date_format": "DDMMYYYY"})
		})
		l.handle("GET /api/v1/users/{parameters}", EndpointTalentUser, allowed, l.talentUser)
		l.handle("GET /api/v1/courses", EndpointTalentCourses, allowed, func(w http.ResponseWriter, _ *http.Request, _ *fault.Exchange) {
			out := []any{}
			for _, c := range l.allCourses() {
				out = append(out, map[string]any{"id": c.ID, "name": c.Title, "code": c.Code, "category_id": "11", "status": "active"})
			}
			writeJSON(w, http.StatusOK, out)
		})
		l.handle("GET /api/v1/courses/{parameters}", EndpointTalentCourse, allowed, l.talentCourse)
		l.handle("GET /api/v1/getuserstatusincourse/{parameters}", EndpointTalentStatus, allowed, l.talentStatus)
	}
	return d
}

func talentError(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, map[string]any{"error": map[string]string{"type": "invalid_request_error", "message": message}})
}

// talentParameters reads "course_id:3,user_id:7".
func talentParameters(r *http.Request) map[string]string {
	out := map[string]string{}
	for pair := range strings.SplitSeq(r.PathValue("parameters"), ",") {
		key, value, _ := strings.Cut(pair, ":")
		out[key] = value
	}
	return out
}

func (l *LMS) talentUser(w http.ResponseWriter, r *http.Request, _ *fault.Exchange) {
	u, ok := l.learner(func(u Learner) bool { return u.ID == talentParameters(r)["id"] })
	if !ok {
		talentError(w, http.StatusNotFound, "The requested user does not exist")
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"id": u.ID, "login": u.Username, "first_name": u.FirstName, "last_name": u.LastName, "email": u.Email, "status": "active",
		"custom_field_1": "Company LLC", "custom_field_4": u.ExternalID, "created_on": "22/08/2020, 11:20:31", "courses": []any{},
	})
}

func (l *LMS) talentCourse(w http.ResponseWriter, r *http.Request, _ *fault.Exchange) {
	c, ok := l.course(func(c Course) bool { return c.ID == talentParameters(r)["id"] })
	if !ok {
		talentError(w, http.StatusNotFound, "The requested course does not exist")
		return
	}
	enrolled := []any{}
	for _, e := range l.matching(func(e Enrollment) bool { return e.CourseID == c.ID }) {
		u, _ := l.learner(func(u Learner) bool { return u.ID == e.LearnerID })
		row := talentDates(e)
		row["id"], row["name"], row["role"] = u.ID, strings.TrimSpace(u.FirstName+" "+u.LastName), "learner"
		enrolled = append(enrolled, row)
	}
	writeJSON(w, http.StatusOK, map[string]any{"id": c.ID, "name": c.Title, "code": c.Code, "category_id": "11", "users": enrolled, "units": []any{}})
}

func (l *LMS) talentStatus(w http.ResponseWriter, r *http.Request, _ *fault.Exchange) {
	p := talentParameters(r)
	found := l.matching(func(e Enrollment) bool { return e.CourseID == p["course_id"] && e.LearnerID == p["user_id"] })
	if len(found) == 0 {
		talentError(w, http.StatusNotFound, "The requested user is not enrolled in this course")
		return
	}
	e := found[len(found)-1]
	row := talentDates(e)
	row["role"] = "learner"
	row["units"] = []any{
		map[string]any{"id": "3163", "name": "Introduction", "type": "SCORM | xAPI | cmi5", "completion_status": "Completed", "score": ""},
		map[string]any{"id": "3164", "name": "Test", "type": "Test", "completion_status": "Completed", "score": e.Score},
	}
	writeJSON(w, http.StatusOK, row)
}

// talentDates: the date is the portal's local time in its own order of day and month, the timestamp is UTC.
func talentDates(e Enrollment) map[string]any {
	if e.CompletedAt.IsZero() {
		return map[string]any{"completion_status": "In progress", "completion_percentage": "40", "completed_on": "", "completed_on_timestamp": json.RawMessage("null")}
	}
	word := "Completed"
	if e.Passed != nil && !*e.Passed {
		word = "Failed"
	}
	return map[string]any{
		"completion_status": word, "completion_percentage": "100",
		"completed_on": e.CompletedAt.Format("02/01/2006, 15:04:05"), "completed_on_timestamp": strconv.FormatInt(e.CompletedAt.Unix(), 10),
	}
}
