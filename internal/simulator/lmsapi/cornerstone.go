package lmsapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"countersign/internal/simulator/fault"
)

// Cornerstone's endpoints: views of the Reporting API.
const (
	EndpointCornerstoneTranscript fault.Endpoint = "vw_rpt_transcript"
	EndpointCornerstoneUser       fault.Endpoint = "vw_rpt_user"
	EndpointCornerstoneTraining   fault.Endpoint = "vw_rpt_training"
)

// cornerstonePage is a tenth of the vendor's 1,000 rows, so that a small portal has several pages.
const cornerstonePage = 100

// CornerstoneGUID is the training id of a course: Cornerstone's are GUIDs.
func CornerstoneGUID(courseID string) string {
	return fmt.Sprintf("00000000-0000-4000-8000-%012s", courseID)
}

// cornerstone speaks OData as public clients of the Reporting API have seen it: rows under value, @odata.nextLink while there
// are more, 400 for a field that a view does not have, errors under error.
func cornerstone(*LMS) dialect {
	d := dialect{
		credentials: map[string]string{"client_id": "countersign", "client_secret": "s3cret-cornerstone-api"},
		fail: func(w http.ResponseWriter, status int) {
			writeJSON(w, status, map[string]any{"error": map[string]string{"code": strconv.Itoa(status), "message": http.StatusText(status)}})
		},
	}
	d.routes = func(l *LMS) {
		l.open("POST /services/api/oauth2/token", EndpointToken, func(w http.ResponseWriter, _ *http.Request, x *fault.Exchange) {
			var in struct{ ClientID, ClientSecret, GrantType, Scope string }
			err := json.Unmarshal(x.Body, &in)
			if err != nil || in.GrantType != "client_credentials" || in.ClientID != d.credentials["client_id"] || in.ClientSecret != d.credentials["client_secret"] {
				d.fail(w, http.StatusUnauthorized)
				return
			}
			token, seconds := l.issue()
			writeJSON(w, http.StatusOK, map[string]any{"access_token": token, "expires_in": seconds, "scope": in.Scope, "token_type": "Bearer"})
		})
		view := func(name fault.Endpoint, rows func() []map[string]any) {
			l.handle("GET /services/api/x/odata/api/views/"+string(name), name, l.bearer, func(w http.ResponseWriter, r *http.Request, _ *fault.Exchange) {
				l.cornerstoneView(w, r, rows())
			})
		}
		view(EndpointCornerstoneTranscript, l.cornerstoneTranscript)
		view(EndpointCornerstoneUser, l.cornerstoneUsers)
		view(EndpointCornerstoneTraining, l.cornerstoneTrainings)
	}
	return d
}

func (l *LMS) cornerstoneTranscript() []map[string]any {
	out := []map[string]any{}
	for _, e := range l.matching(func(Enrollment) bool { return true }) {
		row := map[string]any{
			"transc_user_id": raw(e.LearnerID), "transc_object_id": CornerstoneGUID(e.CourseID), "reg_num": 1,
			"user_lo_comp_dt": nil, "user_lo_score": raw(e.Score), "user_lo_pass": e.Passed, "is_removed": false, "is_archive": 0,
		}
		if !e.CompletedAt.IsZero() {
			row["user_lo_comp_dt"] = e.CompletedAt.UTC().Format("2006-01-02T15:04:05.000Z")
		}
		out = append(out, row)
	}
	return out
}

func (l *LMS) cornerstoneUsers() []map[string]any {
	out := []map[string]any{}
	for _, u := range l.allLearners() {
		out = append(out, map[string]any{
			"user_id": raw(u.ID), "user_ref": u.ExternalID, "user_login": u.Username, "user_email": u.Email,
			"user_name_first": u.FirstName, "user_name_last": u.LastName,
		})
	}
	return out
}

func (l *LMS) cornerstoneTrainings() []map[string]any {
	out := []map[string]any{}
	for _, c := range l.allCourses() {
		out = append(out, map[string]any{"object_id": CornerstoneGUID(c.ID), "lo_title": c.Title, "lo_ref": c.Code})
	}
	return out
}

// cornerstoneView answers $filter, $top and $skip over the rows.
func (l *LMS) cornerstoneView(w http.ResponseWriter, r *http.Request, rows []map[string]any) {
	query := r.URL.Query()
	found := []map[string]any{}
	for _, row := range rows {
		holds, err := odata(query.Get("$filter"), row)
		if err != nil {
			l.dialect.fail(w, http.StatusBadRequest)
			return
		}
		if holds {
			found = append(found, row)
		}
	}
	skip := max(number(query.Get("$skip"), 0), 0)
	size := cornerstonePage
	if query.Has("$top") {
		size = min(max(number(query.Get("$top"), size), 0), size)
	}
	found = found[min(skip, len(found)):]
	value := []map[string]any{}
	for _, row := range found[:min(size, len(found))] {
		selected, ok := cornerstoneSelect(row, query.Get("$select"))
		if !ok {
			l.dialect.fail(w, http.StatusBadRequest)
			return
		}
		value = append(value, selected)
	}
	answer := map[string]any{"@odata.context": "$metadata", "value": value}
	if len(found) > size && !query.Has("$top") {
		query.Set("$skip", strconv.Itoa(skip+size))
		next := url.URL{Scheme: "http", Host: r.Host, Path: r.URL.Path, RawQuery: query.Encode()}
		answer["@odata.nextLink"] = next.String()
	}
	writeJSON(w, http.StatusOK, answer)
}

// cornerstoneSelect is the row with the fields that are asked for; ok is false for one that the view does not have.
func cornerstoneSelect(row map[string]any, fields string) (selected map[string]any, ok bool) {
	if fields == "" {
		return row, true
	}
	selected = map[string]any{}
	for field := range strings.SplitSeq(fields, ",") {
		if selected[field], ok = row[field]; !ok {
			return nil, false
		}
	}
	return selected, true
}

// condition is what is understood of a filter: a field, a comparison, and a number, a GUID or an instant.
var condition = regexp.MustCompile(`^(\w+) (eq|ge|lt) (?:cast\('([^']+)', Edm\.DateTimeOffset\)|([0-9A-Za-z-]+))$`)

// odata reports whether the row is one that the filter holds. Its error is a filter that is not understood, or about a
// field that the view does not have.
func odata(filter string, row map[string]any) (bool, error) {
	if filter == "" {
		return true, nil
	}
	holds := true
	for term := range strings.SplitSeq(filter, " and ") {
		m := condition.FindStringSubmatch(term)
		if m == nil {
			return false, fmt.Errorf("not understood")
		}
		value, ok := row[m[1]]
		if !ok {
			return false, fmt.Errorf("no field %s", m[1])
		}
		have := fmt.Sprint(value)
		if text, isRaw := value.(json.RawMessage); isRaw {
			have = string(text)
		}
		switch {
		case m[3] == "":
			holds = holds && m[2] == "eq" && strings.EqualFold(have, m[4])
		default:
			limit, err := time.Parse(time.RFC3339, m[3])
			if err != nil {
				return false, err
			}
			at, err := time.Parse(time.RFC3339, have)
			holds = holds && err == nil && (m[2] == "ge") == !at.Before(limit)
		}
	}
	return holds, nil
}
