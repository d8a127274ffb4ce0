package main

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/dev/options"
	"countersign/internal/lms"
	"countersign/internal/lms/canonical"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/platform"
	"countersign/internal/lms/signature"
	"countersign/internal/settings"
	"countersign/internal/simulator/sender"
	"countersign/internal/training"
)

const simulatorsAt = "http://127.0.0.1:9999"

// loadTenants reads the written file as starter and worker do, with the secrets in the environment.
func loadTenants(t *testing.T, d *data) settings.Tenant {
	t.Helper()
	for name, value := range d.secrets {
		t.Setenv(name, value)
	}
	s, err := settings.Load(d.file("countersign.yml"), settings.Known{Platforms: platform.Names(), QMS: []string{"arena", "arena-v1"},
		Mapping: func(name string, own mapping.Definition) error {
			from, ok := platform.Find(name)
			require.True(t, ok)
			_, err := from.Mapping(&own)
			return err
		}})
	require.NoError(t, err)
	require.Empty(t, s.Warnings)
	tenant, ok := s.Tenant("acme")
	require.True(t, ok)
	return tenant
}

func TestSeededTenantIsAccepted(t *testing.T) {
	d, err := openData(t.TempDir())
	require.NoError(t, err)
	changed, err := d.writeTenants(simulatorsAt)
	require.NoError(t, err)
	require.False(t, changed, "a new file has not changed")

	tenant := loadTenants(t, d)
	require.Equal(t, simulatorsAt+"/arena", tenant.QMS.URL)
	require.Equal(t, simulatorsAt+"/lrs/xapi", tenant.LRS.URL)
	require.Equal(t, training.DefaultPolicy(), tenant.Policy, "the developer sees the product's own timing")
	for _, course := range sender.DemoCourses() {
		_, mapped := tenant.Course("lms", training.Course{Code: course.Code})
		require.True(t, mapped, course.Code)
	}
}

// TestOneSourceOfEachPlatform: what the demo sends from, the seeded file takes.
func TestOneSourceOfEachPlatform(t *testing.T) {
	d, err := openData(t.TempDir())
	require.NoError(t, err)
	_, err = d.writeTenants(simulatorsAt)
	require.NoError(t, err)
	tenant := loadTenants(t, d)
	require.Equal(t, simulatorsAt+"/canvas/jwks", seeded(t, tenant, "canvas").Auth.JWT.KeysURL)

	i := &installation{data: d, simulators: &simulators{canvas: &sender.Keys{}}}
	all, missing, err := i.senders()
	require.NoError(t, err)
	require.Empty(t, missing)
	var seen []string
	for _, s := range sources() {
		lms := all[s.profile]
		require.NotNil(t, lms, s.profile)
		require.Equal(t, seeded(t, tenant, s.id).Platform, lms.Profile().Platform)
		seen = append(seen, lms.Profile().Platform)
	}
	require.ElementsMatch(t, platform.Names(), seen)

	// A developer's own file has what it has.
	require.NoError(t, os.WriteFile(d.file("countersign.yml"), []byte("tenants:\n  - id: acme\n    sources:\n      - id: lms\n"), 0o600))
	all, missing, err = i.senders()
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Len(t, missing, 14)
}

func seeded(t *testing.T, tenant settings.Tenant, id string) settings.Source {
	t.Helper()
	s, ok := tenant.Source(id)
	require.True(t, ok, id)
	return s
}

func TestDevelopersFileIsKept(t *testing.T) {
	d, err := openData(t.TempDir())
	require.NoError(t, err)
	_, err = d.writeTenants(simulatorsAt)
	require.NoError(t, err)
	content, err := os.ReadFile(d.file("countersign.yml"))
	require.NoError(t, err)
	edited := strings.Replace(string(content), "Acme Medical", "Acme Surgical", 1)
	require.NoError(t, os.WriteFile(d.file("countersign.yml"), []byte(edited), 0o600))

	changed, err := d.writeTenants(simulatorsAt)
	require.NoError(t, err)
	require.False(t, changed)

	changed, err = d.writeTenants("http://127.0.0.1:9998")
	require.NoError(t, err)
	require.True(t, changed, "the simulators have moved")
	tenant := loadTenants(t, d)
	require.Equal(t, "Acme Surgical", tenant.Name)
	require.Equal(t, "http://127.0.0.1:9998/arena", tenant.QMS.URL)
}

func TestSecretsSurviveARestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	first, err := openData(dir)
	require.NoError(t, err)
	again, err := openData(dir)
	require.NoError(t, err)
	require.Equal(t, first.secrets, again.secrets)
	require.Len(t, first.secrets, len(variables()))

	// A line that was taken out is made anew, the others stay.
	file := first.file("secrets.env")
	require.NoError(t, os.WriteFile(file, []byte(lmsSecret+"=my-own-secret-of-the-lms"), 0o600))
	third, err := openData(dir)
	require.NoError(t, err)
	require.Equal(t, "my-own-secret-of-the-lms", third.secrets[lmsSecret])
	require.NotEqual(t, first.secrets[arenaSecret], third.secrets[arenaSecret])
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestEnvironmentIsForAShell(t *testing.T) {
	d := &data{dir: t.TempDir()}
	require.NoError(t, d.writeEnvironment(map[string]string{"B": "it's", "A": "$HOME `x`"}))
	out, err := exec.CommandContext(t.Context(), "sh", "-c", `. "$0"; printf '%s|%s' "$A" "$B"`, d.file(environmentFile)).Output()
	require.NoError(t, err)
	require.Equal(t, "$HOME `x`|it's", string(out))
	info, err := os.Stat(d.file(environmentFile))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

// The printed command works as printed: signature and body are what the ingress checks (R24, R195).
func TestPrintedDeliveryIsAccepted_R195(t *testing.T) {
	body := sampleBody(time.Date(2026, 4, 8, 14, 30, 22, 0, time.UTC))
	require.NotContains(t, body, "'", "it stands in single quotes")

	verifier, err := signature.NewHMAC([]string{"s3cret"}, sender.SignatureHeader)
	require.NoError(t, err)
	header := http.Header{}
	header.Set(sender.SignatureHeader, sender.Sign("s3cret", []byte(body)))
	_, err = verifier.Verify(lms.Request{Header: header, Body: []byte(body)})
	require.NoError(t, err)

	decoded, err := canonical.New(nil).Decode(lms.Request{Body: []byte(body)})
	require.NoError(t, err)
	require.Empty(t, decoded.Problems)
	require.Len(t, decoded.Completions, 1)
	require.Equal(t, "EMP-5658622", decoded.Completions[0].Learner.ExternalID)
	require.Equal(t, "COMP-2026", decoded.Completions[0].Course.Code)
}

func TestChoosePorts(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	taken := listener.Addr().(*net.TCPAddr).Port
	all := func(given bool) options.Ports {
		p := options.Port{Number: taken, Given: given}
		return options.Ports{Ingress: p, Metrics: p, Simulators: p, Temporal: p, TemporalUI: p, SMTP: p}
	}
	chosen, notes, err := choosePorts(all(false))
	require.NoError(t, err)
	require.Len(t, notes, 6)
	require.Len(t, map[int]bool{taken: true, chosen.ingress: true, chosen.metrics: true, chosen.simulators: true,
		chosen.temporal: true, chosen.temporalUI: true, chosen.smtp: true}, 7, "all differ")

	_, _, err = choosePorts(all(true))
	require.ErrorContains(t, err, "is taken")
}

func TestDeliveryLine(t *testing.T) {
	about := sender.Finish{Learner: sender.Learner{ExternalID: "HR-4829"}, Course: sender.Course{Code: "COMP-2026"}}
	item := sender.Item{Kind: sender.KindCompletion, Profile: sender.Docebo(), About: about, Post: sender.Post{Finishes: []sender.Finish{about}}}
	for name, tt := range map[string]struct {
		change  func(*sender.Item)
		outcome sender.Outcome
		has     string
		end     string
	}{
		"accepted": {nil, sender.Outcome{Delivered: true, Attempts: 1, Status: 200,
			Body: []byte(`{"verdict":"accepted","completions":[{"fingerprint":"0123456789abcdef"}]}`)}, "HR-4829", "200 accepted  0123456789ab"},
		"later": {nil, sender.Outcome{Delivered: true, Attempts: 3, Status: 200, Body: []byte(`{"verdict":"accepted"}`)},
			"COMP-2026", "200 accepted  (attempt 3)"},
		"batch": {func(i *sender.Item) { i.Post.Finishes = []sender.Finish{about, about} },
			sender.Outcome{Attempts: 1, Status: 200, Body: []byte(`{"verdict":"accepted"}`)}, "2 learners", "200 accepted"},
		"ignored": {func(i *sender.Item) { i.Kind, i.Post = sender.KindNoise, sender.Post{Event: "course.updated"} },
			sender.Outcome{Attempts: 1, Status: 200, Body: []byte(`{"verdict":"ignored","reason":"not a completion event"}`)},
			"course.updated", "200 ignored  not a completion event"},
		"no JSON": {nil, sender.Outcome{Attempts: 1, Status: 502, Body: []byte("bad gateway\n"), GaveUp: true},
			"HR-4829", "502 bad gateway  the LMS gives up"},
		"nobody": {nil, sender.Outcome{Attempts: 10, Err: errors.New("connection refused"), Disabled: true},
			"HR-4829", "no answer: connection refused  (attempt 10)  the LMS has switched the integration off"},
	} {
		t.Run(name, func(t *testing.T) {
			d := sender.Delivery{Item: item, Outcome: tt.outcome}
			if tt.change != nil {
				tt.change(&d.Item)
			}
			line := deliveryLine(d)
			require.True(t, strings.HasPrefix(line, "docebo "), line)
			require.True(t, strings.HasSuffix(line, tt.end), line)
			require.Contains(t, line, tt.has)
		})
	}
}

func TestOnlyWarningsReachTheTerminal(t *testing.T) {
	var out bytes.Buffer
	w := newWarnings("worker", &out)
	for _, part := range []string{
		"time=2026-11-21T00:23:06.855Z level=INFO msg=\"worker runs\" process=worker\ntime=2026-11-21T00:23:07Z level=WA",
		"RN msg=\"step failed\" process=worker tenant=acme fingerprint=" + strings.Repeat("0123456789abcdef", 4) + " class=unreachable\n",
		"panic: not a line of the log\n",
	} {
		_, err := w.Write([]byte(part))
		require.NoError(t, err)
	}
	require.Equal(t, "  worker: \"step failed\" fingerprint=0123456789ab class=unreachable\n", out.String())
}
