package tenants

import (
	"fmt"

	"countersign/internal/notify"
	"countersign/internal/process"
	"countersign/internal/settings"
)

// channels are the ways to the tenant's training admins: the log always, mail where there is a mail
// server, and the tenant's own webhooks (R133). What went out over one is remembered in the journal, so
// that another worker's attempt repeats nothing.
//
// Mail goes to the given addresses; names of channels begin with prefix, so that the same notice to two
// circles of people is remembered for each.
func channels(p *process.Process, t settings.Tenant, to []string, prefix string) (notify.Channel, error) {
	members := []notify.Member{{Name: prefix + "log", Channel: notify.NewLog(p.Log), Trace: true}}
	if p.Settings.SMTP.MailEnabled() && t.Notices.Mail {
		mail, err := NewMail(p, to)
		if err != nil {
			return nil, err
		}
		members = append(members, notify.Member{Name: prefix + "mail", Channel: mail})
	}
	for _, own := range t.Notices.Channels {
		channel, err := hook(own)
		if err != nil {
			return nil, fmt.Errorf("notices: channel %s: %w", own.ID, err)
		}
		// Apart from "log" and "mail", which a tenant may call its own channels too.
		members = append(members, notify.Member{Name: prefix + "channel/" + own.ID, Channel: channel})
	}
	if len(members) == 1 {
		p.Log.Warn("only the log hears of notices: there is no mail server and no channel", "tenant", t.ID)
	}
	return notify.NewFan(notify.FanConfig{Members: members, Memo: p.Journal, Log: p.Log})
}

// quietHours are the tenant's, in which no notice goes out.
func quietHours(t settings.Tenant) (notify.Quiet, error) {
	var quiet notify.Quiet
	for _, span := range t.Notices.Quiet {
		quiet = append(quiet, notify.Span{From: span.From, To: span.To, Zone: span.Zone, Days: span.Days})
	}
	if err := quiet.Validate(); err != nil {
		return nil, fmt.Errorf("notices.quiet: %w", err)
	}
	return quiet, nil
}

func hook(c settings.NoticeChannel) (notify.Channel, error) {
	to := notify.HookConfig{URL: c.URL.Reveal()}
	switch c.Type {
	case settings.ChannelSlack:
		return notify.NewSlack(to)
	case settings.ChannelTeams:
		return notify.NewTeams(to)
	default:
		secrets := make([]string, len(c.Secrets))
		for i, secret := range c.Secrets {
			secrets[i] = secret.Reveal()
		}
		return notify.NewWebhook(notify.WebhookConfig{HookConfig: to, Secrets: secrets})
	}
}
