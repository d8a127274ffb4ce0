package xapi

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"countersign/internal/training"
)

// answer is what the LRS said.
type answer struct {
	status int
	header http.Header
	body   []byte
	cut    bool // there was more than maxAnswer, and body is only its beginning
}

// tooLarge is the failure of an answer of which only the beginning was read: what it says is not known.
func (a answer) tooLarge(operation, id string) *training.Failure {
	return training.Fail(training.FailureMisread, operation, id, fmt.Sprintf("%d, answer is larger than %d MiB, the most that is read", a.status, maxAnswer>>20))
}

// failure classifies an answer that is not success.
func (a answer) failure(operation, id string) *training.Failure {
	f := training.Fail(a.class(), operation, id, strings.TrimSpace(fmt.Sprintf("%d %s", a.status, http.StatusText(a.status))))
	f.RetryAfter = a.retryAfter()
	if f.Class == training.FailureStatementRefused {
		if names := a.mentions(); len(names) > 0 {
			f.Detail += ", mentions " + strings.Join(names, ", ")
		}
	}
	return f
}

func (a answer) class() training.FailureClass {
	switch {
	case a.status == http.StatusTooManyRequests:
		return training.FailureRateLimited
	case a.status == http.StatusUnauthorized || a.status == http.StatusForbidden:
		return training.FailureCredentials
	case a.status == http.StatusRequestTimeout || a.status == http.StatusTooEarly || a.status >= 500:
		return training.FailureUnreachable
	case a.status >= 400:
		return training.FailureStatementRefused
	default:
		// A redirect or a success xAPI does not know: something else than an LRS answers.
		return training.FailureMisread
	}
}

// longestWait bounds Retry-After: a slip of the other side must not park a statement for months.
const longestWait = 24 * time.Hour

// retryAfter reads Retry-After (RFC 9110, 10.2.3), 0 when it is absent or senseless. A date is
// taken against the LRS's own clock.
func (a answer) retryAfter() time.Duration {
	text := strings.TrimSpace(a.header.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, longestWait)
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(a.header.Get("Date"))
	if err != nil {
		return 0
	}
	return min(max(until.Sub(now), 0), longestWait)
}

// mentions lists the property names of xAPI that occur in the answer. It tells an administrator
// where to look (R155) without the answer itself, in which an LRS likes to repeat the actor.
func (a answer) mentions() []string {
	words := strings.FieldsFunc(string(a.body), func(r rune) bool { return !unicode.IsLetter(r) && r != '_' && r != '-' })
	var found []string
	for _, name := range []string{
		"actor", "account", "homePage", "mbox", "verb", "object", "definition", "result", "score", "scaled", "raw",
		"success", "completion", "timestamp", "context", "registration", "platform", "extensions",
		"statementId", "X-Experience-API-Version", "Content-Type",
	} {
		if slices.Contains(words, name) {
			found = append(found, name)
		}
	}
	return found
}
