package arena

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"countersign/internal/simulator/fault"
)

// The endpoints, as raw calls are counted and faults are scripted.
const (
	EndpointToken     fault.Endpoint = "token"     // POST /auth/token
	EndpointComplete  fault.Endpoint = "complete"  // POST /training/records/{id}/complete
	EndpointRecord    fault.Endpoint = "record"    // GET  /training/records/{id}
	EndpointRecords   fault.Endpoint = "records"   // GET  /training/records
	EndpointCreate    fault.Endpoint = "create"    // POST /training/records
	EndpointApproval  fault.Endpoint = "approval"  // POST /training/records/{id}/approval
	EndpointHistory   fault.Endpoint = "history"   // GET  /training/records/{id}/history
	EndpointUser      fault.Endpoint = "user"      // GET  /users/{employeeId}
	EndpointUsers     fault.Endpoint = "users"     // GET  /users
	EndpointTrainings fault.Endpoint = "trainings" // GET  /trainings
	EndpointConfig    fault.Endpoint = "config"    // GET  /training/config
	EndpointHealth    fault.Endpoint = "health"    // GET  /health
	EndpointUnknown   fault.Endpoint = "unknown"   // every other path
)

// Endpoints lists all of them.
func Endpoints() []fault.Endpoint {
	return []fault.Endpoint{EndpointToken, EndpointComplete, EndpointRecord, EndpointRecords, EndpointCreate, EndpointApproval,
		EndpointHistory, EndpointUser, EndpointUsers, EndpointTrainings, EndpointConfig, EndpointHealth, EndpointUnknown}
}

// anyTraining as a scope stands for "any training.*".
const anyTraining = "training.*"

func (a *Arena) routes() http.Handler {
	const records = "/api/v1/training/records"
	mux := http.NewServeMux()
	open := func(pattern string, endpoint fault.Endpoint, handler fault.Handler) {
		mux.HandleFunc(pattern, fault.Wrap(a.Gate, endpoint, nil, a.acceptable(handler)))
	}
	guarded := func(pattern string, endpoint fault.Endpoint, handler fault.Handler, scopes ...string) {
		mux.HandleFunc(pattern, fault.Wrap(a.Gate, endpoint, pathKey, a.acceptable(a.scoped(handler, scopes))))
	}
	open("POST /api/v1/auth/token", EndpointToken, a.issueToken)
	open("GET /api/v1/health", EndpointHealth, a.health)
	guarded("POST "+records+"/{id}/complete", EndpointComplete, a.completeRecord, ScopeWrite, ScopeStatus)
	guarded("GET "+records+"/{id}", EndpointRecord, a.getRecord, anyTraining)
	guarded("GET "+records, EndpointRecords, a.listRecords, anyTraining)
	guarded("POST "+records, EndpointCreate, a.createRecord, ScopeWrite)
	guarded("POST "+records+"/{id}/approval", EndpointApproval, a.decideRecord, ScopeApprove)
	guarded("GET "+records+"/{id}/history", EndpointHistory, a.getHistory, anyTraining)
	guarded("GET /api/v1/training/config", EndpointConfig, a.getConfig, anyTraining)
	guarded("GET /api/v1/users/{id}", EndpointUser, a.getUser, ScopeUsers)
	guarded("GET /api/v1/users", EndpointUsers, a.listUsers, ScopeUsers)
	guarded("GET /api/v1/trainings", EndpointTrainings, a.listTrainings, anyTraining)
	mux.HandleFunc("/", fault.Wrap(a.Gate, EndpointUnknown, nil, func(w http.ResponseWriter, _ *http.Request, x *fault.Exchange) {
		errEndpoint.write(w, x, "")
	}))
	mux.Handle("/__sim/", a.controls())
	return mux
}

func pathKey(r *http.Request) string { return r.PathValue("id") }

// acceptable refuses callers who do not accept JSON.
func (a *Arena) acceptable(next fault.Handler) fault.Handler {
	return func(w http.ResponseWriter, r *http.Request, x *fault.Exchange) {
		if !acceptsJSON(r.Header.Values("Accept")) {
			errNotAcceptable.write(w, x, "")
			return
		}
		next(w, r, x)
	}
}

// scoped checks token, scopes and, where there is a body, its media type, in this order.
func (a *Arena) scoped(next fault.Handler, scopes []string) fault.Handler {
	return func(w http.ResponseWriter, r *http.Request, x *fault.Exchange) {
		t, p := a.authenticate(r)
		x.Subject = t.subject
		if p != (problem{}) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			p.write(w, x, "")
			return
		}
		if !allowed(t, scopes) {
			p := errScope
			p.status = a.Switches().ScopeErrorStatus
			p.write(w, x, "")
			return
		}
		if r.Method == http.MethodPost {
			if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
				errMediaType.write(w, x, "")
				return
			}
		}
		next(w, r, x)
	}
}

func allowed(t token, scopes []string) bool {
	if len(scopes) == 1 && scopes[0] == anyTraining {
		for _, scope := range t.scopes {
			if strings.HasPrefix(scope, "training.") {
				return true
			}
		}
		return false
	}
	return t.has(scopes...)
}

// acceptsJSON reads Accept headers as RFC 9110 §12.5.1 does: the most specific range that
// covers application/json decides, and q=0 excludes.
func acceptsJSON(headers []string) bool {
	best, accepted := -1, false
	for part := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		media, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		rank := -1
		switch media {
		case "application/json":
			rank = 2
		case "application/*":
			rank = 1
		case "*/*":
			rank = 0
		}
		if rank > best {
			q, err := strconv.ParseFloat(params["q"], 64)
			best, accepted = rank, params["q"] == "" || (err == nil && q > 0)
		}
	}
	return accepted
}
