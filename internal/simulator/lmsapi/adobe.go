package lmsapi

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"countersign/internal/simulator/fault"
)

// Adobe's endpoints.
const (
	EndpointAdobeUsers       fault.Endpoint = "users"            // GET /primeapi/v2/users
	EndpointAdobeUser        fault.Endpoint = "user"             // GET /primeapi/v2/users/{id}
	EndpointAdobeEnrollments fault.Endpoint = "user_enrollments" // GET /primeapi/v2/users/{id}/enrollments
	EndpointAdobeEnrollment  fault.Endpoint = "enrollment"       // GET /primeapi/v2/enrollments/{id}
	EndpointAdobeObjects     fault.Endpoint = "learning_objects" // GET /primeapi/v2/learningObjects
	EndpointAdobeObject      fault.Endpoint = "learning_object"  // GET /primeapi/v2/learningObjects/{id}
)

const adobeMedia = "application/vnd.api+json"

// AdobeCourse and AdobeEnrollment are the ids that Adobe gives a course, and a learner's enrollment in its only instance.
func AdobeCourse(courseID string) string { return "course:" + courseID }

// AdobeEnrollment is the id of an enrollment: instance and user.
func AdobeEnrollment(courseID, learnerID string) string {
	return AdobeCourse(courseID) + "_" + courseID + "_" + learnerID
}

// adobe speaks JSON:API as the vendor's manual and reference site have it: the media type or 406, "Authorization:
// oauth …", ids as texts, attributes, relationships and what was asked to be included,
// links.next while there is more, a score in points with its maximum in the grade.
func adobe(*LMS) dialect {
	d := dialect{
		credentials: map[string]string{"client_id": "countersign", "client_secret": "s3cret-adobe-api", "refresh_token": "s3cret-adobe-refresh"},
		fail: func(w http.ResponseWriter, status int) {
			adobeWrite(w, status, map[string]any{"status": strconv.Itoa(status), "title": http.StatusText(status), "source": map[string]any{}})
		},
	}
	d.routes = func(l *LMS) {
		l.open("POST /oauth/token/refresh", EndpointToken, func(w http.ResponseWriter, _ *http.Request, x *fault.Exchange) {
			form := formOf(x)
			for key, want := range d.credentials {
				if form.Get(key) != want {
					writeJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
					return
				}
			}
			token, seconds := l.issue()
			writeJSON(w, http.StatusOK, map[string]any{"access_token": token, "refresh_token": d.credentials["refresh_token"], "expires_in": seconds, "user_role": "admin"})
		})
		get := func(path string, endpoint fault.Endpoint, next handler) {
			l.handle("GET /primeapi/v2/"+path, endpoint, l.adobeToken, func(w http.ResponseWriter, r *http.Request, x *fault.Exchange) {
				if r.Header.Get("Accept") != adobeMedia {
					l.dialect.fail(w, http.StatusNotAcceptable)
					return
				}
				next(w, r, x)
			})
		}
		get("users", EndpointAdobeUsers, func(w http.ResponseWriter, r *http.Request, _ *fault.Exchange) {
			adobePage(w, r, l.allLearners(), adobeUser)
		})
		get("users/{id}", EndpointAdobeUser, func(w http.ResponseWriter, r *http.Request, _ *fault.Exchange) {
			u, ok := l.learner(func(u Learner) bool { return u.ID == r.PathValue("id") })
			l.adobeOne(w, ok, adobeUser(u), nil)
		})
		get("users/{id}/enrollments", EndpointAdobeEnrollments, func(w http.ResponseWriter, r *http.Request, _ *fault.Exchange) {
			adobePage(w, r, l.matching(func(e Enrollment) bool { return e.LearnerID == r.PathValue("id") }), adobeEnrollment)
		})
		get("enrollments/{id}", EndpointAdobeEnrollment, l.adobeEnrollmentByID)
		get("learningObjects", EndpointAdobeObjects, func(w http.ResponseWriter, r *http.Request, _ *fault.Exchange) {
			adobePage(w, r, l.allCourses(), adobeObject)
		})
		get("learningObjects/{id}", EndpointAdobeObject, func(w http.ResponseWriter, r *http.Request, _ *fault.Exchange) {
			c, ok := l.course(func(c Course) bool { return AdobeCourse(c.ID) == r.PathValue("id") })
			l.adobeOne(w, ok, adobeObject(c), nil)
		})
	}
	return d
}

func (l *LMS) adobeToken(r *http.Request) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "oauth ")
	return ok && l.living(token)
}

