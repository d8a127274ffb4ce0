package doctor

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"time"
)

// Mail is the mail server; *notify.Mail is one. Greet connects as for a message, with STARTTLS and AUTH, and
// says goodbye before any; its state is nil where nothing is encrypted.
type Mail interface {
	Greet(ctx context.Context) (*tls.ConnectionState, error)
}

// post checks the mail server. wanted says that a tenant is told of failures by mail.
type post struct {
	mail   Mail // nil without a mail server
	wrong  error
	wanted bool
	server string // host:port, shown
	login  bool   // with an account
	now    func() time.Time
}

func (p post) run(ctx context.Context) []Finding {
	const check = "mail.server"
	switch {
	case p.wrong != nil:
		return []Finding{unfit(Error, check, p.wrong.Error(), "correct COUNTERSIGN_SMTP_* in the environment")}
	case p.mail == nil && p.wanted:
		return []Finding{unfit(Warning, check, "there is no mail server; tenants that want mail are not written to", "set COUNTERSIGN_SMTP_HOST and COUNTERSIGN_SMTP_FROM, or notices.mail: false")}
	case p.mail == nil:
		return []Finding{unfit(Note, check, "there is no mail server, and no tenant wants one", "")}
	}
	state, err := p.mail.Greet(ctx)
	if err != nil {
		text := cmp.Or(network(err), err.Error())
		return []Finding{unfit(Error, check, fmt.Sprintf("%s: %s", p.server, text), "compare COUNTERSIGN_SMTP_HOST, _PORT, _TLS, _USERNAME and _PASSWORD with what the mail server wants")}
	}
	how := "without an account"
	if p.login {
		how = "with its account"
	}
	if state == nil {
		return []Finding{fine(check, "%s greets us %s, in the clear; no mail was sent", p.server, how)}
	}
	return []Finding{expiry(check, fmt.Sprintf("%s greets us %s over %s, no mail was sent", p.server, how, tls.VersionName(state.Version)), chainEnd(*state), p.now())}
}
