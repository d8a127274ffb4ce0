package settings

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kelseyhightower/envconfig"
)

// prefix begins the name of every variable: COUNTERSIGN_LISTEN.
const prefix = "COUNTERSIGN"

// Process is what a starter or a worker reads from its environment. The tags are the source of
// Table, and with it of docs/configuration.md.
type Process struct {
	Listen                   string        `default:":8080" desc:"Address the starter serves HTTP on. TLS ends in front of it, or on TLS_LISTEN."`
	TLSListen                string        `split_words:"true" desc:"Address the starter serves HTTPS on, beside LISTEN; it asks clients for a certificate and needs none. Without it there is no TLS."`
	TLSCert                  string        `split_words:"true" desc:"PEM file of the certificate for TLS_LISTEN, with its chain. Read again when it changes."`
	TLSKey                   string        `split_words:"true" desc:"PEM file of its private key. Read again when it changes."`
	MetricsListen            string        `split_words:"true" default:":8081" desc:"Address the worker serves /healthz, /readyz and /metrics on."`
	Journal                  Secret        `default:"sqlite:countersign.db" desc:"The journal: sqlite:PATH, or postgres://USER@HOST:PORT/NAME, or where that is kept as env:NAME or file:PATH. Shown masked, because it may hold a password."`
	JournalPassword          Secret        `split_words:"true" desc:"Password of the journal's PostgreSQL user, as env:NAME or file:PATH."`
	Tenants                  string        `default:"countersign.yml" desc:"The file of tenants and sources."`
	LogLevel                 string        `split_words:"true" default:"info" desc:"debug, info, warn or error."`
	LogFormat                string        `split_words:"true" default:"json" desc:"json or text."`
	MaxBody                  int64         `split_words:"true" default:"1048576" desc:"Longest body of a delivery, in bytes; a longer one is answered 413."`
	MaxConnections           int           `split_words:"true" default:"4096" desc:"How many connections the starter holds; each takes a file descriptor. Beyond it the one that has kept us waiting longest is closed."`
	MaxConnectionsPerAddress int           `split_words:"true" default:"1024" desc:"How many of them may come from one address (IPv6: one /64). Trusted proxies are not counted by it."`
	InFlight                 int           `split_words:"true" default:"32" desc:"How many completions may run at once. Waiting ones do not count."`
	DrainTimeout             time.Duration `split_words:"true" default:"25s" desc:"How long a stopping process may take to finish what it has begun."`
	ClaimLease               time.Duration `split_words:"true" default:"30s" desc:"How long a starter owns a completion it is starting; then another starter may take it."`
	TaskQueue                string        `split_words:"true" default:"countersign" desc:"Temporal task queue, the same for starters and workers."`
	PublicURL                string        `split_words:"true" desc:"Where people reach the starter, for links in notices. Without it notices have none."`
	TemporalWebURL           string        `split_words:"true" desc:"Where people reach the Temporal Web UI, for links in notices. Without it notices have none."`
	TrustedProxies           []string      `split_words:"true" desc:"Addresses and networks (10.0.0.0/8), separated by commas, whose X-Forwarded-For is believed."`
	ClientCertHeader         string        `split_words:"true" desc:"Header in which those proxies pass on the client's certificate (X-Client-Cert, X-Forwarded-Client-Cert, Client-Cert). They must remove it from what clients send."`
	JWKSCache                string        `split_words:"true" desc:"Folder, ours alone, where the public keys of issuers survive a restart while the issuer is away. Without it they do not."`
	SMTP                     SMTP

	// Warnings are doubtful but usable entries, one line each, for the log and `starter check`.
	Warnings []string `ignored:"true"`
}

// SMTP is the mail server that notices go through.
type SMTP struct {
	Host     string  `desc:"Mail server for notices. Without it notices are only logged."`
	Port     int     `default:"587" desc:"Its port."`
	Username string  `desc:"Account on the mail server, if it wants one."`
	Password Secret  `desc:"Password of that account, as env:NAME or file:PATH."`
	From     string  `desc:"Sender of notices. Required with a mail server."`
	TLS      SMTPTLS `default:"starttls" desc:"starttls (nothing is sent without it), tls (from the first byte, port 465) or none."`
}

// SMTPTLS says whether mail is sent encrypted.
type SMTPTLS string

// The choices of SMTPTLS.
const (
	TLSStart SMTPTLS = "starttls"
	TLSFull  SMTPTLS = "tls"
	TLSNone  SMTPTLS = "none"
)

// Decode keeps the text for ProcessFromEnv, which resolves it. envconfig calls it and would
// repeat the text in an error, so there is none.
func (s *Secret) Decode(text string) error {
	s.reference = text
	return nil
}

// ProcessFromEnv reads and checks the environment. The error names every variable that cannot
// be used, one per line, and holds no secret.
func ProcessFromEnv() (Process, error) {
	var p Process
	if err := envconfig.Process(prefix, &p); err != nil {
		return Process{}, readable(err)
	}
	c := checker{}
	c.journal(&p)
	c.reference("SMTP_PASSWORD", &p.SMTP.Password)
	c.values(p)
	c.tls(p)
	c.folder("JWKS_CACHE", p.JWKSCache)
	c.mail(p.SMTP)
	c.unknown(p)
	if err := errors.Join(c.problems...); err != nil {
		return Process{}, fmt.Errorf("read environment: %w", err)
	}
	p.Warnings = c.warnings
	return p, nil
}

// readable turns envconfig's error into one that names the variable and the type.
func readable(err error) error {
	var parse *envconfig.ParseError
	if errors.As(err, &parse) {
		return fmt.Errorf("read environment: %s: must be of type %s", parse.KeyName, parse.TypeName)
	}
	return fmt.Errorf("read environment: %w", err)
}

// MailEnabled reports whether notices go out by mail.
func (s SMTP) MailEnabled() bool { return s.Host != "" }

// Table is the configuration table of docs/configuration.md, in Markdown.
func Table() string {
	const rows = "| Variable | Default | Meaning |\n|---|---|---|\n" +
		"{{range .}}| `{{usage_key .}}` | {{with usage_default .}}`{{.}}`{{end}} | {{usage_description .}} |\n{{end}}"
	return usage(&Process{}, rows)
}

// usage renders a template of envconfig's over the fields of p.
func usage(p *Process, template string) string {
	var text strings.Builder
	if err := envconfig.Usagef(prefix, p, &text, template); err != nil {
		return "cannot be shown: " + err.Error()
	}
	return text.String()
}
