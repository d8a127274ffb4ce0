package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"countersign/internal/simulator/arena"
	"countersign/internal/simulator/lrs"
	"countersign/internal/simulator/mailsink"
	"countersign/internal/simulator/page"
	"countersign/internal/simulator/sender"
)

// simulators are the other side, in this process. Arena and LRS keep their state in files.
type simulators struct {
	arena *arena.Arena
	lrs   *lrs.LRS
	// canvas are the keys with which Canvas signs; they are new after a restart, as they are every month.
	canvas *sender.Keys
	mails  *mailsink.Sink
	server *http.Server
	served chan error
}

// startSimulators serves Arena, LRS and their page on one port, and mail on another.
func startSimulators(d *data, port, smtpPort int) (_ *simulators, err error) {
	s := &simulators{canvas: &sender.Keys{}, served: make(chan error, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.arena, err = arena.Open(d.file("arena.state"), arena.Options{AutoProvision: true}); err != nil {
		return nil, fmt.Errorf("start the simulated Arena: %w", err)
	}
	if s.lrs, err = lrs.Open(d.file("lrs.state"), lrs.Options{}); err != nil {
		return nil, fmt.Errorf("start the simulated LRS: %w", err)
	}
	if s.mails, err = mailsink.Start(mailsink.Options{Addr: local(smtpPort)}); err != nil {
		return nil, fmt.Errorf("start the mail sink: %w", err)
	}
	s.seed(d)

	control, err := page.New(page.Options{QMS: []page.QMS{{Name: "Acme Medical", Sim: s.arena}}, LRS: s.lrs, Mails: s.mails})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", control)
	mux.Handle("/arena/", http.StripPrefix("/arena", s.arena.Handler()))
	mux.Handle("/canvas/jwks", s.canvas)
	mux.Handle("/lrs/", http.StripPrefix("/lrs", s.lrs.Handler()))
	listener, err := net.Listen("tcp", local(port))
	if err != nil {
		return nil, fmt.Errorf("start the simulators: %w", err)
	}
	s.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { s.served <- s.server.Serve(listener) }()
	return s, nil
}

// seed adds accounts, which are not in the state file, and the trainings of the seeded tenant
// that are not there yet.
func (s *simulators) seed(d *data) {
	// One account for what two hold in a real installation: the approval stands for the person
	// in the QMS's own user interface.
	s.arena.AddAccount(arena.Account{ClientID: "svc-countersign", ClientSecret: d.secrets[arenaSecret],
		Scopes: append(arena.BridgeScopes(), arena.ScopeApprove)})
	s.lrs.AddAccount("countersign", d.secrets[lrsPassword])

	present := map[string]bool{}
	for _, t := range s.arena.Trainings() {
		present[t.ID] = true
	}
	for _, t := range []arena.Training{
		{ID: "TP-0042", Name: "Annual Compliance Training 2026", Revision: "C"},
		{ID: "TP-0043", Name: "Data Protection in Practice", Revision: "A"},
		{ID: "TP-0101-SCORED", Name: "Laboratory Safety", Revision: "B", TracksScore: true},
		{ID: "TP-0117-APPROVAL", Name: "Aseptic Technique: Practical", Revision: "D", ApprovalRequired: true},
	} {
		if !present[t.ID] {
			s.arena.AddTraining(t)
		}
	}
}

// close stops what has started. Faults that hang a request end first, or the server would wait
// for them.
func (s *simulators) close() error {
	var errs []error
	if s.arena != nil {
		errs = append(errs, s.arena.Close())
	}
	if s.lrs != nil {
		errs = append(errs, s.lrs.Close())
	}
	if s.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if err := s.server.Shutdown(ctx); err != nil {
			errs = append(errs, s.server.Close())
		}
	}
	if s.mails != nil {
		errs = append(errs, s.mails.Close())
	}
	return errors.Join(errs...)
}

// local is an address on this machine only.
func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
