package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"countersign/bench/faults/traffic"
	"countersign/internal/simulator/arena"
	"countersign/internal/simulator/lrs"
	"countersign/internal/simulator/mailsink"
	"countersign/internal/training"
	"countersign/internal/xapi"
)

// wholeLog is how many calls the QMS remembers: more than a run has.
const wholeLog = 1_000_000

const (
	trainingID = "TP-0042"
	homePage   = "https://acme.lms.example.com"
)

// world is the other side: QMS, LRS and mail server, in this process, so that they remember
// whatever happens to ours.
type world struct {
	qms     *arena.Arena
	lrs     *lrs.LRS
	mail    *mailsink.Sink
	servers []*http.Server
	qmsAddr string
	lrsAddr string

	records map[int]string // record id by key

	mu sync.Mutex
	// early counts by fingerprint the statements that came before their record was COMPLETED.
	early map[training.Fingerprint]int
	keys  map[training.Fingerprint]int
	// foreign are the statements that were there before, by fingerprint.
	foreign map[training.Fingerprint]string
}

func newWorld(ctx context.Context, keys []traffic.Key, secrets secrets) (_ *world, err error) {
	w := &world{
		qms: arena.New(arena.Options{LogSize: wholeLog}), lrs: lrs.New(lrs.Options{}), records: map[int]string{},
		early: map[training.Fingerprint]int{}, keys: map[training.Fingerprint]int{}, foreign: map[training.Fingerprint]string{},
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if w.mail, err = mailsink.Start(mailsink.Options{}); err != nil {
		return nil, fmt.Errorf("start the mail sink: %w", err)
	}
	w.qms.AddAccount(arena.Account{ClientID: "svc-countersign", ClientSecret: secrets.qms, Scopes: append(arena.BridgeScopes(), arena.ScopeApprove)})
	w.qms.AddTraining(arena.Training{ID: trainingID, Name: "Annual Compliance Training"})
	w.lrs.AddAccount("countersign", secrets.lrs)
	for _, k := range keys {
		w.keys[k.Fingerprint] = k.Number
		if k.Kind == traffic.Unknown {
			continue
		}
		w.qms.AddUser(arena.User{EmployeeID: k.Employee, Email: k.Employee + "@acme.example", FullName: "Jordan Lee", Active: true})
		w.records[k.Number] = w.qms.AddRecord(arena.Record{
			EmployeeID: k.Employee, TrainingID: trainingID, Status: training.RecordAssigned,
			ApprovalRequired: k.Kind == traffic.Approval, TracksScore: k.Kind == traffic.Scored,
		}).ID
	}
	if w.qmsAddr, err = w.serve(ctx, w.qms.Handler()); err != nil {
		return nil, err
	}
	w.lrsAddr, err = w.serve(ctx, w.watched(w.lrs.Handler()))
	return w, err
}

func (w *world) serve(ctx context.Context, h http.Handler) (address string, err error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("start a simulator: %w", err)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	w.servers = append(w.servers, server)
	go func() { _ = server.Serve(listener) }() // it ends with close only
	return listener.Addr().String(), nil
}

// statement is what of a statement leads back to its completion.
type statement struct {
	Context struct {
		Extensions map[string]string `json:"extensions"`
	} `json:"context"`
	Timestamp time.Time `json:"timestamp"`
}

func fingerprintOf(body []byte) (training.Fingerprint, statement, bool) {
	var s statement
	if err := json.Unmarshal(body, &s); err != nil {
		return "", s, false
	}
	f, err := training.ParseFingerprint(s.Context.Extensions[xapi.ExtensionFingerprint])
	return f, s, err == nil
}

// mostBody is the longest statement that is looked into, in bytes.
const mostBody = 1 << 20

// watched looks, at the moment a statement arrives, whether its record is COMPLETED already.
func (w *world) watched(next http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			body, err := io.ReadAll(io.LimitReader(r.Body, mostBody))
			if err != nil {
				panic(http.ErrAbortHandler)
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			if f, _, ok := fingerprintOf(body); ok {
				w.note(f)
			}
		}
		next.ServeHTTP(out, r)
	})
}

func (w *world) note(f training.Fingerprint) {
	w.mu.Lock()
	defer w.mu.Unlock()
	record, ok := w.qms.Record(w.records[w.keys[f]])
	if !ok || record.Status != training.RecordCompleted {
		w.early[f]++
	}
}

// occupy puts another statement under the id that a completion's will have.
func (w *world) occupy(k traffic.Key, password string) error {
	c := training.Completion{
		Tenant: traffic.Tenant, Source: traffic.Source, Platform: traffic.Platform,
		Learner:     training.Learner{ID: strconv.Itoa(traffic.LearnerID(k.Number))},
		Course:      training.Course{ID: strconv.Itoa(traffic.CourseID), Code: traffic.Course},
		CompletedAt: k.CompletedAt, Precision: training.PrecisionMillisecond,
	}
	id, body, err := xapi.New(c.Fingerprint(), c, xapi.Options{HomePage: "https://somebody.else.example", CourseIRI: homePage + "/courses"})
	if err != nil {
		return fmt.Errorf("occupy the statement of key %d: %w", k.Number, err)
	}
	client, err := xapi.NewClient(xapi.ClientConfig{
		Endpoint: "http://" + w.lrsAddr + "/xapi", Username: "countersign", Password: password,
	})
	if err != nil {
		return fmt.Errorf("occupy the statement of key %d: %w", k.Number, err)
	}
	if err := client.Put(context.Background(), id, body); err != nil {
		return fmt.Errorf("occupy the statement of key %d: %w", k.Number, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.foreign[k.Fingerprint] = id
	delete(w.early, k.Fingerprint) // that was us
	return nil
}

func (w *world) close() error {
	// Faults that hang a request end first, or the servers would wait for them.
	err := errors.Join(w.qms.Close(), w.lrs.Close())
	for _, s := range w.servers {
		err = errors.Join(err, s.Close())
	}
	if w.mail != nil {
		err = errors.Join(err, w.mail.Close())
	}
	return err
}
