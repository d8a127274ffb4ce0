package outbound

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"countersign/internal/training"
)

// longestWait bounds a Retry-After. The longest request budget that a vendor documents runs for 24 hours; more
// is a mistake.
const longestWait = 24 * time.Hour

// RetryAfter reads seconds or an HTTP date (RFC 9110 §10.2.3); 0 for anything else.
func RetryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, longestWait)
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), longestWait)
}

// Unanswered turns the error of an exchange without an answer into a failure. The caller's own cancellation
// stays what it is: nothing is wrong with the other side.
func Unanswered(ctx context.Context, operation, key string, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("%s %s: %w", operation, key, context.Canceled)
	}
	// url.Error repeats the address, which may hold a person's id.
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	return &training.Failure{
		Class: training.FailureUnreachable, Operation: operation, Key: key,
		Detail: silence(err), Err: fmt.Errorf("%s: %w", operation, err),
	}
}

// silence names the kind of silence in words of our own.
func silence(err error) string {
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return "timeout"
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "host not found"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "certificate not trusted"
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "connection closed"
	default:
		return "no answer"
	}
}
