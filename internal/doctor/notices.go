package doctor

import (
	"context"
	"fmt"
	"time"

	"countersign/internal/settings"
)

// notices checks the tenant's own channels: name, port, handshake. Nothing is posted, and no address is shown: who
// knows it can write into the channel, and of some the host is the secret.
type notices struct {
	tenant settings.Tenant
	mailed bool // there is a mail server
	dialer Dialer
	now    func() time.Time
}

func (n notices) run(ctx context.Context) []Finding {
	var found []Finding
	for _, c := range n.tenant.Notices.Channels {
		f := connection(ctx, n.dialer, n.now(), "notices.channel", "the "+string(c.Type)+" channel's host", c.URL.Reveal())
		found = append(found, f.about(c.ID))
	}
	if len(n.tenant.Notices.Channels) == 0 && !(n.mailed && n.tenant.Notices.Mail) {
		found = append(found, unfit(Warning, "notices.ways", "only the log hears of what waits for a person", "set up a mail server, or a channel (docs/notices.md)"))
	} else {
		found = append(found, fine("notices.ways", "%s", n.ways()))
	}
	return found
}

func (n notices) ways() string {
	mail := "no mail"
	if n.mailed && n.tenant.Notices.Mail {
		mail = "mail to " + plural(len(n.tenant.Admins), "training admin")
	}
	return fmt.Sprintf("%s, %s", mail, plural(len(n.tenant.Notices.Channels), "channel"))
}
