package lmsapi

import (
	"html"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"countersign/internal/simulator/fault"
)

// Moodle's endpoints are its functions; one that it does not have is EndpointMoodleOther.
const (
	EndpointMoodleUsers   fault.Endpoint = "core_user_get_users_by_field"
	EndpointMoodleCourses fault.Endpoint = "core_course_get_courses_by_field"
	EndpointMoodleStatus  fault.Endpoint = "core_completion_get_course_completion_status"
	EndpointMoodleGrades  fault.Endpoint = "gradereport_user_get_grade_items"
	EndpointMoodleEnrol   fault.Endpoint = "core_enrol_get_enrolled_users"
	EndpointMoodleOther   fault.Endpoint = "other_function"
)

// moodle speaks as Moodle 4.5 does: one address, errors as 200 with an exception, names escaped as HTML, and members
// left out where they are empty.
func moodle(l *LMS) dialect {
	d := dialect{
		credentials: map[string]string{"token": "s3cret-moodle-token"},
		fail: func(w http.ResponseWriter, status int) {
			http.Error(w, "<html><body>"+http.StatusText(status)+"</body></html>", status) // from the web server before it
		},
	}
	functions := map[fault.Endpoint]func(http.ResponseWriter, url.Values){
		EndpointMoodleUsers: l.moodleUsers, EndpointMoodleCourses: l.moodleCourses, EndpointMoodleStatus: l.moodleStatus,
		EndpointMoodleGrades: l.moodleGrades, EndpointMoodleEnrol: l.moodleEnrolled,
		EndpointMoodleOther: func(w http.ResponseWriter, _ url.Values) { moodleException(w, "accessexception") },
	}
	d.routes = func(l *LMS) {
		gated := map[fault.Endpoint]http.Handler{}
		for _, endpoint := range slices.Sorted(maps.Keys(functions)) {
			l.endpoints = append(l.endpoints, endpoint)
			gated[endpoint] = fault.Wrap(l.Gate, endpoint, nil, func(w http.ResponseWriter, _ *http.Request, x *fault.Exchange) {
				form := formOf(x)
				switch {
				case form.Get("wstoken") != d.credentials["token"]:
					moodleException(w, "invalidtoken")
				case form.Get("moodlewsrestformat") != "json":
					http.Error(w, `<?xml version="1.0"?><RESPONSE/>`, http.StatusOK)
				default:
					functions[endpoint](w, form)
				}
			})
		}
		l.mux.HandleFunc("POST /webservice/rest/server.php", func(w http.ResponseWriter, r *http.Request) {
			function, again := peek(r)
			next, ok := gated[fault.Endpoint(function)]
			if !ok {
				next = gated[EndpointMoodleOther]
			}
			next.ServeHTTP(w, again)
		})
	}
	return d
}

func moodleException(w http.ResponseWriter, code string) {
	writeJSON(w, http.StatusOK, map[string]string{"exception": `core\exception\moodle_exception`, "errorcode": code, "message": "Refused: " + code})
}

// moodleUser is a person as both functions show them.
func moodleUser(u Learner) map[string]any {
	out := map[string]any{"id": raw(u.ID), "username": u.Username, "firstname": html.EscapeString(u.FirstName),
		"lastname": html.EscapeString(u.LastName), "fullname": html.EscapeString(u.FirstName + " " + u.LastName)}
	if u.Email != "" {
		out["email"] = u.Email
	}
	if u.ExternalID != "" {
		out["idnumber"] = u.ExternalID
	}
	return out
}

func (l *LMS) moodleUsers(w http.ResponseWriter, form url.Values) {
	field, value := form.Get("field"), form.Get("values[0]")
	if field == "id" && !digits(value) {
		moodleException(w, "invalidparameter")
		return
	}
	out := []map[string]any{}
	if u, ok := l.learner(func(u Learner) bool {
		return map[string]string{"id": u.ID, "username": u.Username, "email": u.Email, "idnumber": u.ExternalID}[field] == value
	}); ok {
		out = append(out, moodleUser(u))
	}
	writeJSON(w, http.StatusOK, out)
}

