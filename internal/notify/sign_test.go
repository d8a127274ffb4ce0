package notify

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The vector that the libraries of Standard Webhooks are tested with.
func TestSignatureIsTheOneOfTheSpecification(t *testing.T) {
	w, err := NewWebhook(WebhookConfig{HookConfig: HookConfig{URL: "https://h.example"}, Secrets: []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"}})
	require.NoError(t, err)
	header := w.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	require.Equal(t, "msg_p5jXN8AQM9LWM0D4loKWxJek", header.Get("Webhook-Id"))
	require.Equal(t, "1614265330", header.Get("Webhook-Timestamp"))
	signatures := strings.Fields(header.Get("Webhook-Signature"))
	require.Len(t, signatures, 2, "the new key and the old one")
	require.Equal(t, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", signatures[0])
}

func TestWebhookIDIsTheNoticesOwnWhereItCanBe(t *testing.T) {
	require.Equal(t, "acme/0198-af/17", webhookID("acme/0198-af/17"))
	for _, odd := range []string{"a.b", "x\r\ny: z", "\u00fc", strings.Repeat("x", 201)} {
		id := webhookID(odd)
		require.Regexp(t, `^notice_[0-9a-f]{64}$`, id)
		require.Equal(t, id, webhookID(odd), "the same in every attempt")
	}
	require.NotEqual(t, webhookID("a.b"), webhookID("a.c"))
}

// What net/http says names host and address.
func TestUnknownHostIsNotNamed(t *testing.T) {
	err := &url.Error{Op: "Post", URL: "https://SECRET.example/SECRET", Err: fmt.Errorf("dial: %w", &net.DNSError{Name: "SECRET.example", IsNotFound: true})}
	require.EqualError(t, unanswered(t.Context(), "slack", err), "send by slack: host not found")
	require.EqualError(t, unanswered(t.Context(), "slack", fmt.Errorf("SECRET")), "send by slack: no answer")
}
