package fault

import (
	"bytes"
	"net/http"
	"strconv"
)

// recorder holds a handler's answer back until the fault has decided what becomes of it.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newRecorder(base http.Header) *recorder {
	return &recorder{header: base.Clone(), status: http.StatusOK}
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }

func loggedStatus(f Fault, answer *recorder) int {
	if f.Answer == AnswerDrop {
		return 0
	}
	return answer.status
}

// writeAnswer sends what the fault leaves of the recorded answer. Panicking with
// http.ErrAbortHandler is net/http's documented way to close a connection unanswered.
func writeAnswer(w http.ResponseWriter, f Fault, answer *recorder) {
	header, body := w.Header(), answer.body.Bytes()
	for name, values := range answer.header {
		header[name] = values
	}
	switch f.Answer {
	case AnswerDrop:
		panic(http.ErrAbortHandler)
	case AnswerMalformed:
		body = append([]byte(`{"status": COMPLETED, <html>`), body...)
		answer.status = withBody(answer.status)
	case AnswerTruncated:
		header.Set("Content-Type", "application/json")
		header.Set("Content-Length", strconv.Itoa(len(body)+2))
		w.WriteHeader(withBody(answer.status))
		send(w, body[:len(body)/2])
		if flusher, ok := w.(http.Flusher); ok {
			flusher.Flush()
		}
		panic(http.ErrAbortHandler)
	case AnswerHuge:
		header.Set("Content-Type", "application/json")
		w.WriteHeader(withBody(answer.status))
		sendHuge(w, f.Size)
		return
	}
	if f.Answer == AnswerStatus && f.RetryAfter != "" {
		header.Set("Retry-After", f.RetryAfter)
	}
	w.WriteHeader(answer.status)
	send(w, body)
}

// sendHuge writes well-formed JSON of about size bytes; only its length is wrong with it.
func sendHuge(w http.ResponseWriter, size int64) {
	chunk := bytes.Repeat([]byte("x"), 32<<10)
	if !send(w, []byte(`{"padding":"`)) {
		return
	}
	for left := size; left > 0; left -= int64(len(chunk)) {
		if !send(w, chunk[:min(left, int64(len(chunk)))]) {
			return
		}
	}
	send(w, []byte(`"}`))
}

// send reports whether the caller still listens. One who has gone away is no error here: the
// request has been handled and logged, and net/http closes the connection.
func send(w http.ResponseWriter, p []byte) bool {
	_, err := w.Write(p)
	return err == nil
}

// withBody replaces a status that forbids a body.
func withBody(status int) int {
	if status == http.StatusNoContent {
		return http.StatusOK
	}
	return status
}