func (l *LMS) adobeEnrollmentByID(w http.ResponseWriter, r *http.Request, _ *fault.Exchange) {
	found := l.matching(func(e Enrollment) bool { return AdobeEnrollment(e.CourseID, e.LearnerID) == r.PathValue("id") })
	if len(found) == 0 {
		l.adobeOne(w, false, nil, nil)
		return
	}
	e := found[len(found)-1]
	asked := strings.Split(r.URL.Query().Get("include"), ",")
	included := []any{}
	if u, ok := l.learner(func(u Learner) bool { return u.ID == e.LearnerID }); ok && slices.Contains(asked, "learner") {
		included = append(included, adobeUser(u))
	}
	if c, ok := l.course(func(c Course) bool { return c.ID == e.CourseID }); ok && slices.Contains(asked, "learningObject") {
		included = append(included, adobeObject(c))
	}
	if slices.Contains(asked, "loResourceGrades") {
		included = append(included, map[string]any{"id": AdobeEnrollment(e.CourseID, e.LearnerID) + "_1", "type": "learningObjectResourceGrade",
			"attributes": map[string]any{"score": raw(e.Score), "highestScore": raw(e.Score), "maxScore": raw(e.Max), "hasPassed": e.Passed}})
	}
	l.adobeOne(w, true, adobeEnrollment(e), included)
}

func adobeUser(u Learner) map[string]any {
	return map[string]any{"id": u.ID, "type": "user", "attributes": map[string]any{
		"email": u.Email, "name": strings.TrimSpace(u.FirstName + " " + u.LastName), "userUniqueId": u.ExternalID, "state": "ACTIVE", "userType": "Internal",
	}}
}

func adobeObject(c Course) map[string]any {
	return map[string]any{"id": AdobeCourse(c.ID), "type": "learningObject", "attributes": map[string]any{
		"loType": "course", "uniqueId": c.Code, "state": "Published",
		"localizedMetadata": []any{map[string]any{"locale": "de-DE", "name": "Kurs " + c.ID}, map[string]any{"locale": "en-US", "name": c.Title}},
	}}
}

func adobeEnrollment(e Enrollment) map[string]any {
	attributes := map[string]any{"state": "ENROLLED", "progressPercent": 40, "score": 0, "enrollmentSource": "SELF_ENROLL"}
	if !e.CompletedAt.IsZero() {
		attributes["state"], attributes["progressPercent"] = "COMPLETED", 100
		attributes["dateCompleted"] = e.CompletedAt.UTC().Format("2006-01-02T15:04:05.000Z")
	}
	if e.Passed != nil {
		attributes["hasPassed"] = *e.Passed
	}
	if e.Score != "" {
		attributes["score"] = json.RawMessage(e.Score)
	}
	to := func(kind, id string) any { return map[string]any{"data": map[string]any{"id": id, "type": kind}} }
	return map[string]any{"id": AdobeEnrollment(e.CourseID, e.LearnerID), "type": "learningObjectInstanceEnrollment", "attributes": attributes,
		"relationships": map[string]any{
			"learner": to("user", e.LearnerID), "learningObject": to("learningObject", AdobeCourse(e.CourseID)),
			"loInstance": to("learningObjectInstance", AdobeCourse(e.CourseID)+"_"+e.CourseID),
		}}
}

func (l *LMS) adobeOne(w http.ResponseWriter, ok bool, data map[string]any, included []any) {
	if !ok {
		l.dialect.fail(w, http.StatusNotFound)
		return
	}
	body := map[string]any{"data": data}
	if len(included) > 0 {
		body["included"] = included
	}
	adobeWrite(w, http.StatusOK, body)
}

// adobePage answers page[limit], at most 10, and page[offset].
func adobePage[T any](w http.ResponseWriter, r *http.Request, items []T, write func(T) map[string]any) {
	query := r.URL.Query()
	limit := min(max(number(query.Get("page[limit]"), 10), 1), 10)
	offset := min(max(number(query.Get("page[offset]"), 0), 0), len(items))
	end := min(offset+limit, len(items))
	data := []any{}
	for _, item := range items[offset:end] {
		data = append(data, write(item))
	}
	links := map[string]string{"self": r.URL.String()}
	if end < len(items) {
		query.Set("page[offset]", strconv.Itoa(end))
		next := url.URL{Scheme: "http", Host: r.Host, Path: r.URL.Path, RawQuery: query.Encode()}
		links["next"] = next.String()
	}
	adobeWrite(w, http.StatusOK, map[string]any{"data": data, "links": links})
}

func adobeWrite(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", adobeMedia)
	w.WriteHeader(status)
	// The writer is the gate's buffer and every body plain data: neither can fail.
	_ = json.NewEncoder(w).Encode(body)
}
