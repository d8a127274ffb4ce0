package issuer

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"
	"time"
)

// read reads a body up to its bound.
func read(w http.ResponseWriter, r *http.Request) ([]byte, *refusal) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, longestRequest))
	if tooLong := new(http.MaxBytesError); errors.As(err, &tooLong) {
		return nil, &refusal{http.StatusRequestEntityTooLarge, invalidRequest, "the body is longer than 8 KiB"}
	}
	if err != nil {
		return nil, &refusal{http.StatusBadRequest, invalidRequest, "the body ended early"}
	}
	return body, nil
}

// answer writes JSON. RFC 6749 §5.1 wants both headers, so that no cache keeps a token.
func answer(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		http.Error(w, "the answer could not be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
	w.WriteHeader(status)
	_, _ = w.Write(body) // who does not read the answer asks again
}

// answerRefusal writes an error as RFC 6749 §5.2 has it. challenge goes with a 401.
func answerRefusal(w http.ResponseWriter, r refusal, challenge string) {
	if r.status == http.StatusUnauthorized {
		if challenge == "" {
			challenge = `Basic realm="countersign"`
		}
		w.Header().Set("WWW-Authenticate", challenge)
	}
	answer(w, r.status, struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}{r.code, r.description})
}

// setRetryAfter rounds up, so that who comes back in time is let in.
func setRetryAfter(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
}