func (l *LMS) moodleCourses(w http.ResponseWriter, form url.Values) {
	field, value := form.Get("field"), form.Get("value")
	if field == "id" && !digits(value) {
		moodleException(w, "invalidparameter")
		return
	}
	out := []map[string]any{}
	if field == "" { // the site itself is course 1, and has no completion
		out = append(out, map[string]any{"id": 1, "fullname": "Site", "shortname": "site", "idnumber": "", "enablecompletion": 0})
	}
	for _, c := range l.allCourses() {
		if field == "" || c.ID == value {
			out = append(out, map[string]any{"id": raw(c.ID), "fullname": html.EscapeString(c.Title), "shortname": html.EscapeString(c.Code + " short"),
				"idnumber": html.EscapeString(c.Code), "enablecompletion": 1})
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"courses": out, "warnings": []string{}})
}

// moodleEnrollment finds a learner's enrollment, or answers as Moodle does without one.
func (l *LMS) moodleEnrollment(w http.ResponseWriter, form url.Values) (Enrollment, bool) {
	courseID, userID := form.Get("courseid"), form.Get("userid")
	if !digits(courseID) || !digits(userID) {
		moodleException(w, "invalidparameter")
		return Enrollment{}, false
	}
	if _, ok := l.course(func(c Course) bool { return c.ID == courseID }); !ok {
		moodleException(w, "invalidrecord")
		return Enrollment{}, false
	}
	found := l.matching(func(e Enrollment) bool { return e.CourseID == courseID && e.LearnerID == userID })
	if len(found) == 0 {
		moodleException(w, "usernotenroled")
		return Enrollment{}, false
	}
	return found[len(found)-1], true
}

// moodleStatus shows two criteria: the learner's own word, and the grade, of which the later one is the date. There is
// no date of the whole.
func (l *LMS) moodleStatus(w http.ResponseWriter, form url.Values) {
	e, ok := l.moodleEnrollment(w, form)
	if !ok {
		return
	}
	done := !e.CompletedAt.IsZero()
	criterion := func(kind int, title string, at time.Time) map[string]any {
		out := map[string]any{"type": kind, "title": title, "status": "Yes", "complete": done, "timecompleted": nil, "details": map[string]string{}}
		if done {
			out["timecompleted"] = at.Unix()
		}
		return out
	}
	completions := []map[string]any{criterion(1, "Self completion", e.CompletedAt)}
	if e.Passed != nil {
		completions = append(completions, criterion(6, "Course grade", e.CompletedAt.Add(-time.Hour)))
	}
	writeJSON(w, http.StatusOK, map[string]any{"completionstatus": map[string]any{"completed": done, "aggregation": 1, "completions": completions}, "warnings": []string{}})
}

func (l *LMS) moodleGrades(w http.ResponseWriter, form url.Values) {
	e, ok := l.moodleEnrollment(w, form)
	if !ok {
		return
	}
	item := func(kind, score string) map[string]any {
		return map[string]any{"itemtype": kind, "graderaw": raw(score), "grademin": 0, "grademax": raw(e.Max), "scaleid": nil}
	}
	writeJSON(w, http.StatusOK, map[string]any{"usergrades": []map[string]any{{"courseid": raw(e.CourseID), "userid": raw(e.LearnerID),
		"gradeitems": []map[string]any{item("manual", "1"), item("course", e.Score)}}}, "warnings": []string{}})
}

func (l *LMS) moodleEnrolled(w http.ResponseWriter, form url.Values) {
	courseID := form.Get("courseid")
	if _, ok := l.course(func(c Course) bool { return c.ID == courseID }); !ok {
		moodleException(w, "invalidrecord")
		return
	}
	options := map[string]string{}
	for _, i := range []string{"0", "1", "2", "3", "4"} {
		options[form.Get("options["+i+"][name]")] = form.Get("options[" + i + "][value]")
	}
	enrolled := l.matching(func(e Enrollment) bool { return e.CourseID == courseID })
	from := min(number(options["limitfrom"], 0), len(enrolled))
	to := min(from+number(options["limitnumber"], len(enrolled)), len(enrolled))
	out := []map[string]any{}
	for _, e := range enrolled[from:to] {
		if u, ok := l.learner(func(u Learner) bool { return u.ID == e.LearnerID }); ok {
			out = append(out, moodleUser(u))
		}
	}
	writeJSON(w, http.StatusOK, out)
}
