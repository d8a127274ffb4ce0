package fault

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Controls serves the part of /__sim/ that is the same for every simulated system on mux:
//
//	GET    /__sim/faults              what is still scripted
//	POST   /__sim/faults              {"endpoint":"complete","faults":[{"status":503,"times":3}]}
//	DELETE /__sim/faults?endpoint=    clear one endpoint's script, or all
//	POST   /__sim/late                commit what is still late: {"committed":n}
//	PUT    /__sim/clock               {"offset":"36h"}
//	GET    /__sim/calls               raw calls by endpoint
//	GET    /__sim/log?limit=          the API log
func Controls(g *Gate, mux *http.ServeMux, endpoints []Endpoint) {
	mux.HandleFunc("GET /__sim/faults", func(w http.ResponseWriter, _ *http.Request) { WriteControl(w, g.Faults()) })
	mux.HandleFunc("POST /__sim/faults", Control(func(_ *http.Request, in struct {
		Endpoint Endpoint `json:"endpoint"`
		Faults   []Fault  `json:"faults"`
	}) (any, error) {
		if in.Endpoint != Any && !slices.Contains(endpoints, in.Endpoint) {
			return nil, fmt.Errorf("unknown endpoint %q, known are * and %q", in.Endpoint, endpoints)
		}
		for _, f := range in.Faults {
			if err := f.Validate(); err != nil {
				return nil, err
			}
		}
		g.Fault(in.Endpoint, in.Faults...)
		return g.Faults(), nil
	}))
	mux.HandleFunc("DELETE /__sim/faults", func(w http.ResponseWriter, r *http.Request) {
		if e := Endpoint(r.URL.Query().Get("endpoint")); e != "" {
			g.ClearFaults(e)
		} else {
			g.ClearFaults()
		}
		WriteControl(w, g.Faults())
	})
	mux.HandleFunc("POST /__sim/late", func(w http.ResponseWriter, _ *http.Request) {
		WriteControl(w, map[string]int{"committed": g.CommitLate()})
	})
	mux.HandleFunc("PUT /__sim/clock", Control(func(_ *http.Request, in struct {
		Offset string `json:"offset"`
	}) (any, error) {
		d, err := time.ParseDuration(in.Offset)
		if err != nil {
			return nil, err
		}
		g.cfg.Clock.SetOffset(d)
		return map[string]time.Time{"now": g.cfg.Clock.Now()}, nil
	}))
	mux.HandleFunc("GET /__sim/calls", func(w http.ResponseWriter, _ *http.Request) { WriteControl(w, g.AllCalls()) })
	mux.HandleFunc("GET /__sim/log", func(w http.ResponseWriter, r *http.Request) {
		limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
		if err != nil {
			limit = 0
		}
		WriteControl(w, g.Log(limit))
	})
}

// Control makes a handler from a function over a JSON body. An error becomes 400 with its text;
// an empty body leaves in at its zero value.
func Control[T any](do func(r *http.Request, in T) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in T
		decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, MaxBody))
		decoder.DisallowUnknownFields()
		err := decoder.Decode(&in)
		if errors.Is(err, io.EOF) {
			err = nil
		}
		var out any
		if err == nil {
			out, err = do(r, in)
		}
		if err != nil {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			writeBody(w, map[string]string{"error": err.Error()})
			return
		}
		WriteControl(w, out)
	}
}

// WriteControl answers a control with JSON.
func WriteControl(w http.ResponseWriter, out any) {
	w.Header().Set("Content-Type", "application/json")
	writeBody(w, out)
}

func writeBody(w http.ResponseWriter, out any) {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	// The caller is a person with curl; if he has gone there is nobody to tell.
	_ = encoder.Encode(out)
}

// Loopback lets only callers on this machine through, and no page of another site that a
// browser on this machine happens to show.
func Loopback(next http.Handler) http.Handler {
	local := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
			http.Error(w, "the controls answer on loopback only", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
	return http.NewCrossOriginProtection().Handler(local)
}
