package notify_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"countersign/internal/notify"
	"countersign/internal/training"
)

// sink is a real SMTP server that keeps what it was sent.
type sink struct {
	mu       sync.Mutex
	messages []received
	refuse   map[string]*smtp.SMTPError
	hang     chan struct{} // when set, DATA is answered once it is closed
}

type received struct {
	to   string
	data []byte
}

func (s *sink) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{sink: s}, nil }

type session struct {
	sink *sink
	to   []string
}

func (s *session) Reset()                               { s.to = nil }
func (s *session) Logout() error                        { return nil }
func (s *session) Mail(string, *smtp.MailOptions) error { return nil }
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if err := s.sink.refuse[to]; err != nil {
		return err
	}
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if s.sink.hang != nil {
		<-s.sink.hang
	}
	s.sink.mu.Lock()
	defer s.sink.mu.Unlock()
	s.sink.messages = append(s.sink.messages, received{to: strings.Join(s.to, ","), data: data})
	return nil
}

// serve starts the server; the settings returned reach it in the clear, or over TLS when
// certificate is not nil.
func serve(t *testing.T, s *sink, certificate *tls.Certificate) notify.MailConfig {
	t.Helper()
	server := smtp.NewServer(s)
	server.Domain = "mx.test"
	server.ErrorLog = discard{}
	if certificate != nil {
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*certificate}}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return notify.MailConfig{
		Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, Security: notify.SecurityNone,
		From: "Countersign <countersign@acme.example>", To: []string{"admin@acme.example"}, Timeout: 5 * time.Second,
	}
}

type discard struct{}

func (discard) Printf(string, ...any) {}
func (discard) Println(...any)        {}

func sender(t *testing.T, cfg notify.MailConfig) *notify.Mail {
	t.Helper()
	m, err := notify.NewMail(cfg)
	require.NoError(t, err)
	return m
}

// parse reads a message as a mail program does.
func parse(t *testing.T, data []byte) (header netmail.Header, subject, text, html string) {
	t.Helper()
	message, err := netmail.ReadMessage(bytes.NewReader(data))
	require.NoError(t, err)
	subject, err = new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject"))
	require.NoError(t, err)
	kind, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "multipart/alternative", kind)
	parts := multipart.NewReader(message.Body, params["boundary"])
	bodies := map[string]string{}
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		require.Equal(t, "quoted-printable", part.Header.Get("Content-Transfer-Encoding"))
		body, err := io.ReadAll(quotedprintable.NewReader(part))
		require.NoError(t, err)
		kind, params, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		require.NoError(t, err)
		require.Equal(t, "UTF-8", params["charset"])
		bodies[kind] = strings.ReplaceAll(string(body), "\r\n", "\n")
	}
	return message.Header, subject, bodies["text/plain"], bodies["text/html"]
}

func TestOneFailureIsOneMessage_R133(t *testing.T) {
	s := &sink{}
	require.NoError(t, sender(t, serve(t, s, nil)).Send(t.Context(), single()))
	require.Len(t, s.messages, 1)
	header, subject, text, html := parse(t, s.messages[0].data)
	require.Equal(t, "Acme Medical Devices: A completion of GDPR-2026 needs a decision", subject)
	require.Equal(t, "admin@acme.example", s.messages[0].to)
	require.Equal(t, "auto-generated", header.Get("Auto-Submitted"))
	require.Equal(t, "Sat, 14 Mar 2026 14:30:00 +0000", header.Get("Date"))
	golden(t, "single.txt", text)
	golden(t, "single.html", html)
}

func TestManyFailuresAreOneDigest(t *testing.T) {
	s := &sink{}
	require.NoError(t, sender(t, serve(t, s, nil)).Send(t.Context(), digest()))
	require.Len(t, s.messages, 1)
	_, subject, text, html := parse(t, s.messages[0].data)
	require.Equal(t, "Acme Medical Devices: 27 completions of 4 courses need a decision", subject)
	golden(t, "digest.txt", text)
	golden(t, "digest.html", html)
}

func TestApprovalIsAskedFor(t *testing.T) {
	n := single()
	n.Kind, n.Failures[0].Class, n.Failures[0].Detail = notify.KindApproval, "", ""
	s := &sink{}
	require.NoError(t, sender(t, serve(t, s, nil)).Send(t.Context(), n))
	_, subject, text, _ := parse(t, s.messages[0].data)
	require.Equal(t, "Acme Medical Devices: A completion of GDPR-2026 needs an approval", subject)
	golden(t, "approval.txt", text)
}

func TestResendIsTheSameMessage(t *testing.T) {
	s := &sink{}
	m := sender(t, serve(t, s, nil))
	require.NoError(t, m.Send(t.Context(), single()))
	require.NoError(t, m.Send(t.Context(), single()))
	require.NoError(t, m.Send(t.Context(), digest()))
	require.Equal(t, string(s.messages[0].data), string(s.messages[1].data))
	first, _, _, _ := parse(t, s.messages[0].data)
	other, _, _, _ := parse(t, s.messages[2].data)
	require.Regexp(t, `^<[0-9a-f]{32}@acme\.example>$`, first.Get("Message-ID"))
	require.NotEqual(t, first.Get("Message-ID"), other.Get("Message-ID"))
}

