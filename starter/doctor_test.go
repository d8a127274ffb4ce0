package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"countersign/internal/doctor"
	"countersign/internal/journal"
	"countersign/internal/postgrestest"
	"countersign/internal/simulator/arena"
	"countersign/internal/simulator/fault"
	"countersign/internal/simulator/hooksink"
	"countersign/internal/simulator/lrs"
	"countersign/internal/simulator/mailsink"
	"countersign/internal/training"

	"github.com/stretchr/testify/require"
)

// patient is an installation for the doctor: the other side is simulated, the starter and Temporal are away.
type patient struct {
	t    *testing.T
	qms  *arena.Arena
	lrs  *lrs.LRS
	mail *mailsink.Sink
	chat *hooksink.Sink
}

// learners are in the journal; the QMS knows the first.
func learners() []string { return []string{"EMP-00001", "EMP-00482"} }

func newPatient(t *testing.T, dsn string) *patient {
	t.Helper()
	p := &patient{t: t, qms: arena.New(arena.Options{}), lrs: lrs.New(lrs.Options{})}
	t.Cleanup(func() { require.NoError(t, p.qms.Close()) })
	t.Cleanup(func() { require.NoError(t, p.lrs.Close()) })
	p.qms.AddAccount(arena.Account{ClientID: "svc", ClientSecret: "s3cret-of-the-qms-account", Scopes: arena.BridgeScopes()})
	p.qms.AddTraining(arena.Training{ID: "TP-0042"})
	p.qms.AddUser(arena.User{EmployeeID: learners()[0]})
	p.lrs.AddAccount("key", "s3cret-of-the-lrs-account")
	var err error
	p.mail, err = mailsink.Start(mailsink.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.mail.Close()) })
	p.chat, err = hooksink.New(hooksink.Options{})
	require.NoError(t, err)
	address := func(h http.Handler) string {
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		return server.URL
	}
	file := filepath.Join(t.TempDir(), "countersign.yml")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, `tenants:
  - id: acme
    name: Acme Medical
    admins: [jane.training@acme.example]
    qms: {url: %q, client_id: svc, client_secret: env:DOCTOR_QMS, budget: {per_day: 1000}}
    lrs: {url: %q, username: key, password: env:DOCTOR_LRS, home_page: "https://acme.lms.example.com"}
    employee_id: external_id
    courses: [{code: COMP-2026, training: TP-0042}]
    notices: {channels: [{id: chat, type: slack, url: env:DOCTOR_CHAT}]}
    sources: [{id: lms, platform: canonical, auth: {hmac_sha256: {secrets: [env:DOCTOR_LMS]}}}]
`, address(p.qms.Handler()), address(p.lrs.Handler())+"/xapi"), 0o600))
	host, port, err := net.SplitHostPort(p.mail.Addr())
	require.NoError(t, err)
	for name, value := range map[string]string{
		"COUNTERSIGN_TENANTS": file, "COUNTERSIGN_JOURNAL": dsn, "COUNTERSIGN_LISTEN": "127.0.0.1:1",
		"COUNTERSIGN_SMTP_HOST": host, "COUNTERSIGN_SMTP_PORT": port, "COUNTERSIGN_SMTP_TLS": "none", "COUNTERSIGN_SMTP_FROM": "countersign@acme.example",
		"TEMPORAL_ADDRESS": "127.0.0.1:1", "TEMPORAL_CONFIG_FILE": os.DevNull,
		"DOCTOR_QMS": "s3cret-of-the-qms-account", "DOCTOR_LRS": "s3cret-of-the-lrs-account",
		"DOCTOR_LMS": "s3cret-of-the-lms-source", "DOCTOR_CHAT": address(p.chat.Handler()) + "/services/s3cret-of-the-chat",
	} {
		t.Setenv(name, value)
	}
	p.fill(dsn)
	return p
}

