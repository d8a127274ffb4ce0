package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// WebhookConfig is a tenant's own receiver of notices.
type WebhookConfig struct {
	HookConfig
	// Secrets are the signing keys, each base64 of at least 24 bytes, with or without whsec_
	// before it. Every one signs, so that the receiver can change from one to the next.
	Secrets []string
	// Now is the clock of the signature's timestamp; time.Now when nil.
	Now func() time.Time
}

// Webhook posts notices as signed JSON by Standard Webhooks 1.0.0
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md). webhook-id
// is the notice's id, the same in every attempt: a receiver that keeps it hears of a notice once. The
// body, the same in every attempt too, is WebhookEvent.
type Webhook struct {
	hook *hook
	keys [][]byte
	now  func() time.Time
}

// shortestKey is what Standard Webhooks asks of a key, in bytes.
const shortestKey = 24

// NewWebhook checks the settings; it makes no request. Its errors show neither address nor secret.
func NewWebhook(cfg WebhookConfig) (*Webhook, error) {
	h, err := newHook("webhook", cfg.HookConfig)
	if err != nil {
		return nil, err
	}
	w := &Webhook{hook: h, now: cfg.Now}
	if w.now == nil {
		w.now = time.Now
	}
	for i, secret := range cfg.Secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		if err != nil || len(key) < shortestKey { // the error would repeat a character of the secret
			return nil, fmt.Errorf("webhook: secret %d is not base64 of at least %d bytes", i+1, shortestKey)
		}
		w.keys = append(w.keys, key)
	}
	if len(w.keys) == 0 {
		return nil, errors.New("webhook: no secrets")
	}
	return w, nil
}

// Send implements Channel. Any 2xx is success; 410 says that the receiver wants no more, which is a
// permanent error.
func (w *Webhook) Send(ctx context.Context, n Notice) error {
	if err := n.validate(); err != nil {
		return err
	}
	// Standard Webhooks advises less than 20 KB.
	body, err := fitting(n, 20_000, []detail{{30, listed}, {30, 5}, {8, 3}, {3, 1}, {1, 1}}, func(m message) (any, error) { return event(n, m), nil })
	if err != nil {
		return fmt.Errorf("send notice %s by webhook: %w", n.ID, err)
	}
	got, err := w.hook.post(ctx, body, w.sign(webhookID(n.ID), w.now(), body))
	switch {
	case err != nil:
		return err
	case !got.success():
		return refused("webhook", got, "")
	}
	return nil
}

// sign makes the headers of an attempt: the timestamp is the attempt's own.
func (w *Webhook) sign(id string, at time.Time, body []byte) http.Header {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	signatures := make([]string, len(w.keys))
	for i, key := range w.keys {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + timestamp + "."))
		mac.Write(body)
		signatures[i] = "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	header := http.Header{}
	header.Set("webhook-id", id)
	header.Set("webhook-timestamp", timestamp)
	header.Set("webhook-signature", strings.Join(signatures, " "))
	return header
}

var plainID = regexp.MustCompile(`^[A-Za-z0-9_/-]{1,200}$`)

// webhookID is the notice's id, or its hash where that could not stand in the header or would leave
// open where the id ends and the timestamp begins.
func webhookID(notice string) string {
	if plainID.MatchString(notice) {
		return notice
	}
	sum := sha256.Sum256([]byte(notice))
	return "notice_" + hex.EncodeToString(sum[:])
}
