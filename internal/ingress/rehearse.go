package ingress

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"countersign/internal/journal"
	"countersign/internal/lms"
)

// rehearse answers the LMS's "test with user": POST on the source's URL with /test behind it. It is a
// delivery as far as reading goes, looks employee and training record up, says what would be done, and
// writes nothing: no journal, no QMS (R190-R192). It can be repeated at will.
//
// Here, and nowhere else, content gives a 4xx (R201): 400 for a body that cannot be read, 422 for any
// other problem. 503 says that the content is good as far as one can tell and a lookup had no answer.
func (i *Ingress) rehearse(c *gin.Context, x *exchange) *problem {
	if p := i.verify(c, x); p != nil {
		return p
	}
	x.verdict = journal.VerdictTest
	if p := i.limits.takeRehearsal(x.source, i.now()); p != nil {
		return p
	}
	result := Explain(x.source, x.request, i.maxBody)
	x.reason = result.Reason
	if errors.Is(result.Err, ErrDefect) {
		i.logPanic(c.Request.Context(), x, result.cause, result.stack)
		return defect()
	}
	x.fingerprints = fingerprints(result.Completions)
	a := newTestAnswer(result)
	found := i.lookUp(c.Request.Context(), x, result.Completions)
	a.Problems = append(a.Problems, found.problems...)
	a.WouldDo = append(a.WouldDo, found.wouldDo...)

	status := http.StatusOK
	switch {
	case errors.Is(result.Err, lms.ErrUnreadable):
		status = http.StatusBadRequest
	case slices.ContainsFunc(a.Problems, func(p testProblem) bool { return !p.transient }):
		status = http.StatusUnprocessableEntity
	case len(a.Problems) > 0:
		status = http.StatusServiceUnavailable
		c.Header("Retry-After", strconv.Itoa(int(retryLater/time.Second)))
	}
	return answer(c, status, a)
}

// answer sends v. It is encoded before anything is sent, because parts of it come from outside
// this package.
func answer(c *gin.Context, status int, v any) *problem {
	body, err := json.Marshal(v)
	if err != nil {
		return defect()
	}
	c.Data(status, "application/json; charset=utf-8", body)
	return nil
}
