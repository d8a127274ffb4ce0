package lrs

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"countersign/internal/simulator/fault"
)

// The endpoints, as raw calls are counted and faults are scripted.
const (
	EndpointPost    fault.Endpoint = "post"    // POST /xapi/statements
	EndpointPut     fault.Endpoint = "put"     // PUT  /xapi/statements?statementId=
	EndpointGet     fault.Endpoint = "get"     // GET  /xapi/statements
	EndpointAbout   fault.Endpoint = "about"   // GET  /xapi/about
	EndpointUnknown fault.Endpoint = "unknown" // every other path
)

// Endpoints lists all of them.
func Endpoints() []fault.Endpoint {
	return []fault.Endpoint{EndpointPost, EndpointPut, EndpointGet, EndpointAbout, EndpointUnknown}
}

const (
	versionHeader = "X-Experience-API-Version"
	version       = "1.0.3"
)

// failure is an error answer; the zero value is none.
type failure struct {
	status int
	text   string
}

func refuse(status int, format string, args ...any) failure {
	return failure{status, fmt.Sprintf(format, args...)}
}

func (f failure) none() bool { return f == failure{} }

func (f failure) write(w http.ResponseWriter, x *fault.Exchange) {
	x.Reason = f.text
	writeJSON(w, f.status, map[string]any{"errorId": x.RequestID, "message": f.text})
}

func (l *LRS) routes() http.Handler {
	mux := http.NewServeMux()
	byID := func(r *http.Request) string { return r.URL.Query().Get("statementId") }
	mux.HandleFunc("GET /xapi/about", fault.Wrap(l.Gate, EndpointAbout, nil, func(w http.ResponseWriter, _ *http.Request, _ *fault.Exchange) {
		w.Header().Set(versionHeader, version)
		writeJSON(w, http.StatusOK, map[string][]string{"version": {version, "1.0.2", "1.0.1", "1.0.0"}})
	}))
	mux.HandleFunc("POST /xapi/statements", fault.Wrap(l.Gate, EndpointPost, nil, l.checked(l.postStatements)))
	mux.HandleFunc("PUT /xapi/statements", fault.Wrap(l.Gate, EndpointPut, byID, l.checked(l.putStatement)))
	mux.HandleFunc("GET /xapi/statements", fault.Wrap(l.Gate, EndpointGet, byID, l.checked(l.getStatements)))
	mux.HandleFunc("/", fault.Wrap(l.Gate, EndpointUnknown, nil, func(w http.ResponseWriter, _ *http.Request, x *fault.Exchange) {
		refuse(http.StatusNotFound, "no such resource").write(w, x)
	}))
	mux.Handle("/__sim/", l.controls())
	return mux
}

// checked does what every call except about needs: sender, version header, media type, size.
func (l *LRS) checked(next fault.Handler) fault.Handler {
	return func(w http.ResponseWriter, r *http.Request, x *fault.Exchange) {
		w.Header().Set(versionHeader, version)
		key, ok := l.authenticate(r)
		x.Subject = key
		var problem failure
		switch {
		case !ok:
			w.Header().Set("WWW-Authenticate", `Basic realm="lrs"`)
			problem = refuse(http.StatusUnauthorized, "key or secret refused")
		case !supported(r.Header.Get(versionHeader)):
			problem = refuse(http.StatusBadRequest, "%s must be 1.0 or 1.0.n", versionHeader)
		case x.Cut || len(x.Body) > l.options.MaxBytes:
			problem = refuse(http.StatusRequestEntityTooLarge, "more than %d bytes", l.options.MaxBytes)
		case r.Method != http.MethodGet && !isJSON(r.Header.Get("Content-Type")):
			problem = refuse(http.StatusBadRequest, "Content-Type must be application/json")
		}
		if !problem.none() {
			problem.write(w, x)
			return
		}
		next(w, r, x)
	}
}

// supported accepts 1.0 and every 1.0.n: xAPI 1.0.3 Communication 3.3.
func supported(v string) bool {
	if v == "1.0" {
		return true
	}
	patch, ok := strings.CutPrefix(v, "1.0.")
	return ok && patch != "" && strings.Trim(patch, "0123456789") == ""
}

func isJSON(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(media), "application/json")
}

func writeScriptedError(w http.ResponseWriter, x *fault.Exchange, status int) {
	failure{status, http.StatusText(status)}.write(w, x)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The writer is the gate's buffer and every body plain data: neither can fail.
	_ = json.NewEncoder(w).Encode(body)
}

// controls serves /__sim/: what fault.Controls lists, and
//
//	POST /__sim/reset
//	GET  /__sim/statements             what is stored
//	DELETE /__sim/statements/{id}      loses it, as if it had never been there
//	PUT  /__sim/statements/{id}        another statement in its place, as is
//	PUT  /__sim/compare                {"compare":"spec"|"picky"|"refuse"}
//	POST /__sim/accounts               {"key":"…","secret":"…"}
func (l *LRS) controls() http.Handler {
	mux := http.NewServeMux()
	fault.Controls(l.Gate, mux, Endpoints())
	mux.HandleFunc("POST /__sim/reset", func(w http.ResponseWriter, _ *http.Request) {
		l.Reset()
		fault.WriteControl(w, map[string]bool{"done": true})
	})
	mux.HandleFunc("GET /__sim/statements", func(w http.ResponseWriter, _ *http.Request) {
		out := []json.RawMessage{}
		for _, s := range l.Statements() {
			out = append(out, s.Raw)
		}
		fault.WriteControl(w, out)
	})
	mux.HandleFunc("DELETE /__sim/statements/{id}", func(w http.ResponseWriter, r *http.Request) {
		fault.WriteControl(w, map[string]bool{"lost": l.Lose(r.PathValue("id"))})
	})
	mux.HandleFunc("PUT /__sim/statements/{id}", fault.Control(func(r *http.Request, raw json.RawMessage) (any, error) {
		return map[string]string{"id": r.PathValue("id")}, l.Replace(r.PathValue("id"), raw)
	}))
	mux.HandleFunc("PUT /__sim/compare", fault.Control(func(_ *http.Request, in struct {
		Compare Compare `json:"compare"`
	}) (any, error) {
		return in, l.SetCompare(in.Compare)
	}))
	mux.HandleFunc("POST /__sim/accounts", fault.Control(func(_ *http.Request, in struct {
		Key    string `json:"key"`
		Secret string `json:"secret"`
	}) (any, error) {
		l.AddAccount(in.Key, in.Secret)
		return map[string]string{"key": in.Key}, nil
	}))
	return fault.Loopback(mux)
}
