package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/settings"
)

func secret(value string) []settings.Secret { return []settings.Secret{settings.NewSecret(value)} }

func TestSourcesAreJudgedByWhatTheyAskFor(t *testing.T) {
	issuer := newAuthority(t)
	hmac := settings.Auth{HMACSHA256: &settings.HMACSHA256{Secrets: secret("s")}}
	for name, test := range map[string]struct {
		auth settings.Auth
		mode settings.Mode
		want map[string]Level
	}{
		"proved":    {hmac, settings.ModeLive, map[string]Level{"sources.auth": OK}},
		"test mode": {hmac, settings.ModeTest, map[string]Level{"sources.auth": OK, "sources.mode": Warning}},
		"none":      {settings.Auth{None: true}, settings.ModeTest, map[string]Level{"sources.auth": Warning, "sources.mode": Warning}},
		"addresses": {settings.Auth{IPAllow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, settings.ModeLive, map[string]Level{"sources.auth": Warning}},
		"in URL":    {settings.Auth{TokenIn: &settings.TokenIn{Query: "key", Secrets: secret("s")}}, settings.ModeLive, map[string]Level{"sources.auth": Note}},
		"in body":   {settings.Auth{TokenIn: &settings.TokenIn{Body: "key", Secrets: secret("s")}}, settings.ModeLive, map[string]Level{"sources.auth": OK}},
		"MD5":       {settings.Auth{LearnUponV1: &settings.LearnUponV1{Secrets: secret("s")}}, settings.ModeLive, map[string]Level{"sources.auth": Note}},
		"keys gone": {settings.Auth{JWT: &settings.JWT{KeysURL: "http://127.0.0.1:1/keys"}}, settings.ModeLive, map[string]Level{"sources.auth": OK, "sources.keys": Error}},
		"authority": {settings.Auth{MTLS: &settings.MTLS{Authorities: []*x509.Certificate{issuer.certificate}}}, settings.ModeLive, map[string]Level{"sources.auth": OK, "sources.authority": OK}},
	} {
		t.Run(name, func(t *testing.T) {
			tenant := settings.Tenant{Sources: []settings.Source{{ID: "lms", Mode: test.mode, Auth: test.auth}}}
			found := sources{tenant, Dialer{}, time.Now}.run(t.Context())
			require.Equal(t, test.want, levelsOf(found))
			require.Equal(t, "lms", found[0].Subject)
		})
	}
	old := sources{settings.Tenant{Sources: []settings.Source{{Auth: settings.Auth{MTLS: &settings.MTLS{Authorities: []*x509.Certificate{issuer.certificate}}}}}}, Dialer{},
		func() time.Time { return issuer.certificate.NotAfter.Add(-time.Hour) }}
	require.Equal(t, Error, the(t, old.run(t.Context()), "sources.authority").Level)
}

func TestSecretsGetOld_R208(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "countersign.yml")
	for _, name := range []string{"qms", "old", "new"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("the-secret-of-"+name+"-xxxxxxxx"), 0o600))
	}
	t.Setenv("DOCTOR_SECRET", "the-secret-in-the-environment")
	require.NoError(t, os.WriteFile(file, []byte(`tenants:
  - id: acme
    name: Acme
    admins: [a@acme.example]
    qms: {url: "https://qms.acme.example", client_id: svc, client_secret: "file:qms"}
    sources: [{id: lms, platform: canonical, auth: {hmac_sha256: {secrets: ["file:old", "file:new"]}}}, {id: b, platform: canonical, auth: {bearer: {secrets: ["env:DOCTOR_SECRET"]}}}]
`), 0o600))
	loaded, err := settings.Load(file, settings.Known{Platforms: []string{"canonical"}, QMS: []string{"arena"}})
	require.NoError(t, err)
	modified := func(reference string) (time.Time, bool) {
		switch reference {
		case "file:old":
			return noon.AddDate(-1, 0, 0), true
		case "file:new", "file:qms":
			return noon.AddDate(0, -1, 0), true
		default:
			return time.Time{}, false
		}
	}
	found := secretAge{loaded.Tenants[0], modified, atNoon}.run(t.Context())
	require.Len(t, found, 3)
	require.Equal(t, "file:old", found[0].Subject)
	require.Contains(t, found[0].Text, "365 days")
	require.Contains(t, found[1].Text, "1 secret is")
	require.Contains(t, found[2].Text, "2 secrets were")
	require.NotContains(t, fmt.Sprint(found), "the-secret")
}

