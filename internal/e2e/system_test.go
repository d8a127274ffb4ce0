package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"countersign/internal/journal"
	arenasim "countersign/internal/simulator/arena"
	lrssim "countersign/internal/simulator/lrs"
	"countersign/internal/simulator/mailsink"
	"countersign/internal/stack"
	"countersign/internal/stack/build"
	"countersign/internal/training"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
)

// binaries are what TestMain has built.
var binaries struct {
	temporal build.TemporalServer
	product  string
}

func TestMain(m *testing.M) {
	code, err := func() (int, error) {
		ctx := context.Background()
		root, err := build.Root(".")
		if err != nil {
			return 1, err
		}
		if binaries.product, err = build.Product(ctx, root, build.Shared, os.Stderr, "starter", "worker"); err != nil {
			return 1, err
		}
		if binaries.temporal, err = build.Temporal(ctx, root, build.Shared, os.Stderr); err != nil {
			return 1, err
		}
		return m.Run(), nil
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

const (
	secret  = "s3cret-canonical"
	tenant  = "acme"
	program = "TP-0042"
	// patience is how long anything may take on a loaded machine.
	patience = 90 * time.Second
)

// system is one tenant's Countersign with everything around it.
type system struct {
	t        *testing.T
	dir      string
	temporal *stack.Temporal
	client   client.Client
	qms      *arenasim.Arena
	lrs      *lrssim.LRS
	mail     *mailsink.Sink
	starter  *stack.Process
	worker   *stack.Process
	url      string
	env      map[string]string
}

// option changes how a system is set up.
type option func(*plan)

type plan struct {
	retry    string
	budget   string
	dsn      string
	temporal stack.TemporalOptions
	// moodle is the address of a Moodle that is a second source, "" for none.
	moodle string
	// courses and sources come in addition; tenant are further lines of the tenant.
	courses, sources, tenant string
	// qms and employeeID are for a tenant whose QMS is another one than the simulated contract.
	qms, employeeID string
}

// onDisk keeps Temporal's state in a file, so that it can be taken down and brought back.
func onDisk(dir string) option {
	return func(p *plan) { p.temporal.DBFile = filepath.Join(dir, "temporal.db") }
}

// newSystem brings a whole system up, and down when the test ends.
func newSystem(t *testing.T, options ...option) *system {
	t.Helper()
	s := &system{t: t, dir: t.TempDir(), qms: arenasim.New(arenasim.Options{}), lrs: lrssim.New(lrssim.Options{})}
	p := plan{
		retry: "{initial: 100ms, coefficient: 2, maximum: 400ms, attempts: 4}",
		dsn:   "sqlite:" + filepath.Join(s.dir, "journal.db"),
		qms: fmt.Sprintf(`url: %s
      client_id: svc-countersign
      client_secret: env:E2E_QMS_SECRET
      scopes: [training.records.write, training.status.update, user.read, training.records.approve]`, serve(t, s.qms.Handler())),
		employeeID: "external_id",
		temporal: stack.TemporalOptions{
			Server: binaries.temporal, SearchAttributes: workflows.SearchAttributes(),
			LogFile: filepath.Join(s.dir, "temporal.log"),
		},
	}
	for _, o := range options {
		o(&p)
	}
	s.otherSide()
	var err error
	s.temporal, err = stack.StartTemporal(t.Context(), p.temporal)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.temporal.Kill()) })
	s.client, err = client.NewLazyClient(client.Options{
		HostPort: s.temporal.Address(), Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	require.NoError(t, err)
	t.Cleanup(s.client.Close)
	s.settings(p)
	s.startWorker()
	s.startStarter()
	t.Cleanup(s.showLogs)
	return s
}

// otherSide starts what Countersign talks to.
func (s *system) otherSide() {
	s.qms.AddAccount(arenasim.Account{
		ClientID: "svc-countersign", ClientSecret: "qms-secret", Scopes: append(arenasim.BridgeScopes(), arenasim.ScopeApprove),
	})
	s.qms.AddTraining(arenasim.Training{ID: program, Name: "Annual Compliance Training"})
	s.lrs.AddAccount("lrs-key", "lrs-secret")
	var err error
	s.mail, err = mailsink.Start(mailsink.Options{})
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, s.mail.Close()) })
}

