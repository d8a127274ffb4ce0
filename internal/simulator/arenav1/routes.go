package arenav1

import (
	"mime"
	"net/http"
	"strconv"

	"countersign/internal/simulator/fault"
)

// The endpoints, as raw calls are counted and faults are scripted.
const (
	EndpointLogin   fault.Endpoint = "login"   // POST /login
	EndpointToken   fault.Endpoint = "token"   // POST /oauth2/token
	EndpointPlans   fault.Endpoint = "plans"   // GET  /trainingplans
	EndpointPlan    fault.Endpoint = "plan"    // GET  /trainingplans/{guid}
	EndpointItems   fault.Endpoint = "items"   // GET  /trainingplans/{guid}/items
	EndpointRoster  fault.Endpoint = "roster"  // GET  /trainingplans/{guid}/users
	EndpointEnroll  fault.Endpoint = "enroll"  // POST /trainingplans/{guid}/users
	EndpointRecords fault.Endpoint = "records" // GET  /trainingplans/{guid}/records
	EndpointRecord  fault.Endpoint = "record"  // GET  /trainingplans/{guid}/records/{guid}
	EndpointFiles   fault.Endpoint = "files"   // GET  /trainingplans/{guid}/files
	EndpointUpload  fault.Endpoint = "upload"  // POST /trainingplans/{guid}/files
	EndpointUsers   fault.Endpoint = "users"   // GET  /settings/users
	EndpointUser    fault.Endpoint = "user"    // GET  /settings/users/{guid}
	EndpointUnknown fault.Endpoint = "unknown" // every other path or method: nothing completes a record
)

// Endpoints lists all of them.
func Endpoints() []fault.Endpoint {
	return []fault.Endpoint{EndpointLogin, EndpointToken, EndpointPlans, EndpointPlan, EndpointItems, EndpointRoster, EndpointEnroll,
		EndpointRecords, EndpointRecord, EndpointFiles, EndpointUpload, EndpointUsers, EndpointUser, EndpointUnknown}
}

// call is a request of somebody who is signed in.
type call struct {
	w    http.ResponseWriter
	r    *http.Request
	x    *fault.Exchange
	user User
}

func (w *Workspace) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/login", fault.Wrap(w.Gate, EndpointLogin, nil, w.login))
	mux.HandleFunc("POST /oauth2/token", fault.Wrap(w.Gate, EndpointToken, nil, w.token))
	for pattern, route := range map[string]struct {
		endpoint fault.Endpoint
		handle   func(call)
	}{
		"GET /v1/trainingplans":                         {EndpointPlans, w.searchPlans},
		"GET /v1/trainingplans/{guid}":                  {EndpointPlan, w.getPlan},
		"GET /v1/trainingplans/{guid}/items":            {EndpointItems, w.listItems},
		"GET /v1/trainingplans/{guid}/users":            {EndpointRoster, w.listRoster},
		"POST /v1/trainingplans/{guid}/users":           {EndpointEnroll, w.enroll},
		"GET /v1/trainingplans/{guid}/records":          {EndpointRecords, w.listRecords},
		"GET /v1/trainingplans/{guid}/records/{record}": {EndpointRecord, w.getRecord},
		"GET /v1/trainingplans/{guid}/files":            {EndpointFiles, w.listFiles},
		"POST /v1/trainingplans/{guid}/files":           {EndpointUpload, w.upload},
		"GET /v1/settings/users":                        {EndpointUsers, w.searchUsers},
		"GET /v1/settings/users/{guid}":                 {EndpointUser, w.getUser},
	} {
		mux.HandleFunc(pattern, fault.Wrap(w.Gate, route.endpoint, pathKey, w.signedIn(route.handle)))
	}
	mux.HandleFunc("/", fault.Wrap(w.Gate, EndpointUnknown, nil, func(rw http.ResponseWriter, _ *http.Request, x *fault.Exchange) {
		errEndpoint.write(rw, x)
	}))
	mux.Handle("/__sim/", w.controls())
	return mux
}

func pathKey(r *http.Request) string { return r.PathValue("guid") }

// signedIn checks the session, the budget and the media type, in this order.
func (w *Workspace) signedIn(next func(call)) fault.Handler {
	return func(rw http.ResponseWriter, r *http.Request, x *fault.Exchange) {
		user, ok := w.authenticate(r)
		if !ok {
			errSession.write(rw, x)
			return
		}
		x.Subject = user.Email
		if !w.spend(rw.Header()) {
			errBudget.write(rw, x)
			return
		}
		media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if r.Method == http.MethodPost && (err != nil || media != "application/json" && media != "multipart/form-data") {
			errMediaType.write(rw, x)
			return
		}
		next(call{w: rw, r: r, x: x, user: user})
	}
}

// The bounds of a page.
const (
	defaultLimit = 20
	maxLimit     = 400
)

// writePage answers with the page of all that the request asks for.
func writePage[T any](w *Workspace, c call, all []T) {
	query := c.r.URL.Query()
	offset, limit := number(query.Get("offset"), 0), number(query.Get("limit"), defaultLimit)
	from := min(offset, len(all))
	page := all[from:min(from+min(limit, maxLimit), len(all))]
	count := len(all)
	if w.Switches().PageCounts {
		count = len(page)
	}
	writeJSON(c.w, http.StatusOK, struct {
		Count   int `json:"count"`
		Results []T `json:"results"`
	}{count, append([]T{}, page...)})
}

func number(text string, fallback int) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return fallback
	}
	return n
}
