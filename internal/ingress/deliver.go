package ingress

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"countersign/internal/journal"
	"countersign/internal/lms"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// deliverBySource handles POST /webhooks/lms/{tenant}/{source} and what may stand behind it.
func (i *Ingress) deliverBySource(c *gin.Context, x *exchange) *problem {
	if p := i.find(c, x); p != nil {
		return p
	}
	if p := i.readBody(c, x, x.source.Transport); p != nil {
		return p
	}
	if x.place.rehearsal {
		return i.rehearse(c, x)
	}
	return i.receive(c, x)
}

// find looks the source of the path up, applies its rate limit, and reads the rest of the path.
func (i *Ingress) find(c *gin.Context, x *exchange) *problem {
	a, ok := parseAddress(c.Request.URL.EscapedPath())
	if !ok {
		return notFound()
	}
	source, ok := i.sources.Source(a.tenant, a.source)
	if !ok {
		return notFound()
	}
	x.source = source
	if p := i.limits.take(source, i.now()); p != nil {
		return p.heededBy(source)
	}
	if x.place, ok = source.place(a.tail); !ok {
		return notFound()
	}
	return nil
}

// deliverByDomain handles POST /webhooks/lms (R162). The body has to be read before its signature
// can be checked, so it is plain JSON here whatever the platform; all that is taken from it is whose
// secret to check it with. Every refusal looks the same, so that nobody learns which domains are served.
func (i *Ingress) deliverByDomain(c *gin.Context, x *exchange) *problem {
	if p := i.limits.mayPeek(i.now()); p != nil {
		return p
	}
	if p := i.readBody(c, x, lms.Transport{}); p != nil {
		i.limits.peeked(i.now())
		return p
	}
	source, ok := i.sources.ByDomain(originalDomain(x.body))
	if !ok {
		i.limits.peeked(i.now())
		return notAuthenticatedByDomain("no source for this original_domain")
	}
	x.source = source
	if p := i.limits.take(source, i.now()); p != nil {
		return p.heededBy(source)
	}
	p := i.receive(c, x)
	if p != nil && p.Status == http.StatusUnauthorized {
		return notAuthenticatedByDomain(p.reason)
	}
	return p
}

func notAuthenticatedByDomain(reason string) *problem {
	p := notAuthenticated("No source with this original_domain accepts this signature. Compare the domain, the secret and its header with the source's.")
	p.reason = reason
	return p
}

// peekTokens bounds what a stranger's body may cost before its signature is checked: a hundred
// times an envelope.
const peekTokens = 5000

// originalDomain reads the one member that routes, "" where there is none.
func originalDomain(body []byte) string {
	limits := strictjson.DefaultLimits()
	limits.Tokens = peekTokens
	root, err := strictjson.Decode(body, limits)
	if err != nil {
		return ""
	}
	domain, err := root.Member("original_domain").StringOnly()
	if err != nil {
		return ""
	}
	return strings.ToLower(domain)
}

// receive verifies, decodes, journals and answers.
func (i *Ingress) receive(c *gin.Context, x *exchange) *problem {
	if p := i.verify(c, x); p != nil {
		return p
	}
	result := Read(x.source, x.request, i.maxBody)
	if result.cause != nil {
		i.logPanic(c.Request.Context(), x, result.cause, result.stack)
	}
	d := newDelivery(c, x)
	d.Body = x.body
	d.Verdict, d.Reason = result.Verdict, result.Reason
	completions, enrollments := result.Completions, result.Enrollments
	if x.source.TestMode {
		d.Verdict, d.Reason, completions, enrollments = journal.VerdictTest, wouldBe(result), nil, nil
	}

	receipt, appendErr := i.append(c.Request.Context(), d, completions, enrollments...)
	if errors.Is(appendErr, journal.ErrUnstorable) {
		// It would fail for ever; the raw body can always be kept, and a person told.
		d.Verdict, d.Reason = journal.VerdictUnmapped, "a completion or an enrollment holds text that cannot be stored"
		result.Problems = append(result.Problems, lms.Problem{Reason: d.Reason})
		receipt, appendErr = i.append(c.Request.Context(), d, nil)
	}
	x.reason = d.Reason
	if appendErr != nil {
		x.reason = appendErr.Error()
		return unavailable()
	}
	x.verdict, x.kept = receipt.Verdict, true
	switch {
	case errors.Is(result.Err, ErrDefect):
		return defect()
	case x.source.TestMode:
		x.fingerprints = fingerprints(result.Completions)
		return answer(c, http.StatusOK, newTestReceipt(receipt.DeliveryID, result))
	}
	for _, item := range receipt.Completions {
		x.fingerprints = append(x.fingerprints, item.Fingerprint)
	}
	for _, item := range receipt.Enrollments {
		x.enrollments = append(x.enrollments, item.Key)
	}
	c.JSON(http.StatusOK, newReceipt(receipt, result, d.Reason))
	return nil
}

// verify checks the raw bytes before anything believes them (R23).
func (i *Ingress) verify(c *gin.Context, x *exchange) *problem {
	x.request = lms.Request{
		Method: c.Request.Method, Header: c.Request.Header, Body: x.body, Received: x.body,
		Query: c.Request.URL.RawQuery, RemoteAddr: c.ClientIP(),
		Path: x.place.path, PathToken: x.place.token, Certificate: i.certificate(c.Request),
	}
	secret, err := x.source.Verifier.Verify(x.request)
	switch {
	case errors.Is(err, lms.ErrUnverifiable):
		return unverifiable(err.Error())
	case err != nil:
		p := notAuthenticated(err.Error())
		if challenger, ok := x.source.Verifier.(lms.Challenger); ok {
			p.challenge = challenger.Challenge()
		}
		return p
	}
	x.secret, x.authentic = secret, true
	return nil
}

// append commits the delivery. It goes on when the client hangs up: half of an append would
// leave the sender and the journal in disagreement about what was taken.
func (i *Ingress) append(ctx context.Context, d journal.Delivery, completions []training.Completion, enrollments ...training.Enrollment) (journal.Receipt, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), appendTimeout)
	defer cancel()
	return i.journal.Append(ctx, d, completions, enrollments...)
}
