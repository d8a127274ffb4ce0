package notify

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/wneessen/go-mail"
)

// Security is how the connection to the mail server is protected.
type Security string

const (
	// SecurityStartTLS upgrades by STARTTLS and sends nothing if it cannot; the default.
	SecurityStartTLS Security = "starttls"
	// SecurityTLS speaks TLS from the first byte (RFC 8314, port 465).
	SecurityTLS Security = "tls"
	// SecurityNone sends in the clear, without credentials, to a mail sink on this machine or,
	// with AllowPlaintext, in a development network.
	SecurityNone Security = "none"
)

// MailConfig is the mail server and who is written to.
type MailConfig struct {
	Host string
	// Port is 587, or 465 with SecurityTLS, when 0.
	Port     int
	Security Security
	// AllowPlaintext lets SecurityNone reach beyond this machine.
	AllowPlaintext bool
	// TLS adds to the TLS settings, e.g. a private CA; nil for the system's.
	TLS *tls.Config

	// Username and Password are for SMTP AUTH; Username "" sends without.
	Username string
	Password string

	// From and To are addresses, with or without a name. Each of To gets a message of its own.
	From string
	To   []string
	// Timeout bounds each step of the dialogue; 30 seconds when 0.
	Timeout time.Duration
	// Log takes recipients the server refused while others were told; nil for none.
	Log *slog.Logger
}

// options are cfg in the library's terms.
func (cfg MailConfig) options() ([]mail.Option, error) {
	options := []mail.Option{mail.WithoutNoop()}
	switch cfg.Security {
	case SecurityStartTLS, "":
		options = append(options, mail.WithTLSPortPolicy(mail.TLSMandatory))
	case SecurityTLS:
		options = append(options, mail.WithSSLPort(false))
	case SecurityNone:
		if !cfg.AllowPlaintext && !loopback(cfg.Host) {
			return nil, errors.New("mail: security none is for this machine only")
		}
		if cfg.Username != "" {
			return nil, errors.New("mail: a password is not sent in the clear")
		}
		options = append(options, mail.WithTLSPortPolicy(mail.NoTLS))
	default:
		return nil, fmt.Errorf("mail: security must be %q, %q or %q", SecurityStartTLS, SecurityTLS, SecurityNone)
	}
	if cfg.Port != 0 {
		options = append(options, mail.WithPort(cfg.Port))
	}
	options = append(options, mail.WithTimeout(cmp.Or(cfg.Timeout, 30*time.Second)))
	if cfg.TLS != nil {
		own := cfg.TLS.Clone()
		if own.ServerName == "" {
			own.ServerName = cfg.Host
		}
		options = append(options, mail.WithTLSConfig(own))
	}
	if cfg.Username != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover),
			mail.WithUsername(cfg.Username), mail.WithPassword(cfg.Password))
	}
	return options, nil
}

// loopback reports whether what is sent to host never leaves this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}
