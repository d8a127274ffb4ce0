package e2e

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	arenasim "countersign/internal/simulator/arena"
	"countersign/internal/simulator/sender"

	"github.com/stretchr/testify/require"
)

// source is how an LMS of the fleet is set up on its own side.
type source struct {
	id     string // of the tenants' file
	secret string // variable
	// tokens is where it gets its tokens, "%s" being tenant and source.
	tokens string
	// inURL says that the secret is the last part of the URL and of nothing else.
	inURL bool
	// proofInBody says that a request without a body cannot prove anything.
	proofInBody bool
}

// fleet is the tenant of the local installation, with an LMS of every platform and of every variant.
type fleet struct {
	t        *testing.T
	system   *system
	site     sender.Site
	keys     *sender.Keys
	gate     *gate
	sources  map[string]source // by the name of the profile
	lms      map[string]*sender.LMS
	finishes map[string][]sender.Finish
}

// newFleet starts a system on the tenants' file of the local installation, which has a source of every platform, and
// adds one for each variant.
func newFleet(t *testing.T) *fleet {
	s := newSystem(t)
	f := &fleet{
		t: t, system: s, site: sender.Site{Domain: "acme.lms.example.com"}, keys: &sender.Keys{}, gate: newGate(t),
		lms: map[string]*sender.LMS{}, finishes: map[string][]sender.Finish{},
		sources: map[string]source{
			"canonical": {id: "lms"}, "absorb": {id: "absorb"}, "activate": {id: "activate", tokens: "/login/%s"},
			"adobe-learning-manager": {id: "adobe"}, "axis/form": {id: "axis", inURL: true}, "brightspace": {id: "brightspace"},
			"canvas": {id: "canvas", proofInBody: true}, "cornerstone": {id: "cornerstone"}, "docebo": {id: "docebo"},
			"generic": {id: "generic"}, "learnupon": {id: "learnupon"}, "lessonly": {id: "lessonly"}, "moodle": {id: "moodle"},
			"successfactors": {id: "successfactors", tokens: "/oauth/%s/token"}, "talentlms": {id: "talentlms"},
			"axis": {id: "axis-json"}, "canvas/unsigned": {id: "canvas-unsigned", inURL: true},
			"learnupon/v1":          {id: "learnupon-one", proofInBody: true},
			"moodle/local_webhooks": {id: "moodle-events", proofInBody: true}, "moodle/tool_trigger": {id: "moodle-trigger"},
			"moodle/logstore_xapi": {id: "moodle-statements"},
		},
	}
	require.Len(t, f.sources, len(sender.Profiles())+len(sender.Variants()))
	f.system.qms = arenasim.New(arenasim.Options{AutoProvision: true})
	t.Cleanup(func() { require.NoError(t, f.system.qms.Close()) })
	s.qms.AddAccount(arenasim.Account{ClientID: "svc-countersign", ClientSecret: "qms-secret",
		Scopes: append(arenasim.BridgeScopes(), arenasim.ScopeApprove)})
	s.qms.AddTraining(arenasim.Training{ID: program, Name: "Annual Compliance Training"})
	s.lrs.AddAccount("countersign", "lrs-secret")
	f.settings()
	require.NoError(t, s.starter.Kill())
	require.NoError(t, s.worker.Kill())
	s.startWorker()
	s.startStarter()
	f.gate.open(t, s.url)
	for i, name := range slices.Sorted(maps.Keys(f.sources)) {
		f.connect(name)
		for n := range 5 {
			f.finishes[name] = append(f.finishes[name], f.finish(1000+10*i+n, f.lms[name].Profile()))
		}
	}
	return f
}

// variants are further sources, beside those of the file.
const variants = `
      - id: axis-json
        platform: axis
        employee_id: username
        auth: {api_key: {header: X-Axis-Webhook-Secret, secrets: [env:E2E_AXIS_JSON]}}
      - id: canvas-unsigned
        platform: canvas
        auth: {token_in: {path: true, secrets: [env:E2E_CANVAS_UNSIGNED]}}
        mapping: {version: e2e-1, fields: {learner.externalId: {path: $.body.user.id, transform: "concat:HR-{value}"}}}
      - id: learnupon-one
        platform: learnupon
        employee_id: username
        auth: {learnupon_v1: {secrets: [env:E2E_LEARNUPON_ONE]}}
      - id: moodle-events
        platform: moodle
        auth: {token_in: {body: token, secrets: [env:E2E_MOODLE_EVENTS]}}
        mapping: {version: e2e-1, fields: {learner.externalId: {path: $.relateduserid, transform: "concat:HR-{value}"}, course.code: {const: COMP-2026}}}
      - id: moodle-trigger
        platform: moodle
        auth: {bearer: {secrets: [env:E2E_MOODLE_TRIGGER]}}
      - id: moodle-statements
        platform: moodle
        auth: {basic: {username: bridge-key, secrets: [env:E2E_MOODLE_STATEMENTS]}}
        mapping: {version: e2e-1, fields: {learner.externalId: {path: $.actor.account.name, transform: "concat:HR-{value}"}}}
`

