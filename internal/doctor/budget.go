package doctor

import (
	"fmt"
	"net/http"
	"strconv"
)

// budgetHeaders are the names under which systems say how many calls are left, and of how many.
var budgetHeaders = [...][2]string{
	{"X-Arena-Requests-Remaining", ""}, // the vendor's API, per workspace and 24 hours
	{"X-Ratelimit-Remaining", "X-Ratelimit-Limit"},
	{"Ratelimit-Remaining", "Ratelimit-Limit"},
	{"X-Rate-Limit-Remaining", "X-Rate-Limit-Limit"},
}

// lowBudget is how many calls left are called few: a completion takes up to six, and more when it is retried.
const lowBudget = 100

// remaining reads how many calls are left, and of how many (0: not said).
func remaining(h http.Header) (left, limit int, ok bool) {
	for _, names := range budgetHeaders {
		left, err := strconv.Atoi(h.Get(names[0]))
		if err != nil {
			continue
		}
		if limit, err = strconv.Atoi(h.Get(names[1])); err != nil {
			limit = 0
		}
		return left, limit, true
	}
	return 0, 0, false
}

func budget(check, whose string, h http.Header) Finding {
	left, limit, ok := remaining(h)
	if !ok {
		return unfit(Note, check, whose+" does not say how many calls are left", "")
	}
	text := fmt.Sprintf("%d calls are left", left)
	if limit > 0 {
		text = fmt.Sprintf("%d of %d calls are left", left, limit)
	}
	switch {
	case left <= 0:
		return unfit(Error, check, text, "wait until the budget begins anew; completions wait and are retried meanwhile")
	case left < lowBudget:
		return unfit(Warning, check, text, "ask for a larger budget, or find out who else uses this account")
	default:
		return fine(check, "%s", text)
	}
}
