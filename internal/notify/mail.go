package notify

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"log/slog"
	netmail "net/mail"
	"slices"
	"strings"
	texttemplate "text/template"

	"github.com/wneessen/go-mail"
)

//go:embed templates/notice.txt templates/notice.html
var templates embed.FS

// Mail sends notices by e-mail, as text with an HTML alternative.
type Mail struct {
	host    string
	options []mail.Option
	from    string
	domain  string
	to      []string
	text    *texttemplate.Template
	html    *htmltemplate.Template
	log     *slog.Logger
}

// NewMail checks the settings; it does not connect. Its errors show no password.
func NewMail(cfg MailConfig) (*Mail, error) {
	from, err := netmail.ParseAddress(cfg.From)
	if err != nil {
		return nil, fmt.Errorf("mail: sender address: %w", err)
	}
	if len(cfg.To) == 0 {
		return nil, errors.New("mail: no recipients")
	}
	for i, to := range cfg.To {
		if _, err := netmail.ParseAddress(to); err != nil {
			return nil, fmt.Errorf("mail: recipient %d: %w", i+1, err)
		}
	}
	options, err := cfg.options()
	if err != nil {
		return nil, err
	}
	if _, err := mail.NewClient(cfg.Host, options...); err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	text, err := texttemplate.ParseFS(templates, "templates/notice.txt")
	if err != nil {
		return nil, fmt.Errorf("mail: text template: %w", err)
	}
	html, err := htmltemplate.ParseFS(templates, "templates/notice.html")
	if err != nil {
		return nil, fmt.Errorf("mail: HTML template: %w", err)
	}
	m := &Mail{
		host: cfg.Host, options: options, from: cfg.From, to: cfg.To, text: text, html: html, log: cfg.Log,
		domain: from.Address[strings.LastIndexByte(from.Address, '@')+1:],
	}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	return m, nil
}

// Send implements Channel. It succeeds when the server took the message for at least one
// recipient: an error would have those who were told be told again. The others are logged, by
// their place in the list.
func (m *Mail) Send(ctx context.Context, n Notice) error {
	if err := n.validate(); err != nil {
		return err
	}
	composed := compose(n, listed)
	messages := make([]*mail.Msg, len(m.to))
	for i, to := range m.to {
		message, err := m.message(n, composed, to)
		if err != nil {
			return fmt.Errorf("send notice %s by mail: %w", n.ID, err)
		}
		messages[i] = message
	}
	client, err := mail.NewClient(m.host, m.options...)
	if err != nil {
		return fmt.Errorf("send notice %s by mail: %w", n.ID, err)
	}
	failed := client.DialAndSendWithContext(ctx, messages...)
	// A connection that breaks after the server took the message is no reason to send it again.
	if !slices.ContainsFunc(messages, (*mail.Msg).IsDelivered) {
		return fmt.Errorf("send notice %s by mail: %w", n.ID, nameless(failed))
	}
	for i, message := range messages {
		if !message.IsDelivered() {
			m.log.WarnContext(ctx, "notice not taken for one recipient",
				slog.String("tenant", n.Tenant), slog.String("notice", n.ID), slog.Int("recipient", i+1))
		}
	}
	return nil
}

// nameless is err without the recipients' addresses, which the library and many servers put into
// their texts: the step that failed and the server's code.
func nameless(err error) error {
	var refused *mail.SendError
	if !errors.As(err, &refused) {
		return err
	}
	if code := refused.ErrorCode(); code != 0 {
		return fmt.Errorf("%s: server answered %d", refused.Reason, code)
	}
	return errors.New(refused.Reason.String())
}

// message is the same, byte for byte, in every attempt: mail systems and readers know a resend
// by its Message-ID.
func (m *Mail) message(n Notice, composed message, to string) (*mail.Msg, error) {
	sum := sha256.Sum256([]byte(n.ID + "\x00" + to))
	name := hex.EncodeToString(sum[:16])

	msg := mail.NewMsg(mail.WithNoDefaultUserAgent(), mail.WithBoundary("countersign-"+name))
	if err := msg.From(m.from); err != nil {
		return nil, fmt.Errorf("sender: %w", err)
	}
	if err := msg.To(to); err != nil {
		return nil, fmt.Errorf("recipient: %w", err)
	}
	msg.Subject(composed.Subject)
	msg.SetMessageIDWithValue(name + "@" + m.domain)
	msg.SetDateWithValue(n.At.UTC())
	// RFC 3834: no out-of-office answers.
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	if err := msg.SetBodyTextTemplate(m.text, composed); err != nil {
		return nil, fmt.Errorf("text: %w", err)
	}
	if err := msg.AddAlternativeHTMLTemplate(m.html, composed); err != nil {
		return nil, fmt.Errorf("HTML: %w", err)
	}
	return msg, nil
}
