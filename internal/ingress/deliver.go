package ingress

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"countersign/internal/journal"
	"countersign/internal/lms"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// deliverBySource handles POST /webhooks/lms/{tenant}/{source}.
func (i *Ingress) deliverBySource(c *gin.Context, x *exchange) *problem {
	if p := i.find(c, x); p != nil {
		return p
	}
	if p := i.readBody(c, x); p != nil {
		return p
	}
	return i.receive(c, x)
}

// find looks the source of the path up and applies its rate limit.
func (i *Ingress) find(c *gin.Context, x *exchange) *problem {
	source, ok := i.sources.Source(c.Param("tenant"), c.Param("source"))
	if !ok {
		return notFound()
	}
	x.source = source
	return i.limits.take(source, i.now())
}

// deliverByDomain handles POST /webhooks/lms (R162). The body has to be read before its signature
// can be checked; all that is taken from it is whose secret to check it with. Every refusal
// looks the same, so that nobody learns which domains are served.
func (i *Ingress) deliverByDomain(c *gin.Context, x *exchange) *problem {
	if p := i.limits.takeDomain(i.now()); p != nil {
		return p
	}
	if p := i.readBody(c, x); p != nil {
		return p
	}
	source, ok := i.sources.ByDomain(originalDomain(x.body))
	if !ok {
		return notAuthenticatedByDomain("no source for this original_domain")
	}
	x.source = source
	if p := i.limits.take(source, i.now()); p != nil {
		return p
	}
	p := i.receive(c, x)
	if p != nil && p.Status == http.StatusUnauthorized {
		return notAuthenticatedByDomain(p.reason)
	}
	return p
}

func notAuthenticatedByDomain(reason string) *problem {
	p := notAuthenticated("No source with this original_domain accepts this signature.")
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
	if p := verify(c, x); p != nil {
		return p
	}
	decoded, err := i.decode(c.Request.Context(), x, request(c, x))
	completions := i.adopt(x, &decoded)
	d := newDelivery(c, x)
	d.Body = x.body
	d.Verdict, d.Reason = judge(decoded, completions, err)

	receipt, appendErr := i.append(c.Request.Context(), d, completions)
	if errors.Is(appendErr, journal.ErrUnstorable) {
		// It would fail for ever; the raw body can always be kept, and a person told.
		d.Verdict, d.Reason = journal.VerdictUnmapped, "a completion holds text that cannot be stored"
		decoded.Problems = append(decoded.Problems, lms.Problem{Reason: d.Reason})
		receipt, appendErr = i.append(c.Request.Context(), d, nil)
	}
	x.reason = d.Reason
	if appendErr != nil {
		x.reason = appendErr.Error()
		return unavailable()
	}
	x.verdict = receipt.Verdict
	for _, item := range receipt.Completions {
		x.fingerprints = append(x.fingerprints, item.Fingerprint)
	}
	if errors.Is(err, errPanicked) {
		return defect()
	}
	c.JSON(http.StatusOK, newReceipt(receipt, decoded, d.Reason))
	return nil
}

// verify checks the raw bytes before anything believes them (R23).
func verify(c *gin.Context, x *exchange) *problem {
	secret, err := x.source.Verifier.Verify(request(c, x))
	if err != nil {
		return notAuthenticated(err.Error())
	}
	x.secret = secret
	return nil
}

// request is what the Verifier judges and the Adapter reads: the same for both.
func request(c *gin.Context, x *exchange) lms.Request {
	return lms.Request{
		Method: c.Request.Method, Header: c.Request.Header, Body: x.body,
		Query: c.Request.URL.RawQuery, RemoteAddr: c.ClientIP(),
	}
}

// errPanicked stands for a defect in an adapter. The delivery is authentic and so must be kept.
var errPanicked = errors.New("the adapter failed; the body is kept as it came")

func (i *Ingress) decode(ctx context.Context, x *exchange, r lms.Request) (decoded lms.Decoded, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			i.logPanic(ctx, x, cause)
			decoded, err = lms.Decoded{}, errPanicked
		}
	}()
	return x.source.Adapter.Decode(r)
}

// adopt gives the completions their tenant and source. One that is not valid is an adapter's defect;
// it becomes a problem, so that nothing invalid gets past this door.
func (i *Ingress) adopt(x *exchange, decoded *lms.Decoded) []training.Completion {
	var completions []training.Completion
	for _, completion := range decoded.Completions {
		completion.Tenant, completion.Source = x.source.Tenant, x.source.ID
		if err := completion.Validate(); err != nil {
			decoded.Problems = append(decoded.Problems, lms.Problem{
				Event: completion.Event, EventID: completion.EventID, Reason: err.Error(),
			})
			continue
		}
		completions = append(completions, completion)
	}
	return completions
}

// mostReasons bounds the reason of a batch in which everything is wrong.
const mostReasons = 5

// judge gives the delivery its verdict. One problem among good completions still calls for a
// person, so it decides; whether an accepted one is a duplicate only the journal knows.
func judge(decoded lms.Decoded, completions []training.Completion, err error) (journal.Verdict, string) {
	var reasons []string
	if err != nil {
		reasons = append(reasons, err.Error())
	}
	for _, p := range decoded.Problems {
		reasons = append(reasons, p.Reason)
	}
	switch {
	case len(reasons) > mostReasons:
		more := fmt.Sprintf("%d more", len(reasons)-mostReasons)
		return journal.VerdictUnmapped, strings.Join(append(reasons[:mostReasons], more), "; ")
	case len(reasons) > 0:
		return journal.VerdictUnmapped, strings.Join(reasons, "; ")
	case len(completions) > 0:
		return journal.VerdictAccepted, ""
	case len(decoded.Ignored) > 0:
		return journal.VerdictIgnored, decoded.Ignored[0].Reason
	default:
		return journal.VerdictUnmapped, "the delivery holds no event"
	}
}

// append commits the delivery. It goes on when the client hangs up: half of an append would
// leave the sender and the journal in disagreement about what was taken.
func (i *Ingress) append(ctx context.Context, d journal.Delivery, completions []training.Completion) (journal.Receipt, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), appendTimeout)
	defer cancel()
	return i.journal.Append(ctx, d, completions)
}
