package sender

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Options configure an LMS.
type Options struct {
	Profile Profile
	// URL is the webhook's address as an administrator has pasted it, with a token in path or query where it has one.
	URL        string
	Credential Credential
	// Client is one without a timeout when nil: patience is the profile's.
	Client *http.Client
	// Patience takes the place of the profile's when it is not 0.
	Patience time.Duration
	// Now is the clock, time.Now when nil.
	Now func() time.Time
	// Wait waits between attempts; a timer when nil.
	Wait func(ctx context.Context, d time.Duration) error
}

// LMS sends to one URL. It is safe for concurrent use.
type LMS struct {
	options Options
	target  *url.URL
	turn    chan struct{} // what one that keeps the order has to hold

	mu       sync.Mutex
	disabled bool
	failed   int // attempts in a row
	givenUp  int // deliveries in a row
}

// Outcome is how a delivery, or a test, ended at the LMS.
type Outcome struct {
	// Delivered says that the platform takes the last answer for a success.
	Delivered bool
	Attempts  int
	// Status and Body are those of the last answer; 0 when there was none.
	Status int
	Body   []byte
	// Err is why the last attempt had no answer, or why there was none.
	Err error
	// GaveUp says that the LMS will not send it again by itself.
	GaveUp bool
	// Disabled says that the integration is switched off now.
	Disabled bool
}

// ErrDisabled is the error of what was not sent because the integration is switched off.
var ErrDisabled = errors.New("the integration is switched off")

// New makes an LMS.
func New(o Options) (*LMS, error) {
	target, err := url.Parse(o.URL)
	if err != nil || target.Host == "" {
		return nil, errors.New("new LMS: the URL is none") // it may hold a token
	}
	if o.Profile.write == nil || o.Credential == nil {
		return nil, errors.New("new LMS: a profile and a credential are required")
	}
	if o.Client == nil {
		o.Client = &http.Client{}
	}
	client := *o.Client
	// What a redirect means the profile says; a POST that was followed would arrive as a GET.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	o.Client = &client
	if o.Patience == 0 {
		o.Patience = o.Profile.Patience
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Wait == nil {
		o.Wait = wait
	}
	return &LMS{options: o, target: target, turn: make(chan struct{}, 1)}, nil
}

// Send delivers a post: it tries, and tries again as the platform does. It returns when the delivery is taken or
// given up, when the integration is switched off, or when ctx ends.
func (l *LMS) Send(ctx context.Context, post Post) Outcome {
	if l.options.Profile.InOrder {
		select {
		case l.turn <- struct{}{}:
			defer func() { <-l.turn }()
		case <-ctx.Done():
			return Outcome{Err: ctx.Err()}
		}
	}
	var o Outcome
	for n := 1; ; n++ {
		if l.Disabled() {
			o.Disabled, o.Err = true, errors.Join(o.Err, ErrDisabled)
			return o
		}
		answer := l.attempt(ctx, http.MethodPost, l.address(post.Tail, false), post, n)
		o = Outcome{Attempts: n, Status: answer.status, Body: answer.body, Err: answer.err}
		retry := l.options.Profile.Retry
		if o.Delivered = answer.err == nil && retry.taken(answer.status); o.Delivered {
			l.succeeded()
			return o
		}
		if ctx.Err() != nil { // not the receiver's failure
			return o
		}
		d, left := retry.wait(n, answer.header)
		o.GaveUp = !left || !retry.again(answer.status)
		if o.Disabled = l.failure(o.GaveUp); o.Disabled || o.GaveUp {
			return o
		}
		if err := l.options.Wait(ctx, d); err != nil {
			o.Err = fmt.Errorf("wait for the next attempt: %w", err)
			return o
		}
	}
}

// TestConnection asks the URL with method, GET or OPTIONS, without a body (R189). It counts as no failure.
func (l *LMS) TestConnection(ctx context.Context, method string) Outcome {
	return l.once(ctx, method, l.address("", false), Post{})
}

// Rehearse sends a post once to the rehearsal's URL, which is the webhook's with /test behind it (R190). It counts
// as no failure.
func (l *LMS) Rehearse(ctx context.Context, post Post) Outcome {
	return l.once(ctx, http.MethodPost, l.address(post.Tail, true), post)
}

func (l *LMS) once(ctx context.Context, method string, address *url.URL, post Post) Outcome {
	answer := l.attempt(ctx, method, address, post, 1)
	return Outcome{
		Delivered: answer.err == nil && answer.status >= 200 && answer.status < 300,
		Attempts:  1, Status: answer.status, Body: answer.body, Err: answer.err,
	}
}

// address is the webhook's URL with what stands behind its path.
func (l *LMS) address(tail string, rehearsal bool) *url.URL {
	u := *l.target
	u.Path = strings.TrimRight(u.Path, "/")
	if rehearsal {
		u.Path += "/test"
	}
	if tail != "" {
		u.Path += "/" + tail
	}
	return &u
}

// Profile is how this LMS behaves.
func (l *LMS) Profile() Profile { return l.options.Profile }

// Disabled reports whether the integration is switched off.
func (l *LMS) Disabled() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.disabled
}

// Enable switches the integration on again, as a person does who has read the LMS's mail.
func (l *LMS) Enable() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.disabled, l.failed, l.givenUp = false, 0, 0
}

func (l *LMS) succeeded() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed, l.givenUp = 0, 0
}

// failure counts a failed attempt and reports whether the integration is off now.
func (l *LMS) failure(gaveUp bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed++
	if gaveUp {
		l.givenUp++
	}
	d := l.options.Profile.Disable
	if d.Attempts > 0 && l.failed >= d.Attempts || d.GivenUp > 0 && l.givenUp >= d.GivenUp {
		l.disabled = true
	}
	return l.disabled
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
