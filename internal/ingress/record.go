package ingress

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"countersign/internal/journal"
)

// newDelivery is the journal's entry for the request, without body, verdict and reason. The path
// carries no query and no path token: senders put secrets there.
func newDelivery(c *gin.Context, x *exchange) journal.Delivery {
	path := webhooks
	if c.FullPath() != webhooks {
		path = x.source.written(x.place)
	}
	return journal.Delivery{
		ID: x.delivery, Tenant: x.source.Tenant, Source: x.source.ID, Platform: x.source.Platform,
		ReceivedAt: x.received, Method: c.Request.Method, Path: path,
		RemoteAddr: c.ClientIP(), Header: redact(c.Request.Header),
	}
}

// recordRejection keeps a trace of a refused delivery (R212), after it was answered. What a
// stranger sent is not kept, only its size and hash, and not more often than the limit says:
// nobody fills our disk without a secret.
func (i *Ingress) recordRejection(c *gin.Context, x *exchange) {
	if !i.limits.mayRecord(x.source, x.received) {
		i.metrics.unrecorded.Inc()
		return
	}
	d := newDelivery(c, x)
	d.Verdict, d.Reason = journal.VerdictRejected, x.reason
	if x.body != nil {
		d.Reason = fmt.Sprintf("%s (body: %d bytes, sha256 %x)", x.reason, len(x.body), sha256.Sum256(x.body))
	}
	if _, err := i.append(c.Request.Context(), d, nil); err != nil {
		i.metrics.unrecorded.Inc()
		i.log.ErrorContext(c.Request.Context(), "rejection not recorded",
			"tenant", d.Tenant, "source", d.Source, "delivery", d.ID, "error", err)
	}
}

// inClear are the headers whose values are kept, because people or a replay need them: what the
// body is, and names and ids of events. Of all others (signatures, keys, cookies) only the names are.
func inClear(name string) bool {
	switch name {
	case "Accept", "Accept-Encoding", "Content-Encoding", "Content-Length", "Content-Type", "Date",
		"Transfer-Encoding", "User-Agent", "Webhook-Id", "Webhook-Timestamp", "X-Experience-Api-Version",
		"X-Request-Id", "X-Webhook-Event", "X-Webhook-Id", "X-Webhook-Type":
		return true
	}
	return false
}

// What is kept of the headers is bounded, because refused requests leave an entry too.
const (
	mostHeaders     = 64
	longestName     = 64  // bytes; no real header is longer
	longestValue    = 200 // bytes; longer ones are cut
	valuesPerHeader = 2
)

// hidden is what is kept of a value that may be a secret; nobody writes to it.
var hidden = []string{"redacted"}

func redact(header http.Header) http.Header {
	names := slices.Collect(maps.Keys(header))
	if len(names) > mostHeaders {
		slices.SortFunc(names, func(a, b string) int {
			if inClear(a) != inClear(b) { // a replay needs them, however many others there are
				if inClear(a) {
					return -1
				}
				return 1
			}
			return strings.Compare(a, b)
		})
	}
	redacted := make(http.Header, min(len(names), mostHeaders))
	for _, name := range names {
		if len(redacted) == mostHeaders {
			break
		}
		if !inClear(name) {
			if len(name) <= longestName {
				redacted[name] = hidden
			}
			continue
		}
		values := header[name]
		for _, value := range values[:min(len(values), valuesPerHeader)] {
			// A header may hold any byte; the journal keeps text.
			redacted[name] = append(redacted[name], strings.ToValidUTF8(value[:min(len(value), longestValue)], "?"))
		}
	}
	return redacted
}
