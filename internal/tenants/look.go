package tenants

import (
	"fmt"
	"net/http"

	"countersign/activities"
	"countersign/internal/notify"
	"countersign/internal/process"
	"countersign/internal/settings"
	"countersign/internal/training"
)

// Target names a system that a tenant's ports call.
type Target string

// The targets.
const (
	TargetQMS Target = training.TargetQMS
	TargetLRS Target = "lrs"
)

// Through is the HTTP client by which a target is called; nil for the port's own.
type Through func(Target) *http.Client

func (t Through) client(target Target) *http.Client {
	if t == nil {
		return nil
	}
	return t(target)
}

// Look gives one tenant its ports, as New does, through clients that somebody looks on at. p may lack
// the journal: then its notices must not be sent. What is asked of the QMS is not counted against its budget, because
// counting writes: the caller asks little.
func Look(p *process.Process, t settings.Tenant, through Through) (activities.Tenant, error) {
	tenant, err := wire(p, t, through)
	if err != nil {
		return activities.Tenant{}, fmt.Errorf("tenant %s: %w", t.ID, err)
	}
	return tenant, nil
}

// NewMail is the process's mail server, writing to the given addresses.
func NewMail(p *process.Process, to []string) (*notify.Mail, error) {
	smtp := p.Settings.SMTP
	return notify.NewMail(notify.MailConfig{
		Host: smtp.Host, Port: smtp.Port, Security: notify.Security(smtp.TLS), AllowPlaintext: smtp.TLS == settings.TLSNone,
		Username: smtp.Username, Password: smtp.Password.Reveal(), From: smtp.From, To: to, Log: p.Log,
	})
}
