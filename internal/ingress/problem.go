package ingress

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
)

// problem is a refusal, sent as RFC 9457 problem details. It never holds a value of the request.
type problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail"`
	RequestID string `json:"requestId"`

	// reason is for the journal and the log where it says more than Detail.
	reason string
	// rejected puts the refusal into the journal when the source is known (R212).
	rejected bool
	// retryAfter is sent as Retry-After, in whole seconds rounded up; 0 sends none.
	retryAfter time.Duration
	// challenge is sent as WWW-Authenticate with a 401; "" sends one that names no scheme.
	challenge string
	// closes ends the connection: what is left of the body is not worth reading.
	closes bool
}

// retryLater is how long a sender should stay away when the journal could not take a delivery.
const retryLater = 5 * time.Second

func newProblem(status int, word, title, detail string) *problem {
	return &problem{
		Type: "urn:countersign:problem:" + word, Title: title, Status: status, Detail: detail, reason: detail,
	}
}

// notFound is the same for an unknown path, tenant and source: it tells nobody which exist.
func notFound() *problem {
	return newProblem(http.StatusNotFound, "not-found", "No such source",
		"The URL names no source. Copy it again from the source's page.")
}

func methodNotAllowed() *problem {
	return newProblem(http.StatusMethodNotAllowed, "method-not-allowed", "Method not allowed",
		"Deliveries are sent with POST; the header Allow lists what this URL takes.")
}

func rateLimited(wait time.Duration, what string) *problem {
	p := newProblem(http.StatusTooManyRequests, "rate-limited", "Too many requests",
		what+" Nothing was stored; send it again after the seconds that Retry-After says.")
	p.retryAfter, p.closes = wait, true
	return p
}

// heededBy is the refusal of a source's limit as its sender heeds it: one that does not send again after a 429
// gets a 503, or its delivery would be lost (law 4).
func (p *problem) heededBy(source Source) *problem {
	if source.Transport.No429 && p.Status == http.StatusTooManyRequests {
		p.Status = http.StatusServiceUnavailable
	}
	return p
}

func unsupported(detail string) *problem {
	p := newProblem(http.StatusUnsupportedMediaType, "unsupported-media-type", "Unsupported media type", detail)
	p.rejected, p.closes = true, true
	return p
}

func tooLarge(limit int64) *problem {
	p := newProblem(http.StatusRequestEntityTooLarge, "too-large", "Body too large",
		"The body is larger than "+strconv.FormatInt(limit, 10)+" bytes. Send fewer events at once, or have the limit raised.")
	p.rejected, p.closes = true, true
	return p
}

// cutOff is for a body that ended early or came too slowly.
func cutOff() *problem {
	p := newProblem(http.StatusServiceUnavailable, "body-incomplete", "Body incomplete",
		"The body ended or stalled before its announced end. Nothing was stored; send it again.")
	p.retryAfter, p.closes = retryLater, true
	return p
}

// crowded is for a large body while too many others are held.
func crowded() *problem {
	p := newProblem(http.StatusServiceUnavailable, "crowded", "Too many large bodies",
		"Many large bodies are being received at once. Nothing was stored; send it again.")
	p.retryAfter, p.closes = retryLater, true
	return p
}

func notAuthenticated(reason string) *problem {
	p := newProblem(http.StatusUnauthorized, "not-authenticated", "Not authenticated", reason)
	p.rejected = true
	return p
}

// unverifiable is for a Verifier that could not find out: trouble of ours or of a third party (law 4).
func unverifiable(reason string) *problem {
	p := newProblem(http.StatusServiceUnavailable, "unverifiable", "Not verified",
		"Whether the request is authentic could not be found out now. Nothing was stored; send it again.")
	p.reason, p.retryAfter = reason, retryLater
	return p
}

func unavailable() *problem {
	p := newProblem(http.StatusServiceUnavailable, "unavailable", "Not stored",
		"The delivery could not be stored and was not acknowledged. Send it again.")
	p.retryAfter = retryLater
	return p
}

func defect() *problem {
	return newProblem(http.StatusInternalServerError, "defect", "Internal error",
		"The delivery ran into a defect of ours. The request id finds it in our log.")
}

// noScheme is the challenge where the verifier has none of its own: RFC 9110 §11.6.1 wants one, and
// signatures over bodies have no registered scheme.
const noScheme = `Signature realm="deliveries"`

// send writes the problem and pushes it out at once, because what may follow in the handler (a
// journal entry) must not show in the answer's time.
func (p *problem) send(c *gin.Context) {
	p.RequestID = c.Writer.Header().Get(requestIDHeader)
	body, err := json.Marshal(p)
	if err != nil {
		c.Status(p.Status)
		return
	}
	if p.retryAfter > 0 {
		seconds := (p.retryAfter + time.Second - 1) / time.Second
		c.Header("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	if p.Status == http.StatusUnauthorized {
		c.Header("WWW-Authenticate", cmp.Or(p.challenge, noScheme))
	}
	if p.closes {
		c.Header("Connection", "close")
	}
	c.Header("Content-Length", strconv.Itoa(len(body)))
	c.Data(p.Status, "application/problem+json", body)
	c.Writer.Flush()
}