func serve(t *testing.T, h http.Handler) string {
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// settings writes the tenants' file and makes the environment of starter and worker.
func (s *system) settings(p plan) {
	file := filepath.Join(s.dir, "countersign.yml")
	yaml := fmt.Sprintf(`tenants:
  - id: acme
    name: Acme Medical
    admins: [training@acme.example]
    qms:
      %s
      %s
    lrs: {url: %s/xapi, username: lrs-key, password: env:E2E_LRS_SECRET, home_page: "https://acme.lms.example.com"}
    employee_id: %s
    courses: [{code: COMP-2026, training: %s}%s]
    policy: {retry: %s}
    sources:
      - id: lms
        platform: canonical
        domains: [acme.lms.example.com]
        auth: {hmac_sha256: {secrets: [env:E2E_LMS_SECRET]}}
        rate: {per_second: 5000, burst: 5000}
`, p.qms, p.budget, serve(s.t, s.lrs.Handler()), p.employeeID, program, p.courses, p.retry)
	if p.moodle != "" {
		yaml += fmt.Sprintf(`      - id: portal
        platform: moodle
        auth: {bearer: {secrets: [env:E2E_LMS_SECRET]}}
        api: {url: %s, token: env:E2E_MOODLE_TOKEN}
`, p.moodle)
	}
	yaml += p.sources + p.tenant
	require.NoError(s.t, os.WriteFile(file, []byte(yaml), 0o600))

	host, port, _ := strings.Cut(s.mail.Addr(), ":")
	s.env = map[string]string{
		"COUNTERSIGN_JOURNAL": p.dsn, "COUNTERSIGN_TENANTS": file, "COUNTERSIGN_LOG_FORMAT": "text",
		"COUNTERSIGN_CLAIM_LEASE": "5s", "COUNTERSIGN_DRAIN_TIMEOUT": "10s",
		"COUNTERSIGN_SMTP_HOST": host, "COUNTERSIGN_SMTP_PORT": port, "COUNTERSIGN_SMTP_FROM": "countersign@acme.example",
		"COUNTERSIGN_SMTP_TLS": "none", "COUNTERSIGN_TEMPORAL_WEB_URL": "http://127.0.0.1:8233",
		"TEMPORAL_ADDRESS": s.temporal.Address(), "TEMPORAL_NAMESPACE": s.temporal.Namespace(),
		"E2E_LMS_SECRET": secret, "E2E_QMS_SECRET": "qms-secret", "E2E_LRS_SECRET": "lrs-secret",
		"E2E_MOODLE_TOKEN":  "s3cret-moodle-token",
		"E2E_DOCEBO_SECRET": "s3cret-docebo-webhook", "E2E_DOCEBO_API": "s3cret-docebo-api",
	}
}

// process starts one of our binaries and waits until it says that it is alive.
func (s *system) process(name, listen string) (*stack.Process, string) {
	s.t.Helper()
	port, err := stack.FreePort()
	require.NoError(s.t, err)
	address := fmt.Sprintf("127.0.0.1:%d", port)
	s.env[listen] = address
	p, err := stack.Start(stack.Command{
		Name: name, Path: filepath.Join(binaries.product, build.Executable(name)),
		Env: stack.Environment(s.env), LogFile: filepath.Join(s.dir, name+".log"),
	})
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, p.Kill()) })
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	require.NoError(s.t, stack.WaitHTTP(ctx, "http://"+address+"/healthz", p))
	return p, "http://" + address
}

func (s *system) startStarter() { s.starter, s.url = s.process("starter", "COUNTERSIGN_LISTEN") }

func (s *system) startWorker() { s.worker, _ = s.process("worker", "COUNTERSIGN_METRICS_LISTEN") }

// journal opens the journal beside the running processes.
func (s *system) journal() *journal.Journal {
	s.t.Helper()
	j, err := journal.Open(s.t.Context(), s.env["COUNTERSIGN_JOURNAL"], journal.Options{})
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, j.Close()) })
	return j
}

// eventually waits until condition holds.
func (s *system) eventually(condition func() bool, what string, args ...any) {
	s.t.Helper()
	require.Eventuallyf(s.t, condition, patience, 50*time.Millisecond, what, args...)
}

// state is where the journal says a completion stands.
func state(s *system, j *journal.Journal, f training.Fingerprint) training.State {
	stored, err := j.Completion(s.t.Context(), tenant, f)
	require.NoError(s.t, err)
	return stored.State
}

// showLogs prints the ends of the logs when the test has failed.
func (s *system) showLogs() {
	if !s.t.Failed() {
		return
	}
	for _, name := range []string{"starter", "worker", "temporal"} {
		log, err := os.ReadFile(filepath.Join(s.dir, name+".log"))
		s.t.Logf("%s.log (%v): …%s", name, err, log[max(0, len(log)-6000):])
	}
}
