package notify_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/notify"
)

func TestGreetSendsNothing(t *testing.T) {
	certificate, roots := selfSigned(t)
	s := &sink{}
	cfg := serve(t, s, &certificate)
	cfg.Security, cfg.TLS = notify.SecurityStartTLS, &tls.Config{RootCAs: roots}
	state, err := sender(t, cfg).Greet(t.Context())
	require.NoError(t, err)
	require.NotNil(t, state)
	require.NotEmpty(t, state.PeerCertificates)

	cfg.TLS = nil
	_, err = sender(t, cfg).Greet(t.Context())
	require.ErrorContains(t, err, "certificate", "an unknown certificate is not taken")

	cfg = serve(t, s, nil)
	state, err = sender(t, cfg).Greet(t.Context())
	require.NoError(t, err)
	require.Nil(t, state)
	require.Empty(t, s.messages)
}

// clerk is a mail server that speaks TLS and asks for a password; it keeps the words it was told.
func clerk(t *testing.T, verdict string) (cfg notify.MailConfig, told func() []string) {
	t.Helper()
	certificate, roots := selfSigned(t)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}})
	require.NoError(t, err)
	var words []string
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		say := func(text string) { _, _ = fmt.Fprint(conn, text+"\r\n") }
		say("220 mx.test")
		for lines := bufio.NewScanner(conn); lines.Scan(); {
			word, _, _ := strings.Cut(lines.Text(), " ")
			words = append(words, word)
			switch word {
			case "EHLO":
				say("250-mx.test\r\n250 AUTH PLAIN")
			case "AUTH":
				say(verdict)
			case "QUIT":
				say("221 bye")
				return
			default:
				say("500 what?")
			}
		}
	}()
	t.Cleanup(func() { _ = listener.Close() })
	return notify.MailConfig{
		Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, Security: notify.SecurityTLS, TLS: &tls.Config{RootCAs: roots},
		Username: "jane@acme.example", Password: "s3cret", From: "a@b.example", To: []string{"c@d.example"}, Timeout: 5 * time.Second,
	}, func() []string { <-done; return words }
}

func TestGreetGivesThePasswordAndLeaves(t *testing.T) {
	cfg, told := clerk(t, "235 welcome")
	_, err := sender(t, cfg).Greet(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"EHLO", "AUTH", "QUIT"}, told(), "no MAIL, no RCPT, no DATA")

	cfg, _ = clerk(t, "535 5.7.8 jane@acme.example is not welcome with s3cret")
	_, err = sender(t, cfg).Greet(t.Context())
	require.ErrorContains(t, err, "535")
	require.NotContains(t, err.Error(), "jane")
	require.NotContains(t, err.Error(), "s3cret")
}