// fill gives the journal a history.
func (p *patient) fill(dsn string) {
	p.t.Helper()
	j, err := journal.Open(p.t.Context(), dsn, journal.Options{})
	require.NoError(p.t, err)
	for n, learner := range learners() {
		_, err := j.Append(p.t.Context(), journal.Delivery{Tenant: "acme", Source: "lms", Platform: "canonical", Method: "POST", Path: "/", Verdict: journal.VerdictAccepted, Body: []byte("{}")},
			[]training.Completion{{Tenant: "acme", Source: "lms", Platform: "canonical", Learner: training.Learner{ID: fmt.Sprint(n), ExternalID: learner, FirstName: "Jane", LastName: "Doe"},
				Course: training.Course{Code: "COMP-2026"}, CompletedAt: time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC), Precision: training.PrecisionMillisecond}})
		require.NoError(p.t, err)
	}
	for range 4 {
		_, err := j.Append(p.t.Context(), journal.Delivery{Tenant: "acme", Source: "lms", Platform: "canonical", Method: "POST", Path: "/", Verdict: journal.VerdictRejected, Reason: "signature does not match"}, nil)
		require.NoError(p.t, err)
	}
	require.NoError(p.t, j.Close())
}

// examined runs the command and reads its report.
func (p *patient) examined(args ...string) (map[string]doctor.Finding, error) {
	p.t.Helper()
	var out, said bytes.Buffer
	err := run(p.t.Context(), append([]string{"doctor", "-json"}, args...), nil, &out, &said)
	require.Empty(p.t, said.String())
	var report doctor.Report
	require.NoError(p.t, json.Unmarshal(out.Bytes(), &report))
	found := map[string]doctor.Finding{}
	for _, f := range report.Findings {
		found[f.Check] = f
	}
	text := out.String() + fmt.Sprint(err)
	for _, hidden := range append(learners(), "s3cret", "Jane", "jane", "Doe", "services/") {
		require.NotContains(p.t, text, hidden)
	}
	return found, err
}

func TestDoctorWritesNothingAnywhere_R220(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		dir := t.TempDir()
		p := newPatient(t, "sqlite:"+filepath.Join(dir, "journal.db"))
		p.untouched(func() map[string]string { return contents(t, dir) })
	})
	t.Run("postgres", func(t *testing.T) {
		dsn := postgrestest.Start(t)
		p := newPatient(t, dsn)
		p.untouched(func() map[string]string { return rows(t, dsn) })
	})
}

func (p *patient) untouched(stored func() map[string]string) {
	p.t.Helper()
	before := stored()
	require.NotEmpty(p.t, before)
	found, err := p.examined()
	require.Equal(p.t, 1, exitCode(err), "Temporal is away")
	require.Equal(p.t, before, stored())
	for check, want := range map[string]doctor.Level{
		"settings.file": doctor.OK, "journal.schema": doctor.OK, "temporal.reach": doctor.Error, "mail.server": doctor.OK, "listen.http": doctor.Warning,
		"qms.target": doctor.OK, "qms.calls": doctor.OK, "qms.token": doctor.OK, "qms.scopes": doctor.OK, "qms.updates": doctor.OK, "qms.courses": doctor.OK, "qms.employees": doctor.Warning, "qms.clock": doctor.OK,
		"lrs.version": doctor.OK, "lrs.credentials": doctor.OK, "certificate.draw": doctor.OK, "notices.channel": doctor.OK, "sources.auth": doctor.OK, "sources.traffic": doctor.Warning,
	} {
		require.Equal(p.t, want, found[check].Level, "%s: %+v", check, found[check])
	}
	require.Contains(p.t, found["qms.employees"].Text, "1 of 2 learners")
	require.Contains(p.t, found["sources.traffic"].Text, "the last 4 deliveries were rejected (signature does not match)")

	for _, writing := range []fault.Endpoint{arena.EndpointComplete, arena.EndpointCreate, arena.EndpointApproval} {
		require.Zero(p.t, p.qms.Calls(writing), writing)
	}
	require.Empty(p.t, p.qms.Records())
	require.Len(p.t, p.qms.Users(), 1)
	require.Zero(p.t, p.lrs.Calls(lrs.EndpointPut)+p.lrs.Calls(lrs.EndpointPost))
	require.Empty(p.t, p.lrs.Statements())
	require.Empty(p.t, p.mail.Messages())
	require.Zero(p.t, p.chat.Calls(fault.Any), "nothing is asked of a channel")
}

// contents are the files of a folder.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		require.NoError(t, err)
		all[entry.Name()] = string(content)
	}
	return all
}

