package notify

import (
	"context"
	"fmt"
	"strings"
)

// Teams posts notices as Adaptive Cards to a workflow with the trigger "When a Teams webhook
// request is received". The connectors that took message cards are retired
// (https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using).
//
// A workflow answers 202 before it posts: whether the card stands in the channel is seen only in the
// workflow's run history (UNKNOWN to us). It knows no resend either.
type Teams struct{ hook *hook }

// NewTeams checks the settings; it makes no request. Its errors do not show the address.
func NewTeams(cfg HookConfig) (*Teams, error) {
	h, err := newHook("teams", cfg)
	if err != nil {
		return nil, err
	}
	return &Teams{h}, nil
}

// Send implements Channel.
func (t *Teams) Send(ctx context.Context, n Notice) error {
	if err := n.validate(); err != nil {
		return err
	}
	// The limit is 28 KB (DOCUMENTED); refusals came from 21 KB on (OBSERVED, gem msteams_hermes).
	body, err := fitting(n, 18_000, []detail{{8, 5}, {4, 3}, {3, 1}, {1, 1}}, func(m message) (any, error) { return teamsMessage(m), nil })
	if err != nil {
		return fmt.Errorf("send notice %s by teams: %w", n.ID, err)
	}
	got, err := t.hook.post(ctx, body, nil)
	switch {
	case err != nil:
		return err
	case !got.success():
		return refused("teams", got, "")
	case got.page():
		return &ChannelError{Channel: "teams", Detail: "answered with a page"}
	case strings.Contains(got.body, "HTTP error"):
		// The old connectors answered 200 and said in the body that Teams did not take it.
		return &ChannelError{Channel: "teams", Detail: fmt.Sprintf("%d, but the message was not delivered", got.status)}
	}
	return nil
}

type teamsPost struct {
	Type        string            `json:"type"`
	Attachments []teamsAttachment `json:"attachments"`
}

type teamsAttachment struct {
	ContentType string    `json:"contentType"`
	ContentURL  *string   `json:"contentUrl"`
	Content     teamsCard `json:"content"`
}

type teamsCard struct {
	Schema  string            `json:"$schema"`
	Type    string            `json:"type"`
	Version string            `json:"version"`
	Teams   map[string]string `json:"msteams"`
	Body    []teamsBlock      `json:"body"`
	Actions []teamsAction     `json:"actions,omitempty"`
}

// teamsBlock is a RichTextBlock: unlike a TextBlock it reads no Markdown, so that a course title can
// neither make a link nor break the card (https://adaptivecards.io/explorer/TextRun.html).
type teamsBlock struct {
	Type      string     `json:"type"`
	Spacing   string     `json:"spacing,omitempty"`
	Separator bool       `json:"separator,omitempty"`
	Inlines   []teamsRun `json:"inlines"`
}

type teamsRun struct {
	Type   string `json:"type"`
	Text   string `json:"text"`
	Size   string `json:"size,omitempty"`
	Weight string `json:"weight,omitempty"`
}

type teamsAction struct {
	Type  string `json:"type"`
	Title string `json:"title"`
	URL   string `json:"url"`
}

func teamsMessage(m message) teamsPost {
	// 1.2 is the first version with RichTextBlock, and one that every client draws.
	card := teamsCard{
		Schema: "http://adaptivecards.io/schemas/adaptive-card.json", Type: "AdaptiveCard", Version: "1.2",
		Teams: map[string]string{"width": "Full"},
	}
	block := func(spacing string, runs ...teamsRun) {
		card.Body = append(card.Body, teamsBlock{Type: "RichTextBlock", Spacing: spacing, Inlines: runs})
	}
	plain := func(text string) teamsRun { return teamsRun{Type: "TextRun", Text: text} }
	bold := func(text string) teamsRun { return teamsRun{Type: "TextRun", Text: text, Weight: "Bolder"} }

	block("", teamsRun{Type: "TextRun", Text: clipped(m.Subject, longestMeaning), Size: "Medium", Weight: "Bolder"})
	if m.total > 1 {
		block("", plain(m.Opening))
	}
	for _, g := range m.Groups {
		if g.Heading != "" {
			block("Medium", bold(g.Heading))
			card.Body[len(card.Body)-1].Separator = true
		}
		block("", bold("What happened: "), plain(clipped(g.Explanation.Happened, longestMeaning)))
		block("Small", bold("What it means: "), plain(clipped(g.Explanation.Means, longestMeaning)))
		block("Small", bold("What to do: "), plain(clipped(g.Explanation.Do, longestMeaning)))
		for i, item := range g.Items {
			spacing := "None"
			if i == 0 {
				spacing = ""
			}
			block(spacing, plain("\u2022 "+item.text()))
		}
		if g.More > 0 {
			block("None", plain(fmt.Sprintf("\u2022 and %d more", g.More)))
		}
	}
	if m.beyond > 0 {
		block("Medium", plain(fmt.Sprintf("and %d more for other causes", m.beyond)))
	}
	if m.Link != "" {
		card.Actions = []teamsAction{{Type: "Action.OpenUrl", Title: m.LinkText, URL: m.Link}}
	}
	return teamsPost{Type: "message", Attachments: []teamsAttachment{{ContentType: "application/vnd.microsoft.card.adaptive", Content: card}}}
}
