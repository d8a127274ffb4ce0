package hooksink

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"

	"countersign/internal/simulator/fault"
)

// The endpoints, as raw calls are counted and faults are scripted.
const (
	EndpointSlack   fault.Endpoint = "slack"   // POST /services/
	EndpointTeams   fault.Endpoint = "teams"   // POST /workflows/
	EndpointWebhook fault.Endpoint = "webhook" // POST /hook/
	EndpointUnknown fault.Endpoint = "unknown" // every other path
)

// Endpoints lists all of them.
func Endpoints() []fault.Endpoint {
	return []fault.Endpoint{EndpointSlack, EndpointTeams, EndpointWebhook, EndpointUnknown}
}

func (s *Sink) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /services/", fault.Wrap(s.Gate, EndpointSlack, nil, s.slack))
	mux.HandleFunc("POST /workflows/", fault.Wrap(s.Gate, EndpointTeams, nil, s.teams))
	mux.HandleFunc("POST /hook/", fault.Wrap(s.Gate, EndpointWebhook, nil, s.webhook))
	mux.HandleFunc("/", fault.Wrap(s.Gate, EndpointUnknown, nil, func(w http.ResponseWriter, _ *http.Request, x *fault.Exchange) {
		refuse(w, x, http.StatusNotFound, "not_found")
	}))
	mux.Handle("/__sim/", s.controls())
	return mux
}

func (s *Sink) slack(w http.ResponseWriter, r *http.Request, x *fault.Exchange) {
	if status, word := judgeSlack(r, x); word != "" {
		refuse(w, x, status, word)
		return
	}
	s.effect(r, x, "")
	// Text that calls itself a page: a sender must read the word and not the type.
	w.Header().Set("Content-Type", "text/html")
	write(w, "ok")
}

func (s *Sink) teams(w http.ResponseWriter, r *http.Request, x *fault.Exchange) {
	if len(x.Body) > teamsLimit {
		refuse(w, x, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge")
		return
	}
	// The workflow starts, and fails or not, after the answer.
	s.effect(r, x, judgeTeams(r, x))
	w.WriteHeader(http.StatusAccepted)
}

func (s *Sink) webhook(w http.ResponseWriter, r *http.Request, x *fault.Exchange) {
	if problem := s.judgeWebhook(r, x); problem != "" {
		refuse(w, x, http.StatusUnauthorized, problem)
		return
	}
	s.effect(r, x, "")
	w.WriteHeader(http.StatusNoContent)
}

// effect keeps the message now, never or late, as the exchange's fault says.
func (s *Sink) effect(r *http.Request, x *fault.Exchange, problem string) {
	x.Reason = problem
	fault.Attempt(x, func(commit bool) (struct{}, bool) {
		if commit {
			s.take(r, x, problem)
		}
		return struct{}{}, true
	})
}

// writeScripted says what the endpoint's owner says under a status that was asked for.
func writeScripted(w http.ResponseWriter, x *fault.Exchange, status int) {
	word := http.StatusText(status)
	if x.Endpoint == EndpointSlack {
		switch status {
		case http.StatusBadRequest:
			word = "invalid_payload"
		case http.StatusForbidden:
			word = "action_prohibited"
		case http.StatusNotFound:
			word = "no_service"
		case http.StatusGone:
			word = "channel_is_archived"
		case http.StatusTooManyRequests:
			word = "rate_limited"
		case http.StatusInternalServerError:
			word = "rollup_error"
		}
	}
	if status >= 300 && status < 400 {
		w.Header().Set("Location", "/elsewhere")
	}
	refuse(w, x, status, word)
}

func refuse(w http.ResponseWriter, x *fault.Exchange, status int, word string) {
	x.Reason = word
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	write(w, word)
}

// write writes into the gate's buffer, which cannot fail.
func write(w io.Writer, text string) { _, _ = io.WriteString(w, text) }

func isJSON(r *http.Request) bool {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && media == "application/json"
}

// controls serves /__sim/: what fault.Controls lists, and
//
//	POST /__sim/reset
//	GET  /__sim/messages    what took effect
func (s *Sink) controls() http.Handler {
	mux := http.NewServeMux()
	fault.Controls(s.Gate, mux, Endpoints())
	mux.HandleFunc("POST /__sim/reset", func(w http.ResponseWriter, _ *http.Request) {
		s.Reset()
		fault.WriteControl(w, map[string]bool{"done": true})
	})
	mux.HandleFunc("GET /__sim/messages", func(w http.ResponseWriter, _ *http.Request) {
		type shown struct {
			Endpoint fault.Endpoint `json:"endpoint"`
			Path     string         `json:"path"`
			Problem  string         `json:"problem,omitempty"`
			Again    bool           `json:"again,omitempty"`
			Body     any            `json:"body"`
		}
		out := []shown{}
		for _, m := range s.Messages(fault.Any) {
			line := shown{m.Endpoint, m.Path, m.Problem, m.Again, string(m.Body)}
			if json.Valid(m.Body) {
				line.Body = json.RawMessage(m.Body)
			}
			out = append(out, line)
		}
		fault.WriteControl(w, out)
	})
	return fault.Loopback(mux)
}
