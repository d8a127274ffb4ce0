package settings_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/settings"
)

const noticeTenant = "tenants:\n  - id: acme\n    name: Acme\n    admins: [training@acme.example]\n" +
	"    qms: {url: 'https://q.example', client_id: c, client_secret: env:QMS}\n" +
	"    sources: [{id: s, platform: canonical, auth: {hmac_sha256: {secrets: [env:LMS]}}}]\n"

func noticeSecrets(t *testing.T) {
	t.Helper()
	for name, value := range map[string]string{
		"QMS": "the secret of the QMS", "LMS": "the secret of the LMS",
		"ACME_SLACK_URL":   "https://hooks.slack.com/services/T0HIDDEN/B0HIDDEN/XHIDDEN",
		"ACME_TEAMS_URL":   "https://default0HIDDEN.environment.api.powerplatform.com/powerautomate/automations/direct/workflows/x/triggers/manual/paths/invoke?api-version=1&sig=HIDDEN",
		"ACME_HOOK_URL":    "http://127.0.0.1:9999/HIDDEN",
		"ACME_HOOK_SECRET": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3",
		"CONNECTOR":        "https://acme.webhook.office.com/webhookb2/HIDDEN",
		"PLAIN":            "http://hooks.example/HIDDEN", "WORD": "HIDDEN-and-no-address", "BASIC": "https://u:HIDDEN@hooks.example/", "BROKEN": "https://h.example/%HIDDEN",
	} {
		t.Setenv(name, value)
	}
}

// The example of docs/notices.md is read as it says.
func TestNoticesAreReadAsDocumented_R133(t *testing.T) {
	noticeSecrets(t)
	page, err := os.ReadFile("../../docs/notices.md")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(page), "```yaml\n")
	require.True(t, found)
	example, _, _ := strings.Cut(rest, "```")
	s, err := load(t, noticeTenant+"    "+strings.ReplaceAll(strings.TrimSpace(example), "\n", "\n    ")+"\n")
	require.NoError(t, err)
	require.Empty(t, s.Warnings)

	n := s.Tenants[0].Notices
	require.True(t, n.Mail)
	require.Equal(t, settings.PersonalIDs, n.Personal)
	require.Len(t, n.Channels, 3)
	for i, want := range []settings.NoticeChannel{{ID: "quality", Type: settings.ChannelSlack}, {ID: "training", Type: settings.ChannelTeams}, {ID: "siem", Type: settings.ChannelWebhook}} {
		require.Equal(t, want.ID, n.Channels[i].ID)
		require.Equal(t, want.Type, n.Channels[i].Type)
		require.Contains(t, n.Channels[i].URL.Reveal(), "HIDDEN")
	}
	require.Len(t, n.Channels[2].Secrets, 1)
	require.Equal(t, []settings.QuietSpan{
		{From: "18:00", To: "07:00", Zone: "Europe/Berlin"},
		{From: "00:00", To: "24:00", Zone: "Europe/Berlin", Days: []string{"sat", "sun"}},
	}, n.Quiet)

	var out bytes.Buffer
	n.Describe(&out)
	require.Contains(t, out.String(), "slack quality, address •••• (env:ACME_SLACK_URL)")
	require.Contains(t, out.String(), "quiet from 18:00 to 07:00 Europe/Berlin, every day")
	require.Contains(t, out.String(), "quiet from 00:00 to 24:00 Europe/Berlin, sat sun")
	require.NotContains(t, out.String(), "HIDDEN")
}

func TestNoticesAreMailWithIDsByDefault(t *testing.T) {
	noticeSecrets(t)
	s, err := load(t, noticeTenant)
	require.NoError(t, err)
	require.Equal(t, settings.Notices{Mail: true, Personal: settings.PersonalIDs}, s.Tenants[0].Notices)
}

