package settings

import (
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Notices are how the tenant's training admins hear of what waits for them (R133).
type Notices struct {
	// Mail says that Tenant.Admins are written to, where the process has a mail server.
	Mail bool
	// Channels come in addition.
	Channels []NoticeChannel
	// Personal is what a notice may say of learners.
	Personal Personal
	// Quiet are hours in which no notice goes out; none when empty.
	Quiet []QuietSpan
}

// NoticeChannel is a webhook that takes notices.
type NoticeChannel struct {
	// ID names the channel in the log, and in the memory of what it has taken: [a-z0-9-]{1,63}.
	ID   string
	Type ChannelType
	// URL is the whole address. Who knows it can write into the channel: it is a secret.
	URL Secret
	// Secrets sign what is sent, the current one first; with ChannelWebhook only.
	Secrets []Secret
}

// ChannelType is what stands at the other end.
type ChannelType string

// The channels there are.
const (
	ChannelSlack   ChannelType = "slack"
	ChannelTeams   ChannelType = "teams"
	ChannelWebhook ChannelType = "webhook" // Standard Webhooks
)

// Personal is what notices may say of learners.
type Personal string

// The policies; PersonalIDs is the default.
const (
	PersonalIDs   Personal = "ids"
	PersonalNames Personal = "names"
	PersonalNone  Personal = "none"
)

// QuietSpan is a daily stretch of quiet hours. It is checked: it can be read.
type QuietSpan struct {
	// From and To are "HH:MM" by the wall clock of Zone, "24:00" included. With To not after From
	// it ends on the next day.
	From, To string
	// Zone is an IANA time zone.
	Zone string
	// Days are those on which it begins, "mon" to "sun"; none means every day.
	Days []string
}

func (r *tenantReader) notices(e entry) Notices {
	n := Notices{Mail: true, Personal: PersonalIDs}
	f, ok := e.fields()
	if !ok {
		return n
	}
	n.Mail = f.get("mail").flag(true)
	n.Personal = oneOf(f.get("personal"), "policy", PersonalIDs, PersonalNames, PersonalNone)
	taken := seen{}
	for _, item := range f.get("channels").list() {
		n.Channels = append(n.Channels, r.noticeChannel(item, taken))
	}
	n.Quiet = quiet(f.get("quiet"))
	f.done()
	if !n.Mail && len(n.Channels) == 0 {
		e.mistake("without mail and without channels nobody would hear of failures")
	}
	return n
}

func (r *tenantReader) noticeChannel(e entry, taken seen) NoticeChannel {
	f, ok := e.fields()
	if !ok {
		e.required()
		return NoticeChannel{}
	}
	c := NoticeChannel{
		ID:   identifier(f.get("id"), taken),
		Type: oneOf(f.get("type").required(), "channel", ChannelSlack, ChannelTeams, ChannelWebhook),
		// As with sources: another tenant's address would be another tenant's channel (law 6).
		URL: r.sourceSecret(f.get("url").required()),
	}
	if c.ID == "mail" || c.ID == "log" {
		f.get("id").mistake("%s is a channel of its own", c.ID)
	}
	if wrong := hookAddress(c.URL.Reveal()); c.URL.Reveal() != "" && wrong != "" {
		f.get("url").mistake("%s", wrong)
	}
	if c.Type == ChannelTeams && retiredConnector(c.URL.Reveal()) {
		f.get("url").warn("is the address of a connector, which Microsoft retires; create a workflow as docs/notices.md says")
	}
	switch {
	case c.Type == ChannelWebhook:
		c.Secrets = r.sourceSecrets(f, standardKey)
	case f.get("secrets").present():
		f.get("secrets").mistake("belongs to type: webhook")
	}
	f.done()
	return c
}

// hookAddress finds what is no address of a webhook. The address is a secret: nothing of it is said.
func hookAddress(address string) string {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "":
		return "must be kept as an address such as https://hooks.slack.com/services/..."
	case u.User != nil || u.Fragment != "":
		return "must have neither a user nor a fragment"
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return ""
	}
	return "must begin with https://; plain http is for this machine only"
}

func retiredConnector(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	return strings.HasSuffix(host, ".webhook.office.com") || host == "outlook.office.com" || host == "outlook.office365.com"
}

var clockPattern = regexp.MustCompile(`^(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)$`)

// quiet reads one span or a list of them.
func quiet(e entry) []QuietSpan {
	if !e.present() {
		return nil
	}
	spans := []entry{e}
	if e.node.Kind == yaml.SequenceNode {
		spans = e.list()
	}
	var all []QuietSpan
	for _, at := range spans {
		f, ok := at.fields()
		if !ok {
			at.required()
			continue
		}
		s := QuietSpan{From: clock(f.get("from")), To: clock(f.get("to")), Zone: zone(f.get("zone"))}
		for _, day := range f.get("days").list() {
			s.Days = append(s.Days, oneOf(day.required(), "day", "mon", "tue", "wed", "thu", "fri", "sat", "sun"))
		}
		f.done()
		if s.From == s.To && s.From != "" && len(s.Days) == 0 || s.From == "00:00" && s.To == "24:00" && len(s.Days) == 0 {
			at.mistake("would never end")
		}
		all = append(all, s)
	}
	return all
}

func clock(e entry) string {
	text := e.required().text()
	if text != "" && !clockPattern.MatchString(text) {
		e.mistake(`must be a time of day in quotes such as "18:00"`)
		return ""
	}
	return text
}

// zone reads a time zone. "Local" would be another one on every machine.
func zone(e entry) string {
	text := e.required().text()
	if text == "" {
		return ""
	}
	if _, err := time.LoadLocation(text); err != nil || text == "Local" {
		e.mistake("must be an IANA time zone such as Europe/Berlin")
		return ""
	}
	return text
}

// Describe writes the lines of `starter check`; no address is among them.
func (n Notices) Describe(w io.Writer) {
	by := []string{}
	if n.Mail {
		by = append(by, "mail to the training admins")
	}
	for _, c := range n.Channels {
		by = append(by, fmt.Sprintf("%s %s, address %s", c.Type, c.ID, shown(c.URL)))
	}
	line(w, "notices by", "%s; of learners: %s", strings.Join(by, "; "), n.Personal)
	for _, s := range n.Quiet {
		days := slices.Clone(s.Days)
		if len(days) == 0 {
			days = []string{"every day"}
		}
		line(w, "", "quiet from %s to %s %s, %s", s.From, s.To, s.Zone, strings.Join(days, " "))
	}
}
