// Package door serves handlers in this process as the starter serves its ingress: the ingress
// itself over a real journal, or a stub of package stub over a store of its own.
package door

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"countersign/bench/load"
	"countersign/bench/stub"
	"countersign/internal/ingress"
	"countersign/internal/journal"
	"countersign/internal/lms/canonical"
	"countersign/internal/lms/signature"
	"countersign/internal/telemetry"
)

// The one source that is served.
const (
	Tenant, Source = "acme", "lms"
	path           = "/webhooks/lms/" + Tenant + "/" + Source
	// unlimited is far beyond what a machine can send to itself, per second and at once.
	unlimited = 1e9
)

// Server is a handler on a port of this machine.
type Server struct {
	// URL takes deliveries of package load.
	URL    string
	server *http.Server
	served chan error
	close  func() error
}

// Bare serves the stub that only verifies.
func Bare(ctx context.Context) (*Server, error) {
	return serve(ctx, stub.Bare(load.SignatureHeader, load.Secret), stub.Path, func() error { return nil })
}

// Committing serves the stub that only commits the body, to a database of its own.
func Committing(ctx context.Context, dsn string) (*Server, *stub.Store, error) {
	store, err := stub.OpenStore(ctx, dsn)
	if err != nil {
		return nil, nil, err
	}
	s, err := serve(ctx, stub.Committing(load.SignatureHeader, load.Secret, store), stub.Path, store.Close)
	return s, store, err
}

// Ingress serves the ingress as the starter wires it, over a journal of its own: with its log,
// which goes to a file in dir, and without a rate limit.
func Ingress(ctx context.Context, dsn, dir string) (*Server, *journal.Journal, error) {
	file, err := os.OpenFile(filepath.Join(dir, "ingress.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("serve the ingress: %w", err)
	}
	j, err := journal.Open(ctx, dsn, journal.Options{})
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	closed := func() error { return errors.Join(j.Close(), file.Close()) }
	h, err := handler(j, file)
	if err != nil {
		return nil, nil, errors.Join(err, closed())
	}
	s, err := serve(ctx, h, path, closed)
	return s, j, err
}

func handler(j *journal.Journal, logFile *os.File) (http.Handler, error) {
	log, err := telemetry.Logger("info", "json", logFile)
	if err != nil {
		return nil, err
	}
	verifier, err := signature.NewHMAC([]string{load.Secret}, canonical.SignatureHeaders()...)
	if err != nil {
		return nil, err
	}
	in, err := ingress.New(ingress.Config{Journal: j, Log: log, Sources: one{ingress.Source{
		Tenant: Tenant, ID: Source, Platform: canonical.Platform, Adapter: canonical.New(nil), Verifier: verifier,
		RateLimit: unlimited, Burst: unlimited,
	}}})
	if err != nil {
		return nil, err
	}
	return in.Handler(), nil
}

// one is the only source there is.
type one struct{ source ingress.Source }

func (o one) Source(tenant, id string) (ingress.Source, bool) {
	return o.source, tenant == o.source.Tenant && id == o.source.ID
}

func (o one) ByDomain(domain string) (ingress.Source, bool) {
	return o.source, strings.EqualFold(domain, load.Domain)
}

// serve serves h with the starter's limits on connections. What it keeps is closed when it
// cannot.
func serve(ctx context.Context, h http.Handler, path string, closed func() error) (*Server, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("serve: %w", err), closed())
	}
	s := &Server{
		URL:    "http://" + listener.Addr().String() + path,
		server: ingress.NewServer("", h), served: make(chan error, 1), close: closed,
	}
	go func() { s.served <- s.server.Serve(listener) }()
	return s, nil
}

// Close ends the server and what it keeps.
func (s *Server) Close() error {
	err := s.server.Close()
	if served := <-s.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return errors.Join(err, s.close())
}