func TestNoticesReportEveryMistakeAndShowNoAddress_R164_R207(t *testing.T) {
	noticeSecrets(t)
	const slack = "{id: s, type: slack, url: env:ACME_SLACK_URL}"
	for name, tc := range map[string]struct{ notices, want string }{
		"nobody hears":       {"{mail: false}", ":7:14: tenants[0].notices: without mail and without channels nobody"},
		"written out":        {"{channels: [{id: s, type: slack, url: 'https://hooks.slack.com/services/HIDDEN'}]}", "channels[0].url: must name where the secret is kept"},
		"plain http":         {"{channels: [{id: s, type: slack, url: env:PLAIN}]}", "url: must begin with https://"},
		"no address":         {"{channels: [{id: s, type: slack, url: env:WORD}]}", "url: must be kept as an address"},
		"broken address":     {"{channels: [{id: s, type: slack, url: env:BROKEN}]}", "url: must be kept as an address"},
		"user in it":         {"{channels: [{id: s, type: slack, url: env:BASIC}]}", "url: must have neither a user"},
		"no type":            {"{channels: [{id: s, url: env:ACME_SLACK_URL}]}", "channels[0].type: is required"},
		"unknown type":       {"{channels: [{id: s, type: pager, url: env:ACME_SLACK_URL}]}", `unknown channel "pager" (known: slack teams webhook)`},
		"no id":              {"{channels: [{type: slack, url: env:ACME_SLACK_URL}]}", "channels[0].id: is required"},
		"the same id":        {"{channels: [" + slack + ", " + slack + "]}", `channels[1].id: "s" is taken`},
		"an id of our own":   {"{channels: [{id: mail, type: slack, url: env:ACME_SLACK_URL}]}", "channels[0].id: mail is a channel of its own"},
		"unsigned":           {"{channels: [{id: s, type: webhook, url: env:ACME_HOOK_URL}]}", "channels[0].secrets: is required"},
		"no key":             {"{channels: [{id: s, type: webhook, url: env:ACME_HOOK_URL, secrets: [env:WORD]}]}", "secrets[0]: must be base64"},
		"signed chat":        {"{channels: [{id: s, type: slack, url: env:ACME_SLACK_URL, secrets: [env:ACME_HOOK_SECRET]}]}", "secrets: belongs to type: webhook"},
		"empty channel":      {"{channels: [~]}", "channels[0]: is required"},
		"unknown policy":     {"{personal: all}", `unknown policy "all" (known: ids names none)`},
		"unknown key":        {"{slack: x}", "notices.slack: unknown key"},
		"no time":            {"{quiet: {from: '6pm', to: '07:00', zone: UTC}}", "quiet.from: must be a time of day"},
		"no zone":            {"{quiet: {from: '18:00', to: '07:00'}}", "quiet.zone: is required"},
		"unknown zone":       {"{quiet: {from: '18:00', to: '07:00', zone: Berlin}}", "quiet.zone: must be an IANA time zone"},
		"this machine's":     {"{quiet: {from: '18:00', to: '07:00', zone: Local}}", "quiet.zone: must be an IANA time zone"},
		"unknown day":        {"{quiet: [{from: '18:00', to: '07:00', zone: UTC, days: [Monday]}]}", `quiet[0].days[0]: unknown day "Monday"`},
		"always quiet":       {"{quiet: {from: '00:00', to: '24:00', zone: UTC}}", "quiet: would never end"},
		"always, said twice": {"{quiet: [{from: '09:00', to: '09:00', zone: UTC}]}", "quiet[0]: would never end"},
		"no span":            {"{quiet: [at night]}", "quiet[0]: must be a mapping"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, noticeTenant+"    notices: "+tc.notices+"\n")
			require.ErrorContains(t, err, tc.want)
			require.NotContains(t, err.Error(), "HIDDEN")
		})
	}
}

// Two tenants in one channel would read of each other (law 6).
func TestTenantsDoNotShareAChannel_R163(t *testing.T) {
	noticeSecrets(t)
	notices := "    notices: {channels: [{id: s, type: slack, url: env:ACME_SLACK_URL}]}\n"
	other := strings.Replace(strings.TrimPrefix(noticeTenant, "tenants:\n"), "acme", "beta", 1)
	t.Setenv("LMS2", "the secret of another LMS")
	other = strings.Replace(other, "env:LMS", "env:LMS2", 1)
	_, err := load(t, noticeTenant+notices+other+notices)
	require.ErrorContains(t, err, "tenants[1].notices.channels[0].url: is the same secret as tenants[0].notices.channels[0].url in line 7")
}

func TestRetiredConnectorIsWarnedOf(t *testing.T) {
	noticeSecrets(t)
	s, err := load(t, noticeTenant+"    notices: {channels: [{id: s, type: teams, url: env:CONNECTOR}]}\n")
	require.NoError(t, err)
	require.Len(t, s.Warnings, 1)
	require.Contains(t, s.Warnings[0], "which Microsoft retires")
	require.NotContains(t, s.Warnings[0], "HIDDEN")
}