func TestNoticesReachSomebody(t *testing.T) {
	chat := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("something was posted") }))
	defer chat.Close()
	channel := func(address string) settings.NoticeChannel {
		return settings.NoticeChannel{ID: "chat", Type: settings.ChannelSlack, URL: settings.NewSecret(address)}
	}
	for _, test := range []struct {
		mail     bool
		mailed   bool
		channels []settings.NoticeChannel
		want     map[string]Level
	}{
		{true, true, nil, map[string]Level{"notices.ways": OK}},
		{true, false, nil, map[string]Level{"notices.ways": Warning}},
		{false, true, nil, map[string]Level{"notices.ways": Warning}},
		{false, false, []settings.NoticeChannel{channel(chat.URL + "/services/s3cret")}, map[string]Level{"notices.ways": OK, "notices.channel": OK}},
		{true, true, []settings.NoticeChannel{channel("http://127.0.0.1:1/services/s3cret")}, map[string]Level{"notices.ways": OK, "notices.channel": Error}},
	} {
		tenant := settings.Tenant{Admins: []string{"a@acme.example"}, Notices: settings.Notices{Mail: test.mail, Channels: test.channels}}
		found := notices{tenant, test.mailed, Dialer{}, time.Now}.run(t.Context())
		require.Equal(t, test.want, levelsOf(found))
		require.NotContains(t, fmt.Sprint(found), "s3cret")
		require.NotContains(t, fmt.Sprint(found), "127.0.0.1", "of some channels the host is the secret")
		require.NotContains(t, fmt.Sprint(found), "a@acme")
	}
}

func TestCertificatesAreDrawnForTheTenant(t *testing.T) {
	for name, want := range map[string]Level{"Acme Medical": OK, "株式会社": Error} {
		tenant := settings.Tenant{Name: name, Certificate: settings.Certificate{Issuer: name}}
		require.Equal(t, want, the(t, certificates{tenant, atNoon}.run(t.Context()), "certificate.draw").Level, name)
	}
}

// letterbox is a mail server that greets as a test says.
type letterbox struct {
	state *tls.ConnectionState
	err   error
}

func (l letterbox) Greet(context.Context) (*tls.ConnectionState, error) { return l.state, l.err }

func TestMailServer(t *testing.T) {
	leaf := func(end time.Time) *tls.ConnectionState {
		return &tls.ConnectionState{Version: tls.VersionTLS13, PeerCertificates: []*x509.Certificate{{NotAfter: end}}}
	}
	for _, test := range []struct {
		post post
		want Level
		says string
	}{
		{post{}, Note, "no tenant wants one"},
		{post{wanted: true}, Warning, "there is no mail server"},
		{post{wrong: errors.New("mail: sender address")}, Error, "sender address"},
		{post{mail: letterbox{}}, OK, "in the clear"},
		{post{mail: letterbox{state: leaf(noon.AddDate(1, 0, 0))}, login: true}, OK, "with its account over TLS 1.3"},
		{post{mail: letterbox{state: leaf(noon.AddDate(0, 0, 10))}}, Warning, "in 10 days"},
		{post{mail: letterbox{err: errors.New("greet mail server: it answered 535")}}, Error, "535"},
		{post{mail: letterbox{err: fmt.Errorf("greet: %w", context.DeadlineExceeded)}}, Error, "does not answer in time"},
	} {
		test.post.now = atNoon
		f := the(t, test.post.run(t.Context()), "mail.server")
		require.Equal(t, test.want, f.Level, f.Text)
		require.Contains(t, f.Text, test.says)
	}
}