// Course titles and tenant names come from outside; a header must not.
func TestNothingIsInjected(t *testing.T) {
	n := single()
	n.TenantName = "Acme\r\nBcc: thief@evil.example\r\n\r\nbody"
	n.Failures[0].CourseLabel = "GDPR\n\u202eBcc: x@evil.example <script>alert(1)</script>" + strings.Repeat("x", 5000)
	n.Failures[0].Detail = "\r\n.\r\nQUIT"
	n.Failures[0].Explanation = training.Explanation{Happened: "h", Means: "m", Do: "d"}
	n.Link = "javascript:alert(1)"
	n.ID = "x>\r\nBcc: y@evil.example"
	s := &sink{}
	require.NoError(t, sender(t, serve(t, s, nil)).Send(t.Context(), n))
	require.Len(t, s.messages, 1)
	require.Equal(t, "admin@acme.example", s.messages[0].to)
	header, subject, text, html := parse(t, s.messages[0].data)
	require.Empty(t, header["Bcc"])
	require.NotContains(t, subject, "\n")
	require.Less(t, len(subject), 400)
	require.NotContains(t, text, "\u202e")
	require.NotContains(t, html, "<script>")
	require.NotContains(t, html, `href="javascript`)
}

func TestEachRecipientGetsAMessage_OneRefusedDoesNotSilenceTheOthers(t *testing.T) {
	var log bytes.Buffer
	s := &sink{refuse: map[string]*smtp.SMTPError{
		"gone@acme.example": {Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user gone@acme.example"},
	}}
	cfg := serve(t, s, nil)
	cfg.To = []string{"gone@acme.example", "a@acme.example", "b@acme.example"}
	cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	require.NoError(t, sender(t, cfg).Send(t.Context(), single()))
	require.Len(t, s.messages, 2)
	require.Contains(t, log.String(), "recipient=1")
	require.NotContains(t, log.String(), "@acme.example")

	cfg.To = cfg.To[:1]
	err := sender(t, cfg).Send(t.Context(), single())
	require.ErrorContains(t, err, "send notice acme/inbox/1 by mail")
	require.ErrorContains(t, err, "550")
	require.NotContains(t, err.Error(), "gone@")
}

func TestServerThatIsDownOrSilentIsAnError(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := listener.Addr().(*net.TCPAddr).Port
	require.NoError(t, listener.Close())
	cfg := notify.MailConfig{Host: "127.0.0.1", Port: port, Security: notify.SecurityNone, From: "a@b.example", To: []string{"c@d.example"}}
	require.ErrorContains(t, sender(t, cfg).Send(t.Context(), single()), "by mail")

	s := &sink{hang: make(chan struct{})}
	cfg = serve(t, s, nil)
	t.Cleanup(func() { close(s.hang) })
	cfg.Timeout = 100 * time.Millisecond
	require.ErrorContains(t, sender(t, cfg).Send(t.Context(), single()), "by mail")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, sender(t, cfg).Send(ctx, single()), context.Canceled)
}

func TestTLSIsMandatoryUnlessSaidOtherwise(t *testing.T) {
	certificate, roots := selfSigned(t)
	s := &sink{}
	cfg := serve(t, s, &certificate)
	cfg.Security, cfg.TLS = "", &tls.Config{RootCAs: roots}
	require.NoError(t, sender(t, cfg).Send(t.Context(), single()))
	require.Len(t, s.messages, 1)

	cfg.TLS = nil
	require.ErrorContains(t, sender(t, cfg).Send(t.Context(), single()), "certificate", "an unknown certificate is not taken")

	plain := &sink{}
	cfg = serve(t, plain, nil)
	cfg.Security = notify.SecurityStartTLS
	require.Error(t, sender(t, cfg).Send(t.Context(), single()), "a server without STARTTLS gets nothing")
	require.Empty(t, plain.messages)
}

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

func TestMailSettingsAreChecked(t *testing.T) {
	good := notify.MailConfig{Host: "mx.example", From: "a@b.example", To: []string{"c@d.example"}, Password: "s3cret"}
	_, err := notify.NewMail(good)
	require.NoError(t, err)
	for want, change := range map[string]func(*notify.MailConfig){
		"sender address":                func(c *notify.MailConfig) { c.From = "nobody" },
		"no recipients":                 func(c *notify.MailConfig) { c.To = nil },
		"recipient 2":                   func(c *notify.MailConfig) { c.To = append(c.To, "x\r\ny@z.example") },
		"for this machine only":         func(c *notify.MailConfig) { c.Security = notify.SecurityNone },
		"not sent in the clear":         func(c *notify.MailConfig) { c.Security, c.AllowPlaintext, c.Username = notify.SecurityNone, true, "u" },
		`security must be "starttls"`:   func(c *notify.MailConfig) { c.Security = "ssl" },
		"invalid port number":           func(c *notify.MailConfig) { c.Port = 70000 },
		"hostname for client cannot be": func(c *notify.MailConfig) { c.Host = "" },
	} {
		cfg := good
		change(&cfg)
		_, err := notify.NewMail(cfg)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "s3cret")
	}
}
