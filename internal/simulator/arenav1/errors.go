package arenav1

import (
	"encoding/json"
	"net/http"

	"countersign/internal/simulator/fault"
)

// problem is an error answer.
type problem struct {
	status  int
	code    int
	message string
}

// The errors. 3011, 4001 and 4217 are the vendor's; the other codes are ours, because the vendor's are
// not known or were renumbered.
var (
	errRequired  = problem{400, 3001, "A required attribute is missing."}
	errGUID      = problem{400, 3011, "The guid is not valid."}
	errContent   = problem{400, 3033, "The file content is missing."}
	errLogin     = problem{400, 4001, "The login is not valid."}
	errManager   = problem{400, 4217, "Only the training plan's manager may do this."}
	errOnPlan    = problem{400, 4290, "The user is on the training plan already."}
	errClosed    = problem{400, 4291, "The training plan is closed."}
	errSession   = problem{401, 4010, "The session is not valid."}
	errEndpoint  = problem{404, 4040, "The endpoint is not supported."}
	errMediaType = problem{415, 4150, "The content type is not supported."}
	errBudget    = problem{429, 4999, "The request limit is reached."}
)

// none is no problem.
var none problem

func (p problem) write(w http.ResponseWriter, x *fault.Exchange) {
	x.Reason = p.message
	type item struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	writeJSON(w, p.status, struct {
		Status int    `json:"status"`
		Errors []item `json:"errors"`
	}{p.status, []item{{p.code, p.message}}})
}

// writeScriptedError is the body of a scripted status.
func writeScriptedError(w http.ResponseWriter, x *fault.Exchange, status int) {
	problem{status, 10 * status, http.StatusText(status)}.write(w, x)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The writer is the gate's buffer and every body a plain struct: neither can fail.
	_ = json.NewEncoder(w).Encode(body)
}