func TestTheWayIn_R204_R205(t *testing.T) {
	starter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			http.NotFound(w, r)
		}
	}))
	defer starter.Close()
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	issuer := newAuthority(t)
	soon := issuer.issue(t, "localhost", 10*24*time.Hour+time.Hour)
	secured, _ := secure(t, soon)
	address, _, _ := strings.Cut(strings.TrimPrefix(secured, "https://"), "/")
	cert, key := write(t, soon)
	host := func(s *httptest.Server) string { return s.Listener.Addr().String() }
	for _, test := range []struct {
		own  settings.Process
		want map[string]Level
	}{
		{settings.Process{Listen: host(starter)}, map[string]Level{"listen.http": OK, "listen.public": Note}},
		{settings.Process{Listen: host(other)}, map[string]Level{"listen.http": Error, "listen.public": Note}},
		{settings.Process{Listen: "127.0.0.1:1", PublicURL: "http://lms.acme.example"}, map[string]Level{"listen.http": Warning, "listen.public": Warning}},
		{settings.Process{Listen: host(starter), PublicURL: "https://127.0.0.1:1"}, map[string]Level{"listen.http": OK, "listen.public": Warning}},
		{settings.Process{Listen: host(starter), PublicURL: secured, TLSListen: address, TLSCert: cert, TLSKey: key},
			map[string]Level{"listen.http": OK, "listen.public": Warning, "listen.certificate": Warning, "listen.tls": OK}},
		{settings.Process{Listen: host(starter), TLSListen: "127.0.0.1:1", TLSCert: key, TLSKey: key},
			map[string]Level{"listen.http": OK, "listen.public": Note, "listen.certificate": Error, "listen.tls": Warning}},
	} {
		require.Equal(t, test.want, levelsOf(door{test.own, Dialer{Roots: issuer.pool()}, time.Now}.run(t.Context())), test.own)
	}
	f := the(t, door{settings.Process{Listen: host(starter), PublicURL: secured}, Dialer{Roots: newAuthority(t).pool()}, time.Now}.run(t.Context()), "listen.public")
	require.Equal(t, Error, f.Level, "what is wrong with the certificate is wrong from outside too")
	require.Equal(t, "localhost:8080", local(":8080"))
	require.Equal(t, "localhost:8080", local("0.0.0.0:8080"))
}

// write puts a certificate and its key into PEM files.
func write(t testing.TB, c tls.Certificate) (cert, key string) {
	t.Helper()
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	return cert, key
}

func TestMistakesOfTheSettingsAreFindings(t *testing.T) {
	all := []settings.Tenant{{ID: "acme"}, {ID: "globex", Sources: make([]settings.Source, 2)}}
	found := files{file: "countersign.yml", all: all, warnings: []string{"countersign.yml:3:1: tenants[1].sources[0]: short", "COUNTERSIGN_X is not a setting", "x: tenants[7]: odd"}}.run(t.Context())
	require.Equal(t, fine("settings.file", "countersign.yml: 2 tenants, 2 sources; every secret is there"), found[0])
	require.Equal(t, []string{"globex", "", ""}, []string{found[1].Tenant, found[2].Tenant, found[3].Tenant})

	wrong := fmt.Errorf("load: %w", settings.Mistakes{{File: "f", Line: 1, Column: 2, Key: "a", Text: "odd"}, {File: "f", Line: 3, Column: 4, Text: "odd too"}})
	environment := fmt.Errorf("read environment: %w", errors.Join(errors.New("COUNTERSIGN_LISTEN: odd"), errors.New("COUNTERSIGN_TENANTS: odd")))
	var texts []string
	for _, f := range (files{environment: environment, tenants: wrong}).run(t.Context()) {
		require.Equal(t, Error, f.Level)
		texts = append(texts, f.Text)
	}
	require.Equal(t, []string{"COUNTERSIGN_LISTEN: odd", "COUNTERSIGN_TENANTS: odd", "f:1:2: a: odd", "f:3:4: odd too"}, texts)
	require.Equal(t, []string{"no such file"}, mistakes(errors.New("no such file")))
}

func TestWhatCannotBeBuiltHidesNothing(t *testing.T) {
	i := Installation{
		Own: settings.Process{Listen: "127.0.0.1:1"}, Tenants: &settings.Settings{Tenants: []settings.Tenant{{ID: "acme", Name: "Acme", QMS: settings.QMS{URL: "http://127.0.0.1:1"}}, {ID: "globex"}}},
		JournalErr: errors.New("no database"), TemporalErr: errors.New("no address"), MailErr: errors.New("no sender"),
		Ports:          map[string]Ports{"acme": {Err: errors.New("tenant acme: odd")}},
		SecretModified: func(string) (time.Time, bool) { return time.Time{}, false },
	}
	options := Options{Tenant: "acme"}
	require.Equal(t, []Subject{{"acme", "Acme"}}, i.Subjects(options))
	found := Examine(t.Context(), i.Checks(options), time.Minute)
	got := levelsOf(found)
	for _, check := range []string{"journal.open", "temporal.reach", "mail.server", "qms.connection", "settings.tenant"} {
		require.Equal(t, Error, got[check], check)
	}
	require.Equal(t, OK, got["certificate.draw"])
	for _, f := range found {
		require.NotEqual(t, "globex", f.Tenant)
	}
	require.Len(t, Installation{Environment: errors.New("odd")}.Checks(Options{}), 1)
	require.Empty(t, i.Subjects(Options{Tenant: "umbrella"}))
	require.Len(t, i.Subjects(Options{}), 2)
}
