package arena

import (
	"net/http"
	"time"

	"countersign/internal/simulator/fault"
	"countersign/internal/training"
)

// Seed is what POST /__sim/seed takes.
type Seed struct {
	Users     []User     `json:"users,omitempty"`
	Trainings []Training `json:"trainings,omitempty"`
	Records   []Record   `json:"records,omitempty"`
	Accounts  []Account  `json:"accounts,omitempty"`
}

// controls serves /__sim/: what fault.Controls lists, and
//
//	POST /__sim/reset
//	POST /__sim/seed                   Seed
//	GET  /__sim/state                  users, trainings, records, switches
//	GET  /__sim/changes?recordId=      effective changes
//	PUT  /__sim/switches               Switches
//	POST /__sim/tokens/expire, /__sim/tokens/revoke
//	PUT  /__sim/tokens/lifetime        {"lifetime":"2m"}
//	POST /__sim/records/{id}/lock      {"locked":true}
//	POST /__sim/records/{id}/status    {"status":"EXPIRED"}
//	POST /__sim/records/{id}/decision  {"decision":"APPROVE","approver":"qa.lead","comment":""}
func (a *Arena) controls() http.Handler {
	mux := http.NewServeMux()
	fault.Controls(a.Gate, mux, Endpoints())
	plain := func(do func()) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			do()
			fault.WriteControl(w, map[string]bool{"done": true})
		}
	}
	mux.HandleFunc("POST /__sim/reset", plain(a.Reset))
	mux.HandleFunc("POST /__sim/tokens/expire", plain(a.ExpireTokens))
	mux.HandleFunc("POST /__sim/tokens/revoke", plain(a.RevokeTokens))
	mux.HandleFunc("PUT /__sim/tokens/lifetime", fault.Control(func(_ *http.Request, in struct {
		Lifetime string `json:"lifetime"`
	}) (any, error) {
		d, err := time.ParseDuration(in.Lifetime)
		if err == nil {
			a.SetTokenLifetime(d)
		}
		return in, err
	}))
	mux.HandleFunc("POST /__sim/seed", fault.Control(func(_ *http.Request, in Seed) (any, error) { return a.seed(in), nil }))
	mux.HandleFunc("GET /__sim/state", func(w http.ResponseWriter, _ *http.Request) {
		fault.WriteControl(w, struct {
			Users     []User     `json:"users"`
			Trainings []Training `json:"trainings"`
			Records   []Record   `json:"records"`
			Switches  Switches   `json:"switches"`
		}{a.Users(), a.Trainings(), a.Records(), a.Switches()})
	})
	mux.HandleFunc("GET /__sim/changes", func(w http.ResponseWriter, r *http.Request) {
		fault.WriteControl(w, a.Changes(r.URL.Query().Get("recordId")))
	})
	mux.HandleFunc("PUT /__sim/switches", fault.Control(func(_ *http.Request, in Switches) (any, error) {
		err := a.SetSwitches(in)
		return a.Switches(), err
	}))
	a.recordControls(mux)
	return fault.Loopback(mux)
}

func (a *Arena) recordControls(mux *http.ServeMux) {
	answer := func(r *http.Request, err error) (any, error) {
		record, _ := a.Record(r.PathValue("id"))
		return record, err
	}
	mux.HandleFunc("POST /__sim/records/{id}/lock", fault.Control(func(r *http.Request, in struct {
		Locked bool `json:"locked"`
	}) (any, error) {
		return answer(r, a.Lock(r.PathValue("id"), in.Locked))
	}))
	mux.HandleFunc("POST /__sim/records/{id}/status", fault.Control(func(r *http.Request, in struct {
		Status training.RecordStatus `json:"status"`
	}) (any, error) {
		return answer(r, a.SetStatus(r.PathValue("id"), in.Status))
	}))
	mux.HandleFunc("POST /__sim/records/{id}/decision", fault.Control(func(r *http.Request, in struct {
		Decision string `json:"decision"`
		Approver string `json:"approver"`
		Comment  string `json:"comment"`
	}) (any, error) {
		return answer(r, a.Decide(r.PathValue("id"), in.Decision, in.Approver, in.Comment))
	}))
}

func (a *Arena) seed(in Seed) Seed {
	for _, account := range in.Accounts {
		a.AddAccount(account)
	}
	for _, u := range in.Users {
		a.AddUser(u)
	}
	for _, t := range in.Trainings {
		a.AddTraining(t)
	}
	out := Seed{}
	for _, r := range in.Records {
		out.Records = append(out.Records, a.AddRecord(r))
	}
	return out
}
