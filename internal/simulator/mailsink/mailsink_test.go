package mailsink_test

import (
	"context"
	"fmt"
	"net"
	"net/smtp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/wneessen/go-mail"

	"countersign/internal/simulator/mailsink"
)

func start(t *testing.T, options mailsink.Options) *mailsink.Sink {
	t.Helper()
	sink, err := mailsink.Start(options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, sink.Close()) })
	return sink
}

// send posts a mail as the product does, through its mail library.
func send(t *testing.T, sink *mailsink.Sink, subject, body string) error {
	t.Helper()
	host, port, err := net.SplitHostPort(sink.Addr())
	require.NoError(t, err)
	number, err := strconv.Atoi(port)
	require.NoError(t, err)
	m := mail.NewMsg()
	require.NoError(t, m.From("countersign@example.com"))
	require.NoError(t, m.To("training-admins@example.com"))
	m.Subject(subject)
	m.SetBodyString(mail.TypeTextPlain, body)
	m.AddAlternativeString(mail.TypeTextHTML, "<p>"+body+"</p>")
	client, err := mail.NewClient(host, mail.WithPort(number), mail.WithTLSPolicy(mail.NoTLS))
	require.NoError(t, err)
	return client.DialAndSendWithContext(t.Context(), m)
}

func TestReceivesMail(t *testing.T) {
	at := time.Date(2026, 4, 8, 15, 0, 0, 0, time.UTC)
	sink := start(t, mailsink.Options{Now: func() time.Time { return at }})
	require.NoError(t, send(t, sink, "Prüfung nötig: 3 Schulungen", "Grüße, drei warten.\nZweite Zeile."))
	messages, err := sink.Wait(t.Context(), 1)
	require.NoError(t, err)
	require.Len(t, messages, 1)
	m := messages[0]
	require.Equal(t, at, m.At)
	require.Equal(t, "countersign@example.com", m.From)
	require.Equal(t, []string{"training-admins@example.com"}, m.To)
	require.Equal(t, "Prüfung nötig: 3 Schulungen", m.Subject)
	require.Equal(t, "Grüße, drei warten.\nZweite Zeile.", m.Text)
	require.Equal(t, "<p>Grüße, drei warten.\nZweite Zeile.</p>", m.HTML)
	require.Contains(t, string(m.Raw), "multipart/alternative")
}

func TestKeepsTheLast(t *testing.T) {
	sink := start(t, mailsink.Options{Keep: 2})
	for i := range 4 {
		require.NoError(t, smtp.SendMail(sink.Addr(), nil, "a@example.com", []string{"b@example.com"},
			fmt.Appendf(nil, "Subject: %d\r\n\r\nhello\r\n", i)))
	}
	messages, err := sink.Wait(t.Context(), 4)
	require.NoError(t, err)
	require.Len(t, messages, 2)
	require.Equal(t, "2", messages[0].Subject)
	require.Equal(t, "hello\n", messages[1].Text)
}

func TestMalformedMailIsKept(t *testing.T) {
	sink := start(t, mailsink.Options{})
	require.NoError(t, smtp.SendMail(sink.Addr(), nil, "a@example.com", []string{"b@example.com"}, []byte("no header at all\r\n")))
	require.Contains(t, string(sink.Messages()[0].Raw), "no header at all")
}

func TestRefusesForAWhile(t *testing.T) {
	sink := start(t, mailsink.Options{})
	sink.RefuseNext(1)
	require.ErrorContains(t, send(t, sink, "s", "b"), "451")
	require.Empty(t, sink.Messages())
	require.NoError(t, send(t, sink, "s", "b"))
	require.Len(t, sink.Messages(), 1)
}

func TestWaitEndsWithItsContext(t *testing.T) {
	sink := start(t, mailsink.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := sink.Wait(ctx, 1)
	require.ErrorIs(t, err, context.Canceled)
}

func TestListensOnLoopbackOnly(t *testing.T) {
	_, err := mailsink.Start(mailsink.Options{Addr: "0.0.0.0:0"})
	require.ErrorContains(t, err, "loopback")
}
