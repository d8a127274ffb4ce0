package outbound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"unicode/utf8"
)

// TooLargeError says that an answer had more bytes than are read of one. Nothing of it is used: what is missing
// behind a cut nobody would see.
type TooLargeError struct{ Limit int64 }

func (e TooLargeError) Error() string {
	if e.Limit < 1<<20 {
		return fmt.Sprintf("answer is larger than %d bytes, the most that is read", e.Limit)
	}
	return fmt.Sprintf("answer is larger than %d MiB, the most that is read", e.Limit>>20)
}

// TooLarge reports whether err is an answer with more bytes than are read of one: where the other side has pages, a
// smaller one may be asked for.
func TooLarge(err error) bool {
	_, ok := errors.AsType[TooLargeError](err)
	return ok
}

// Answer is what came back, read to its end or to where it broke.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	Broken error // why the body could not be read to its end
}

// Do sends req and reads the answer, at most limit bytes of its body. The error is that of an exchange without an
// answer, for Unanswered.
func Do(client *http.Client, req *http.Request, limit int64) (Answer, error) {
	res, err := client.Do(req) //nolint:gosec // the address is that of the settings, and no redirect is followed
	if err != nil {
		return Answer{}, err
	}
	return Read(res, limit), nil
}

// Read reads and closes the body of res, at most limit bytes of it.
func Read(res *http.Response, limit int64) Answer {
	defer res.Body.Close()
	got := Answer{Status: res.StatusCode, Header: res.Header}
	got.Body, got.Broken = io.ReadAll(io.LimitReader(res.Body, limit+1))
	if int64(len(got.Body)) > limit {
		got.Broken = TooLargeError{limit}
	}
	return got
}

// OK reports a 2xx.
func (a Answer) OK() bool { return a.Status >= 200 && a.Status < 300 }

// Interrupted reports whether the body ended early because of time or the caller, and not because of the
// other side.
func (a Answer) Interrupted(ctx context.Context) bool {
	timeout, ok := errors.AsType[net.Error](a.Broken)
	return a.Broken != nil && (ctx.Err() != nil || (ok && timeout.Timeout()))
}

// JSON is the body if it is whole, in UTF-8 and labelled as JSON: application/json, or a type that ends
// in +json (RFC 6839). Whether it parses is not looked at. Its errors hold none of the body.
func (a Answer) JSON() ([]byte, error) {
	media, params, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	charset := params["charset"]
	tooLarge, isTooLarge := errors.AsType[TooLargeError](a.Broken)
	switch {
	case isTooLarge:
		return nil, tooLarge
	case a.Broken != nil:
		return nil, errors.New("answer is cut off")
	case err != nil || media != "application/json" && !strings.HasSuffix(media, "+json"):
		return nil, errors.New("answer is not application/json")
	case charset != "" && !strings.EqualFold(charset, "utf-8"), !utf8.Valid(a.Body):
		return nil, errors.New("answer is not UTF-8")
	}
	return a.Body, nil
}