var (
	secretNamed = regexp.MustCompile(`env:([A-Z0-9_]+)`)
	retryLine   = regexp.MustCompile(`retry: \{.*\}`)
)

// settings writes the tenants' file: that of the local installation with the addresses of this test.
func (f *fleet) settings() {
	t, s := f.t, f.system
	content, err := os.ReadFile(filepath.Join("..", "..", "dev", "local", "countersign.yml"))
	require.NoError(t, err)
	text := string(content)
	for from, to := range map[string]string{
		"http://127.0.0.1:8090/arena": serve(t, s.qms.Handler()), "http://127.0.0.1:8090/lrs": serve(t, s.lrs.Handler()),
		"http://127.0.0.1:8090/canvas": serve(t, f.keys),
	} {
		require.Equal(t, 1, strings.Count(text, from), from)
		text = strings.Replace(text, from, to, 1)
	}
	text = retryLine.ReplaceAllString(text, "retry: {initial: 100ms, coefficient: 2, maximum: 400ms, attempts: 4}") + variants
	file := filepath.Join(s.dir, "fleet.yml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	s.env["COUNTERSIGN_TENANTS"] = file
	for _, match := range secretNamed.FindAllStringSubmatch(text, -1) {
		s.env[match[1]] = "s3cret-of-this-test-" + strings.ToLower(match[1])
	}
	s.env["ACME_ARENA_SECRET"], s.env["ACME_LRS_PASSWORD"] = "qms-secret", "lrs-secret"
	s.env["ACME_MOODLE_SECRET"] = "whsec_" + base64.StdEncoding.EncodeToString([]byte("a key of thirty-two bytes, or so"))
	for name, source := range f.sources {
		before, rest, found := strings.Cut(text, "- id: "+source.id+" ")
		if !found {
			before, rest, found = strings.Cut(text, "- id: "+source.id+"\n")
		}
		require.True(t, found, "%s after %d bytes", source.id, len(before))
		if first, _, _ := strings.Cut(rest, "- id: "); secretNamed.MatchString(first) {
			source.secret = secretNamed.FindStringSubmatch(first)[1]
			f.sources[name] = source
		}
	}
}

// connect sets an LMS up as its administrator does.
func (f *fleet) connect(name string) {
	profile, ok := sender.Find(name)
	require.True(f.t, ok, name)
	source := f.sources[name]
	account := sender.Account{Secret: f.system.env[source.secret], Keys: f.keys}
	address := f.gate.url + "/webhooks/lms/acme/" + source.id
	if source.tokens != "" {
		account.TokenURL = f.gate.url + fmt.Sprintf(source.tokens, "acme/"+source.id)
	}
	if source.inURL {
		address += "/" + account.Secret
		account.Secret = ""
	}
	var err error
	f.lms[name], err = sender.New(sender.Options{
		Profile: profile, URL: address, Credential: profile.Credential(account), Patience: patience, Wait: f.gate.wait,
	})
	require.NoError(f.t, err)
}

// employee is who the QMS takes the learner for.
func (f *fleet) employee(name string, finish sender.Finish) string {
	if name == "absorb" {
		return "EMP-" + sender.AbsorbUser(finish.Learner.ID)
	}
	return finish.Learner.ExternalID
}

// gate is where the LMSs reach the starter, wherever it runs; while it is away they hear 502.
type gate struct {
	url string

	mu       sync.Mutex
	target   *url.URL      // nil while it is closed
	isOpen   chan struct{} // closed as soon as it is open
	answered int
	waiting  map[int]chan struct{} // closed when so many were answered
}

// targetKey is where a request's context holds the starter that it goes to.
type targetKey struct{}

func newGate(t *testing.T) *gate {
	g := &gate{isOpen: make(chan struct{}), waiting: map[int]chan struct{}{}}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			target, _ := r.In.Context().Value(targetKey{}).(*url.URL)
			r.SetURL(target)
		},
		ModifyResponse: func(*http.Response) error { g.count(); return nil },
		ErrorLog:       log.New(io.Discard, "", 0),
	}
	g.url = serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		target := g.target
		g.mu.Unlock()
		if target == nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), targetKey{}, target)))
	}))
	return g
}

func (g *gate) count() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.answered++
	if reached := g.waiting[g.answered]; reached != nil {
		close(reached)
	}
}

// passed returns when n requests have been answered.
func (g *gate) passed(t *testing.T, n int) {
	t.Helper()
	g.mu.Lock()
	reached := make(chan struct{})
	if g.answered >= n {
		close(reached)
	} else {
		g.waiting[n] = reached
	}
	g.mu.Unlock()
	select {
	case <-reached:
	case <-time.After(patience):
		require.Fail(t, "too few requests", "want %d", n)
	}
}

func (g *gate) open(t *testing.T, address string) {
	t.Helper()
	target, err := url.Parse(address)
	require.NoError(t, err)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.target = target
	close(g.isOpen)
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.target, g.isOpen = nil, make(chan struct{})
}

// wait takes the place of every platform's waits: the next attempt is due when the starter is back.
func (g *gate) wait(ctx context.Context, _ time.Duration) error {
	g.mu.Lock()
	isOpen := g.isOpen
	g.mu.Unlock()
	select {
	case <-isOpen:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
