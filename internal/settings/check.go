package settings

import (
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
)

// checker gathers what is wrong with the environment.
type checker struct {
	problems []error
	warnings []string
}

func (c *checker) wrong(name, format string, args ...any) {
	c.problems = append(c.problems, fmt.Errorf("%s_%s: "+format, append([]any{prefix, name}, args...)...))
}

// reference resolves a secret that Decode kept as text; an empty one stays empty.
func (c *checker) reference(name string, s *Secret) {
	if s.reference == "" {
		return
	}
	resolved, warning, err := resolve(s.reference, "")
	if err != nil {
		c.wrong(name, "%w", err)
		resolved = Secret{} // never keep a clear text in the place of a reference
	}
	if warning != "" {
		c.warnings = append(c.warnings, prefix+"_"+name+": "+warning)
	}
	*s = resolved
}

// journal resolves the journal's address and puts its password in.
func (c *checker) journal(p *Process) {
	if text := p.Journal.reference; strings.HasPrefix(text, "env:") || strings.HasPrefix(text, "file:") {
		c.reference("JOURNAL", &p.Journal)
	} else {
		p.Journal = Secret{value: text}
	}
	c.reference("JOURNAL_PASSWORD", &p.JournalPassword)

	dsn := p.Journal.value
	if dsn == "" {
		if len(c.problems) == 0 {
			c.wrong("JOURNAL", "must not be empty")
		}
		return
	}
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		if path == "" {
			c.wrong("JOURNAL", "must name a file: sqlite:PATH")
		}
		if p.JournalPassword.value != "" {
			c.wrong("JOURNAL_PASSWORD", "belongs to a PostgreSQL journal")
		}
		return
	}
	u, err := url.Parse(dsn) // its error would repeat the password
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") || u.Host+u.Query().Get("host") == "" {
		c.wrong("JOURNAL", "must be sqlite:PATH or postgres://USER@HOST:PORT/NAME")
		return
	}
	if p.JournalPassword.value == "" {
		return
	}
	if _, twice := u.User.Password(); twice {
		c.wrong("JOURNAL_PASSWORD", "the address in %s_JOURNAL holds a password already", prefix)
		return
	}
	u.User = url.UserPassword(u.User.Username(), p.JournalPassword.value)
	p.Journal.value = u.String()
}

func (c *checker) values(p Process) {
	c.address("LISTEN", p.Listen)
	c.address("METRICS_LISTEN", p.MetricsListen)
	if p.Tenants == "" {
		c.wrong("TENANTS", "must name a file")
	}
	if p.TaskQueue == "" {
		c.wrong("TASK_QUEUE", "must not be empty")
	}
	c.oneOf("LOG_LEVEL", p.LogLevel, "debug", "info", "warn", "error")
	c.oneOf("LOG_FORMAT", p.LogFormat, "json", "text")
	if p.MaxBody < 1024 || p.MaxBody > 64<<20 {
		c.wrong("MAX_BODY", "must lie in 1024 to %d bytes", 64<<20)
	}
	if p.InFlight < 1 || p.InFlight > 10000 {
		c.wrong("IN_FLIGHT", "must lie in 1 to 10000")
	}
	if p.MaxConnections < 16 || p.MaxConnections > 1<<20 {
		c.wrong("MAX_CONNECTIONS", "must lie in 16 to 1048576")
	}
	if p.MaxConnectionsPerAddress < 1 || p.MaxConnectionsPerAddress > p.MaxConnections {
		c.wrong("MAX_CONNECTIONS_PER_ADDRESS", "must lie in 1 to MAX_CONNECTIONS")
	}
	if p.DrainTimeout <= 0 {
		c.wrong("DRAIN_TIMEOUT", "must be longer than nothing")
	}
	if p.ClaimLease <= 0 {
		c.wrong("CLAIM_LEASE", "must be longer than nothing")
	}
	c.link("PUBLIC_URL", p.PublicURL)
	c.link("TEMPORAL_WEB_URL", p.TemporalWebURL)
	for _, proxy := range p.TrustedProxies {
		if _, err := netip.ParsePrefix(proxy); err == nil {
			continue
		}
		if _, err := netip.ParseAddr(proxy); err != nil {
			c.wrong("TRUSTED_PROXIES", "%.40q is neither an address nor a network such as 10.0.0.0/8", proxy)
		}
	}
}

func (c *checker) mail(s SMTP) {
	c.oneOf("SMTP_TLS", string(s.TLS), string(TLSStart), string(TLSFull), string(TLSNone))
	if s.Port < 1 || s.Port > 65535 {
		c.wrong("SMTP_PORT", "must lie in 1 to 65535")
	}
	if !s.MailEnabled() {
		return
	}
	if _, err := mail.ParseAddress(s.From); err != nil {
		c.wrong("SMTP_FROM", "must be an e-mail address")
	}
	if s.Username != "" && s.Password.value == "" {
		c.wrong("SMTP_PASSWORD", "is required with %s_SMTP_USERNAME", prefix)
	}
	if s.Username != "" && s.TLS == TLSNone {
		c.warnings = append(c.warnings, prefix+"_SMTP_TLS: none sends the password in the clear")
	}
}

func (c *checker) address(name, value string) {
	if _, port, err := net.SplitHostPort(value); err != nil || port == "" {
		c.wrong(name, "must be an address such as :8080 or 127.0.0.1:8080")
	}
}

func (c *checker) link(name, value string) {
	u, err := url.Parse(value)
	if value != "" && (err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil) {
		c.wrong(name, "must be an address such as https://countersign.acme.example")
	}
}

func (c *checker) oneOf(name, value string, known ...string) {
	if !slices.Contains(known, value) {
		c.wrong(name, "must be one of %s", strings.Join(known, ", "))
	}
}

// unknown warns of variables that look like ours and are not. They are no mistakes: Kubernetes
// makes such variables for a service called countersign.
func (c *checker) unknown(p Process) {
	known := strings.Fields(usage(&p, "{{range .}}{{.Key}} {{end}}"))
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, prefix+"_") && !slices.Contains(known, name) {
			c.warnings = append(c.warnings, name+" is not a setting and is not read")
		}
	}
	slices.Sort(c.warnings)
}
