package notify

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Slack posts notices to an incoming webhook of a Slack app
// (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks), or of a chat that takes
// Slack's messages.
//
// Slack knows no resend: a post whose answer was lost may stand in the channel twice.
type Slack struct{ hook *hook }

// NewSlack checks the settings; it makes no request. Its errors do not show the address.
func NewSlack(cfg HookConfig) (*Slack, error) {
	h, err := newHook("slack", cfg)
	if err != nil {
		return nil, err
	}
	return &Slack{h}, nil
}

// Send implements Channel.
func (s *Slack) Send(ctx context.Context, n Notice) error {
	if err := n.validate(); err != nil {
		return err
	}
	// msg_blocks_too_long came at about 13,200 characters in all, which Slack documents nowhere
	// (OBSERVED, github.com/slackapi/bolt-js/issues/2509).
	body, err := fitting(n, 10_000, []detail{{8, 5}, {4, 3}, {3, 1}, {1, 1}}, func(m message) (any, error) { return slackMessage(m), nil })
	if err != nil {
		return fmt.Errorf("send notice %s by slack: %w", n.ID, err)
	}
	got, err := s.hook.post(ctx, body, nil)
	switch {
	case err != nil:
		return err
	case !got.success():
		return refused("slack", got, slackWord(got.body))
	case got.page():
		return &ChannelError{Channel: "slack", Detail: "answered with a page, not with ok"}
	}
	return nil
}

// slackWord is Slack's own word for a refusal. Anything else an answer holds is left out: it could
// repeat the notice or the address.
func slackWord(body string) string {
	words := []string{
		"action_prohibited", "channel_is_archived", "channel_not_found", "invalid_blocks", "invalid_payload", "invalid_token",
		"msg_blocks_too_long", "no_service", "no_team", "no_text", "posting_to_general_channel_denied", "rate_limited",
		"rollup_error", "team_disabled", "too_many_attachments", "user_not_found",
	}
	if slices.Contains(words, body) {
		return body
	}
	return ""
}

// Slack's limits (https://docs.slack.dev/reference/block-kit/blocks): 50 blocks, 3,000 characters in
// a section, 150 in a header. Ours are counted in bytes, which are never fewer than characters.
const (
	slackHeader  = 140 // letters
	slackLine    = 540 // bytes of a completion
	slackMeaning = 900 // bytes of one of the three sentences
)

type slackText struct {
	Type string `json:"type"`
	Text string `json:"text"`
	// Verbatim keeps Slack from making links of what only looks like one.
	Verbatim bool `json:"verbatim,omitempty"`
}

type slackBlock struct {
	Type string    `json:"type"`
	Text slackText `json:"text"`
}

type slackPost struct {
	// Text is what a notification shows, on locked screens too.
	Text   string       `json:"text"`
	Markup bool         `json:"mrkdwn"`
	Unfurl bool         `json:"unfurl_links"`
	Blocks []slackBlock `json:"blocks"`
}

func slackMessage(m message) slackPost {
	post := slackPost{Text: mrkdwn(m.Opening, slackMeaning)}
	post.Blocks = append(post.Blocks, slackBlock{"header", slackText{Type: "plain_text", Text: clipped(m.Subject, slackHeader)}})
	section := func(lines ...string) {
		if text := strings.Join(lines, "\n"); text != "" {
			post.Blocks = append(post.Blocks, slackBlock{"section", slackText{Type: "mrkdwn", Text: text, Verbatim: true}})
		}
	}
	if m.total > 1 {
		section(mrkdwn(m.Opening, slackMeaning))
	}
	for _, g := range m.Groups {
		var said []string
		if g.Heading != "" {
			said = append(said, "*"+mrkdwn(g.Heading, slackHeader)+"*")
		}
		section(append(said,
			"*What happened:* "+mrkdwn(g.Explanation.Happened, slackMeaning),
			"*What it means:* "+mrkdwn(g.Explanation.Means, slackMeaning),
			"*What to do:* "+mrkdwn(g.Explanation.Do, slackMeaning))...)
		var lines []string
		for _, item := range g.Items {
			lines = append(lines, "\u2022 "+mrkdwn(item.text(), slackLine))
		}
		if g.More > 0 {
			lines = append(lines, fmt.Sprintf("\u2022 and %d more", g.More))
		}
		section(lines...)
	}
	if m.beyond > 0 {
		section(fmt.Sprintf("and %d more for other causes", m.beyond))
	}
	if m.Link != "" {
		// A button would need an app that answers Slack's interactions.
		section("<" + strings.NewReplacer("&", "&amp;", "<", "%3C", ">", "%3E", "|", "%7C").Replace(m.Link) + "|" + m.LinkText + ">")
	}
	return post
}

// mrkdwn escapes a text for Slack: only "<" begins a link or a mention, and only "&" an escape
// (https://docs.slack.dev/messaging/formatting-message-text). The result is at most longest bytes
// long and never ends within an escape.
func mrkdwn(text string, longest int) string {
	const cut = "\u2026"
	var out strings.Builder
	for _, letter := range clipped(text, longest) {
		piece := string(letter)
		switch letter {
		case '&':
			piece = "&amp;"
		case '<':
			piece = "&lt;"
		case '>':
			piece = "&gt;"
		}
		if out.Len()+len(piece) > longest-len(cut) {
			return out.String() + cut
		}
		out.WriteString(piece)
	}
	return out.String()
}
