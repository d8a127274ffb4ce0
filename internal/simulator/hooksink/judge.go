package hooksink

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"countersign/internal/simulator/fault"
)

const (
	slackBlocks  = 50
	slackHeader  = 150
	slackSection = 3000
	slackAll     = 13_000
	teamsLimit   = 28 << 10
)

// judgeSlack gives Slack's word for what it would refuse, "" for nothing.
func judgeSlack(r *http.Request, x *fault.Exchange) (status int, word string) {
	var post struct {
		Text   string `json:"text"`
		Blocks []struct {
			Type string                      `json:"type"`
			Text struct{ Type, Text string } `json:"text"`
		} `json:"blocks"`
	}
	if !isJSON(r) || json.Unmarshal(x.Body, &post) != nil {
		return http.StatusBadRequest, "invalid_payload"
	}
	if post.Text == "" && len(post.Blocks) == 0 {
		return http.StatusBadRequest, "no_text"
	}
	all := 0
	for _, b := range post.Blocks {
		size := utf8.RuneCountInString(b.Text.Text)
		all += size
		switch {
		case b.Type == "header" && b.Text.Type == "plain_text" && size > 0 && size <= slackHeader:
		case b.Type == "section" && b.Text.Type == "mrkdwn" && size > 0 && size <= slackSection:
		default:
			return http.StatusBadRequest, "invalid_blocks"
		}
	}
	switch {
	case len(post.Blocks) > slackBlocks:
		return http.StatusBadRequest, "invalid_blocks"
	case all > slackAll:
		return http.StatusBadRequest, "msg_blocks_too_long"
	}
	return 0, ""
}

// judgeTeams says why a workflow would fail with a post, "" when it shows the card.
func judgeTeams(r *http.Request, x *fault.Exchange) string {
	var post struct {
		Type        string `json:"type"`
		Attachments []struct {
			ContentType string `json:"contentType"`
			Content     struct {
				Type, Version string
				Body          []json.RawMessage
			} `json:"content"`
		} `json:"attachments"`
	}
	switch {
	case !isJSON(r) || json.Unmarshal(x.Body, &post) != nil:
		return "the trigger's body is no JSON"
	case len(post.Attachments) == 0:
		return "'attachments' is of type 'Null'"
	}
	for _, a := range post.Attachments {
		if a.ContentType != "application/vnd.microsoft.card.adaptive" || a.Content.Type != "AdaptiveCard" || a.Content.Version == "" || len(a.Content.Body) == 0 {
			return "an attachment is no adaptive card"
		}
	}
	return ""
}

// The headers of Standard Webhooks.
const (
	headerID        = "webhook-id"
	headerTimestamp = "webhook-timestamp"
	headerSignature = "webhook-signature"
)

// tolerance is how far a timestamp may lie from the sink's clock.
const tolerance = 5 * time.Minute

// judgeWebhook checks the signature like the libraries of Standard Webhooks do: constant in time.
func (s *Sink) judgeWebhook(r *http.Request, x *fault.Exchange) string {
	if len(s.key) == 0 {
		return ""
	}
	id, timestamp := r.Header.Get(headerID), r.Header.Get(headerTimestamp)
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || id == "" {
		return "a header is missing"
	}
	if age := s.clock.Now().Sub(time.Unix(seconds, 0)); age > tolerance || age < -tolerance {
		return "the timestamp is too far away"
	}
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(x.Body)
	for _, entry := range strings.Fields(r.Header.Get(headerSignature)) {
		version, text, _ := strings.Cut(entry, ",")
		sent, err := base64.StdEncoding.DecodeString(text)
		if version == "v1" && err == nil && hmac.Equal(sent, mac.Sum(nil)) {
			return ""
		}
	}
	return "no signature matches"
}
