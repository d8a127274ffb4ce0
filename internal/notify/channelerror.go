package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ChannelError is why a webhook's channel did not take a notice. Its text names neither the
// address, which is a secret, nor what was sent.
type ChannelError struct {
	// Channel is "slack", "teams" or "webhook".
	Channel string
	// Detail is "429 Too Many Requests", "404 Not Found, no_service" or "timed out".
	Detail string
	// Permanent: the same notice will be refused again until somebody changes something.
	Permanent bool
	// RetryAfter is how long the other side asked to be left alone, 0 when it did not.
	RetryAfter time.Duration
}

func (e *ChannelError) Error() string { return "send by " + e.Channel + ": " + e.Detail }

// refused is an answer that is not success.
func refused(channel string, a answer, word string) *ChannelError {
	e := &ChannelError{
		Channel: channel, RetryAfter: a.retryAfter(),
		Detail: strings.TrimSpace(fmt.Sprintf("%d %s", a.status, http.StatusText(a.status))),
	}
	switch {
	case a.status == http.StatusRequestTimeout, a.status == http.StatusTooEarly, a.status == http.StatusTooManyRequests, a.status >= 500:
	case a.status >= 300 && a.status < 400:
		e.Permanent = true
		e.Detail += ", and redirects are not followed"
	default:
		e.Permanent = true
	}
	if word != "" {
		e.Detail += ", " + word
	}
	return e
}

// unanswered is a request without an answer. net/http's own text would show the address.
func unanswered(ctx context.Context, channel string, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("send by %s: %w", channel, context.Canceled)
	}
	var (
		timeout     net.Error
		unknownHost *net.DNSError
		certificate *tls.CertificateVerificationError
	)
	detail := "no answer"
	switch {
	case errors.As(err, &unknownHost):
		detail = "host not found"
	case errors.As(err, &certificate):
		detail = "its certificate is not accepted"
	case errors.Is(err, syscall.ECONNREFUSED):
		detail = "connection refused"
	case errors.As(err, &timeout) && timeout.Timeout():
		detail = "timed out"
	}
	return &ChannelError{Channel: channel, Detail: detail}
}

// longestHold bounds Retry-After: a slip of the other side must not silence a channel for days.
const longestHold = 10 * time.Minute

// retryAfter reads Retry-After (RFC 9110, 10.2.3), 0 when it is absent or senseless. A date is
// taken against the other side's own clock.
func (a answer) retryAfter() time.Duration {
	text := strings.TrimSpace(a.header.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, longestHold)
	}
	until, untilErr := http.ParseTime(text)
	now, nowErr := http.ParseTime(a.header.Get("Date"))
	if untilErr != nil || nowErr != nil {
		return 0
	}
	return min(max(until.Sub(now), 0), longestHold)
}
