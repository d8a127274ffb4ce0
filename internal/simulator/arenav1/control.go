package arenav1

import (
	"net/http"

	"countersign/internal/simulator/fault"
)

// controls serves /__sim/: what fault.Controls lists, and
//
//	POST /__sim/sign       {"plan":"P…","user":"U…","item":"020-00004"}: the trainee signs; without item, all
//	POST /__sim/enroll     {"plan":"P…","user":"U…"}
//	POST /__sim/remove     {"plan":"P…","user":"U…"}
//	POST /__sim/status     {"plan":"P…","status":"CLOSED"}
//	POST /__sim/revise     {"plan":"P…","item":"020-00004","revision":"B","retrain":true}
//	PUT  /__sim/switches   Switches
//	POST /__sim/sessions/end
//	GET  /__sim/plan?guid= the plan's roster and records
func (w *Workspace) controls() http.Handler {
	mux := http.NewServeMux()
	fault.Controls(w.Gate, mux, Endpoints())
	type order struct {
		Plan     string `json:"plan"`
		User     string `json:"user"`
		Item     string `json:"item"`
		Status   string `json:"status"`
		Revision string `json:"revision"`
		Retrain  bool   `json:"retrain"`
	}
	for name, do := range map[string]func(order) error{
		"sign":   func(o order) error { return w.Sign(o.Plan, o.User, o.Item) },
		"enroll": func(o order) error { return w.Enroll(o.Plan, o.User) },
		"remove": func(o order) error { return w.Remove(o.Plan, o.User) },
		"status": func(o order) error { return w.SetStatus(o.Plan, o.Status) },
		"revise": func(o order) error { return w.Revise(o.Plan, o.Item, o.Revision, o.Retrain) },
	} {
		mux.HandleFunc("POST /__sim/"+name, fault.Control(func(_ *http.Request, in order) (any, error) { return in, do(in) }))
	}
	mux.HandleFunc("PUT /__sim/switches", fault.Control(func(_ *http.Request, in Switches) (any, error) {
		w.SetSwitches(in)
		return in, nil
	}))
	mux.HandleFunc("POST /__sim/sessions/end", fault.Control(func(_ *http.Request, in struct{}) (any, error) {
		w.EndSessions()
		return in, nil
	}))
	mux.HandleFunc("GET /__sim/plan", func(rw http.ResponseWriter, r *http.Request) {
		guid := r.URL.Query().Get("guid")
		fault.WriteControl(rw, struct {
			Roster  []Trainee `json:"roster"`
			Records []Record  `json:"records"`
		}{w.Roster(guid), w.Records(guid)})
	})
	return fault.Loopback(mux)
}
