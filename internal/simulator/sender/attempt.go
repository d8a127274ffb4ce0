package sender

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Attempt is one request on its way out. A Credential adds to it.
type Attempt struct {
	// Number counts from 1.
	Number int
	At     time.Time
	Method string
	URL    *url.URL
	ID     string
	Header http.Header
	Body   []byte
}

// maxAnswer is how much of an answer is kept, in bytes.
const maxAnswer = 64 << 10

type answer struct {
	status int
	header http.Header
	body   []byte
	err    error
}

// attempt sends a post once.
func (l *LMS) attempt(ctx context.Context, method string, address *url.URL, post Post, n int) answer {
	if l.options.Patience > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, l.options.Patience)
		defer cancel()
	}
	a := &Attempt{
		Number: n, At: l.options.Now(), Method: method, URL: address, ID: post.ID,
		Header: post.Header.Clone(), Body: bytes.Clone(post.Body),
	}
	if a.Header == nil {
		a.Header = http.Header{}
	}
	if prepare := l.options.Profile.prepare; prepare != nil && method == http.MethodPost {
		prepare(a)
	}
	if err := l.options.Credential.Apply(ctx, a); err != nil {
		return answer{err: fmt.Errorf("prove a delivery: %w", err)}
	}
	got := l.exchange(ctx, a)
	if forgetful, ok := l.options.Credential.(interface{ forget() }); ok && got.status == http.StatusUnauthorized {
		forgetful.forget()
	}
	return got
}

func (l *LMS) exchange(ctx context.Context, a *Attempt) answer {
	request, err := http.NewRequestWithContext(ctx, a.Method, a.URL.String(), bytes.NewReader(a.Body))
	if err != nil {
		return answer{err: fmt.Errorf("send delivery: %w", err)}
	}
	request.Header = a.Header
	response, err := l.options.Client.Do(request)
	if err != nil {
		if failed := (*url.Error)(nil); errors.As(err, &failed) {
			err = failed.Err // the URL may hold a token
		}
		return answer{err: fmt.Errorf("send delivery: %w", err)}
	}
	// The answer has been read by then; a failing Close says nothing about it.
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return answer{err: fmt.Errorf("read answer to delivery: %w", err)}
	}
	return answer{status: response.StatusCode, header: response.Header, body: body}
}
