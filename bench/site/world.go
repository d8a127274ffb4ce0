package site

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"countersign/internal/simulator/arena"
	"countersign/internal/simulator/lrs"
)

const (
	qmsSecret, lrsSecret = "s3cret-of-the-qms", "s3cret-of-the-lrs"
	// The trainings behind the courses of package load. The simulated QMS makes employees and records
	// when they are asked for; one whose id ends in -APPROVAL asks for an approval.
	trainingID, approvalTrainingID = "TP-0042", "TP-0117-APPROVAL"
)

// World is the other side: QMS and LRS, which answer at once and never fail.
type World struct {
	qms     *arena.Arena
	lrs     *lrs.LRS
	qmsURL  string
	lrsURL  string
	servers []*http.Server

	mu sync.Mutex
	// posted are when statements were stored.
	posted []time.Time
}

func newWorld(ctx context.Context) (_ *World, err error) {
	w := &World{qms: arena.New(arena.Options{AutoProvision: true}), lrs: lrs.New(lrs.Options{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	w.qms.AddAccount(arena.Account{ClientID: "svc-countersign", ClientSecret: qmsSecret, Scopes: append(arena.BridgeScopes(), arena.ScopeApprove)})
	w.qms.AddTraining(arena.Training{ID: trainingID, Name: "Annual Compliance Training"})
	w.qms.AddTraining(arena.Training{ID: approvalTrainingID, Name: "Aseptic Technique", ApprovalRequired: true})
	w.lrs.AddAccount("countersign", lrsSecret)
	if w.qmsURL, err = w.serve(ctx, w.qms.Handler()); err != nil {
		return nil, err
	}
	w.lrsURL, err = w.serve(ctx, w.noting(w.lrs.Handler()))
	return w, err
}

func (w *World) serve(ctx context.Context, h http.Handler) (url string, err error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("start a simulator: %w", err)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	w.servers = append(w.servers, server)
	go func() { _ = server.Serve(listener) }() // it ends with close only
	return "http://" + listener.Addr().String(), nil
}

// noting notes when statements come: the last thing that a completion does outside, and seen
// without asking anybody.
func (w *World) noting(next http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(out, r)
		if r.Method == http.MethodPut {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.posted = append(w.posted, time.Now())
		}
	})
}

// Posted are the moments at which statements came, from the given number on.
func (w *World) Posted(from int) []time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]time.Time(nil), w.posted[min(from, len(w.posted)):]...)
}

// Count is how many statements have come.
func (w *World) Count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.posted)
}

// lookEvery is often enough to see a burst end, seldom enough to cost nothing.
const lookEvery = 10 * time.Millisecond

// Await waits until so many statements have come since the beginning.
func (w *World) Await(ctx context.Context, n int) error {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		have := w.Count()
		if have >= n {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for statements: %d of %d have come: %w", have, n, ctx.Err())
		case <-ticker.C:
		}
	}
}

func (w *World) close() error {
	errs := []error{w.qms.Close(), w.lrs.Close()}
	for _, s := range w.servers {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