// rows are all rows of all tables, with the transactions that wrote them.
func rows(t *testing.T, dsn string) map[string]string {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	var names string
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT string_agg(tablename, ' ') FROM pg_tables WHERE schemaname = 'public'`).Scan(&names))
	all := map[string]string{}
	for name := range strings.FieldsSeq(names) {
		var content sql.NullString
		require.NoError(t, db.QueryRowContext(t.Context(), `SELECT string_agg(x.xmin::text || x::text, ';' ORDER BY x::text) FROM `+name+` x`).Scan(&content))
		all[name] = content.String
	}
	return all
}

func TestDoctorMakesNoJournal(t *testing.T) {
	dir := t.TempDir()
	p := newPatient(t, "sqlite:"+filepath.Join(dir, "journal.db"))
	none := filepath.Join(t.TempDir(), "none.db")
	t.Setenv("COUNTERSIGN_JOURNAL", "sqlite:"+none)
	found, _ := p.examined()
	require.Equal(t, doctor.Warning, found["journal.open"].Level)
	require.NoFileExists(t, none)
	require.Equal(t, doctor.Note, found["qms.employees"].Level, "nobody is known to ask for")
}

func TestDoctorSaysWhatIsWrong_R109_R113_R115(t *testing.T) {
	p := newPatient(t, "sqlite:"+filepath.Join(t.TempDir(), "journal.db"))
	require.NoError(t, p.qms.SetSwitches(arena.Switches{ExternalUpdatesOff: true}))
	p.qms.AddAccount(arena.Account{ClientID: "svc", ClientSecret: "s3cret-of-the-qms-account", Scopes: []string{arena.ScopeWrite}})
	found, err := p.examined("-tenant", "acme", "-sample", "1", "-timeout", "10s")
	require.Equal(t, 1, exitCode(err))
	require.Equal(t, doctor.Error, found["qms.updates"].Level)
	require.Contains(t, found["qms.scopes"].Text, arena.ScopeStatus)

	t.Setenv("DOCTOR_QMS", "s3cret-of-yesterday-and-before")
	found, _ = p.examined()
	require.Equal(t, doctor.Error, found["qms.token"].Level)

	t.Setenv("DOCTOR_QMS", "")
	found, err = p.examined()
	require.Equal(t, 1, exitCode(err))
	require.Contains(t, found["settings.file"].Text, "environment variable DOCTOR_QMS is empty")
	require.Equal(t, doctor.OK, found["mail.server"].Level, "what does not need the tenants is examined all the same")

	t.Setenv("COUNTERSIGN_LISTEN", "nowhere")
	found, _ = p.examined()
	require.Len(t, found, 1)
	require.Contains(t, found["settings.environment"].Text, "COUNTERSIGN_LISTEN")
}

func TestDoctorAsksNothingOfAPausedQMS(t *testing.T) {
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "journal.db")
	p := newPatient(t, dsn)
	j, err := journal.Open(t.Context(), dsn, journal.Options{})
	require.NoError(t, err)
	_, err = j.Pause(t.Context(), "acme", training.TargetQMS, "i", training.Decision{Action: training.ActionPause, By: "jane.training", Reason: "Jane updates it"})
	require.NoError(t, err)
	require.NoError(t, j.Close())
	found, _ := p.examined()
	require.Equal(t, doctor.Warning, found["qms.target"].Level)
	require.Contains(t, found["qms.target"].Fix, "starter resume -tenant acme")
	require.Zero(t, p.qms.Calls(fault.Any))
}

func TestDoctorForPeople(t *testing.T) {
	p := newPatient(t, "sqlite:"+filepath.Join(t.TempDir(), "journal.db"))
	var out bytes.Buffer
	err := run(t.Context(), []string{"doctor", "-quiet"}, nil, &out, &out)
	require.ErrorContains(t, err, "something is broken")
	require.Contains(t, out.String(), "FAIL  temporal.reach")
	require.Contains(t, out.String(), "tenant acme (Acme Medical)")
	require.NotContains(t, out.String(), "qms.token")
	for _, args := range [][]string{{"-tenant", "globex"}, {"acme"}, {"-sample", "0"}, {"-timeout", "0s"}, {"-x"}} {
		require.Error(t, run(t.Context(), append([]string{"doctor"}, args...), nil, &out, &out), args)
	}
	require.Empty(t, p.mail.Messages())
	require.Equal(t, 2, exitCode(sick{doctor.ExitWarnings, "there are warnings"}))
}
