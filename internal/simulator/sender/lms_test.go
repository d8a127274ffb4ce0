package sender_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/simulator/sender"
)

// receiver answers with a script of statuses, then 200; 0 drops the connection, hang answers nothing.
type receiver struct {
	mu         sync.Mutex
	statuses   []int
	retryAfter int
	requests   []received
	release    chan struct{}
}

type received struct {
	method, path, query, body string
	header                    http.Header
}

const hang = -1

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.mu.Lock()
	r.requests = append(r.requests, received{request.Method, request.URL.Path, request.URL.RawQuery, string(body), request.Header})
	status := http.StatusOK
	if len(r.statuses) > 0 {
		status, r.statuses = r.statuses[0], r.statuses[1:]
	}
	after := r.retryAfter
	r.mu.Unlock()
	switch status {
	case 0:
		panic(http.ErrAbortHandler)
	case hang:
		<-r.release
		return
	}
	if after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(after))
	}
	if status/100 == 3 {
		w.Header().Set("Location", "/elsewhere")
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"verdict":"accepted"}`)
}

func (r *receiver) got() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.requests
}

func (r *receiver) then(statuses ...int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.statuses = statuses
}

func start(t *testing.T, statuses ...int) (*receiver, string) {
	t.Helper()
	r := &receiver{statuses: statuses, release: make(chan struct{})}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(r.release) })
	return r, server.URL
}

// clock moves when somebody waits.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	waits []time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Wait(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now, c.waits = c.now.Add(d), append(c.waits, d)
	return ctx.Err()
}

// open makes an LMS whose waits take no time.
func open(t *testing.T, p sender.Profile, url string, change ...func(*sender.Options)) (*sender.LMS, *clock) {
	t.Helper()
	c := &clock{now: ended}
	o := sender.Options{Profile: p, URL: url, Credential: sender.Unsigned{}, Now: c.Now, Wait: c.Wait}
	for _, f := range change {
		f(&o)
	}
	lms, err := sender.New(o)
	require.NoError(t, err)
	return lms, c
}

func repeat(status, n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = status
	}
	return all
}

const m, h = time.Minute, time.Hour

// TestSchedules walks every platform's own schedule with a receiver that is in trouble for good, and what it takes for a
// success and for a reason to stop.
func TestSchedules_R123_R132(t *testing.T) {
	s := time.Second
	adobe := []time.Duration{5 * s, 10 * s, 20 * s, 40 * s, 80 * s, 160 * s, 300 * s, 300 * s}
	for name, tt := range map[string]struct {
		waits     []time.Duration // with 503; of a long one the beginning
		repeats   int             // where the beginning is all that waits has
		taken     []int           // besides 200
		refused   []int           // given up at once
		triedOnce bool
		disabled  bool
	}{
		"absorb":                 {refused: []int{301, 401, 503}},
		"activate":               {waits: []time.Duration{m, 5 * m, 30 * m}, taken: []int{201, 204}},
		"adobe-learning-manager": {waits: adobe, repeats: 2020, taken: []int{202}, disabled: true},
		"axis":                   {refused: []int{302, 400, 500}},
		"axis/form":              {refused: []int{302, 400, 500}},
		"brightspace":            {waits: []time.Duration{m, 5 * m, 15 * m}, refused: []int{401, 422}},
		"canonical":              {waits: []time.Duration{m, 5 * m, 30 * m}, taken: []int{202}, refused: []int{401, 404}},
		"canvas":                 {waits: []time.Duration{2 * m, 4 * m, 8 * m}, taken: []int{204}},
		"canvas/unsigned":        {waits: []time.Duration{2 * m, 4 * m, 8 * m}},
		"cornerstone":            {waits: []time.Duration{30 * s, m, 90 * s}, repeats: 19, refused: []int{400, 401, 429}},
		"docebo":                 {taken: []int{201, 301, 302}, refused: []int{400, 500}},
		"generic":                {waits: []time.Duration{m, 5 * m, 30 * m}, refused: []int{400}},
		"learnupon":              {waits: []time.Duration{m, 2 * m, 4 * m, 8 * m}, repeats: 19},
		"learnupon/v1":           {waits: []time.Duration{m, 2 * m, 4 * m, 8 * m}, repeats: 19},
		"lessonly":               {waits: []time.Duration{5 * m, 5 * m, 5 * m}},
		"moodle":                 {waits: []time.Duration{m, 5 * m, 15 * m, h, 3 * h, 6 * h, 12 * h, 24 * h}, taken: []int{202}, refused: []int{301, 400, 404}},
		"moodle/local_webhooks":  {taken: []int{500, 404}, triedOnce: true},
		"moodle/logstore_xapi":   {refused: []int{201, 204, 500}},
		"moodle/tool_trigger":    {waits: []time.Duration{h, h, h, h, h}},
		"successfactors":         {waits: []time.Duration{m, 2 * m, 4 * m, 8 * m}},
		"talentlms":              {refused: []int{500, 503}},
	} {
		t.Run(name, func(t *testing.T) {
			profile, ok := sender.Find(name)
			require.True(t, ok)
			post := profile.Posts(site, finish(1))[0]
			for _, status := range append([]int{200}, tt.taken...) {
				r, url := start(t, status)
				lms, _ := open(t, profile, url)
				outcome := lms.Send(t.Context(), post)
				require.True(t, outcome.Delivered, status)
				require.Equal(t, sender.Outcome{Delivered: true, Attempts: 1, Status: status, Body: []byte(`{"verdict":"accepted"}`)}, withBody(outcome))
				require.Len(t, r.got(), 1, "redirects are not followed")
			}
			for _, status := range tt.refused {
				_, url := start(t, status)
				lms, c := open(t, profile, url)
				outcome := lms.Send(t.Context(), post)
				require.True(t, outcome.GaveUp, status)
				require.Equal(t, status, outcome.Status)
				require.Empty(t, c.waits)
			}
			if tt.triedOnce {
				return
			}
			r, url := start(t, repeat(503, 3000)...)
			lms, c := open(t, profile, url)
			outcome := lms.Send(t.Context(), post)
			require.True(t, outcome.GaveUp)
			require.False(t, outcome.Delivered)
			require.Equal(t, tt.disabled, outcome.Disabled)
			require.Len(t, c.waits, max(tt.repeats, len(tt.waits)))
			require.Equal(t, tt.waits, c.waits[:len(tt.waits)])
			require.Equal(t, len(c.waits)+1, outcome.Attempts)
			require.Len(t, r.got(), outcome.Attempts)
		})
	}
}

// withBody takes the body for granted where the receiver could not send one.
func withBody(o sender.Outcome) sender.Outcome {
	o.Body = []byte(`{"verdict":"accepted"}`)
	return o
}

// TestAttempts: an attempt has the same bytes as the one before, but for what the platform renews itself.
func TestAttempts(t *testing.T) {
	send := func(p sender.Profile, secret string) []received {
		r, url := start(t, 503, 0, 503)
		lms, _ := open(t, p, url, func(o *sender.Options) { o.Credential = p.Credential(account(secret)) })
		require.True(t, lms.Send(t.Context(), p.Posts(site, finish(1))[0]).Delivered)
		require.Len(t, r.got(), 4)
		return r.got()
	}
	t.Run("canonical", func(t *testing.T) {
		got := send(sender.Canonical(), "s")
		for _, one := range got {
			require.Equal(t, got[0].body, one.body)
			require.Equal(t, sender.Sign("s", []byte(one.body)), one.header.Get(sender.SignatureHeader))
		}
	})
	t.Run("moodle", func(t *testing.T) {
		got := send(sender.Moodle(), "c2VjcmV0")
		require.Equal(t, got[0].body, got[3].body)
		require.Equal(t, got[0].header.Get("Webhook-Id"), got[3].header.Get("Webhook-Id"))
		require.Equal(t, strconv.Itoa(int(ended.Add(21*m).Unix())), got[3].header.Get("Webhook-Timestamp"))
		require.NotEqual(t, got[0].header.Get("Webhook-Signature"), got[3].header.Get("Webhook-Signature"))
	})
	t.Run("cornerstone", func(t *testing.T) {
		got := send(sender.Cornerstone(), "s")
		require.Equal(t, "gzip", got[3].header.Get("Content-Encoding"))
		require.Contains(t, string(inflated(t, []byte(got[0].body))), `"attemptNumber":1,`)
		require.Contains(t, string(inflated(t, []byte(got[3].body))), `"attemptNumber":4,`)
		require.NotEqual(t, got[0].header.Get("X-Content-Sha256"), got[3].header.Get("X-Content-Sha256"))
	})
	t.Run("learnupon/v1", func(t *testing.T) {
		got := send(sender.LearnUponV1(), "s")
		require.Contains(t, got[3].body, `"attempt":4,`)
		require.NotEqual(t, v1Signature.FindString(got[0].body), v1Signature.FindString(got[3].body))
	})
}

// TestPatience: who waits longer than the platform does hears that there was no answer.
func TestPatience(t *testing.T) {
	_, url := start(t, hang)
	lms, _ := open(t, sender.Docebo(), url, func(o *sender.Options) { o.Patience = 20 * time.Millisecond })
	outcome := lms.Send(t.Context(), sender.Docebo().Posts(site, finish(1))[0])
	require.True(t, outcome.GaveUp)
	require.Zero(t, outcome.Status)
	require.ErrorIs(t, outcome.Err, context.DeadlineExceeded)
	for _, p := range append(sender.Profiles(), sender.Variants()...) {
		require.Equal(t, p.Variant == "local_webhooks", p.Patience == 0, p.Name())
		require.LessOrEqual(t, p.Patience, 30*time.Second, p.Name())
	}
}

// TestDisabled_R136: ten failures in a row switch an integration off, until somebody switches it on.
func TestDisabled_R136(t *testing.T) {
	r, url := start(t, repeat(500, 9)...)
	lms, c := open(t, sender.Activate(), url)
	posts := sender.Activate().Posts(site, finishes(6)...)
	for _, post := range posts[:2] {
		require.True(t, lms.Send(t.Context(), post).GaveUp) // four attempts each
	}
	require.True(t, lms.Send(t.Context(), posts[2]).Delivered, "the tenth attempt")
	require.False(t, lms.Disabled())

	r.then(repeat(500, 30)...)
	require.False(t, lms.Send(t.Context(), posts[3]).Disabled, "a success begins the count anew")
	require.False(t, lms.Send(t.Context(), posts[4]).Disabled)
	last := lms.Send(t.Context(), posts[5])
	require.True(t, last.Disabled)
	require.Equal(t, 2, last.Attempts, "the tenth failure")
	before, waited := len(r.got()), len(c.waits)
	require.Equal(t, 20, before)

	again := lms.Send(t.Context(), posts[5])
	require.ErrorIs(t, again.Err, sender.ErrDisabled)
	require.True(t, again.Disabled)
	require.Zero(t, again.Attempts)
	require.Len(t, r.got(), before, "nothing is sent")
	require.Len(t, c.waits, waited)

	require.Equal(t, http.StatusInternalServerError, lms.TestConnection(t.Context(), http.MethodGet).Status)
	lms.Enable()
	r.then()
	require.True(t, lms.Send(t.Context(), posts[5]).Delivered)
}

// TestRetryAfter: one platform reads it, within bounds of its own.
func TestRetryAfter(t *testing.T) {
	for seconds, want := range map[int]time.Duration{1: m, 120: 2 * m, 9999: h} {
		r, url := start(t, 429)
		r.retryAfter = seconds
		lms, c := open(t, sender.Moodle(), url)
		require.True(t, lms.Send(t.Context(), sender.Moodle().Posts(site, finish(1))[0]).Delivered)
		require.Equal(t, []time.Duration{want}, c.waits)
	}
	r, url := start(t, 429)
	r.retryAfter = 7
	lms, c := open(t, sender.Activate(), url)
	require.True(t, lms.Send(t.Context(), sender.Activate().Posts(site, finish(1))[0]).Delivered)
	require.Equal(t, []time.Duration{m}, c.waits)
}

// TestInOrder: Adobe sends nothing before the delivery before it is taken.
func TestInOrder(t *testing.T) {
	r, url := start(t, 503)
	waiting, release := make(chan struct{}), make(chan struct{})
	lms, _ := open(t, sender.Adobe(), url, func(o *sender.Options) {
		o.Wait = func(context.Context, time.Duration) error { close(waiting); <-release; return nil }
	})
	posts := sender.Adobe().Posts(site, finishes(20)...)
	done := make(chan sender.Outcome, 2)
	go func() { done <- lms.Send(t.Context(), posts[0]) }()
	<-waiting
	stopped, stop := context.WithCancel(t.Context())
	stop()
	require.ErrorIs(t, lms.Send(stopped, posts[1]).Err, context.Canceled, "it was not its turn")
	go func() { done <- lms.Send(t.Context(), posts[1]) }()
	close(release)
	require.True(t, (<-done).Delivered)
	require.True(t, (<-done).Delivered)
	got := r.got()
	require.Len(t, got, 3)
	require.Equal(t, got[0].body, got[1].body)
}

// TestStopped: who is stopped has failed nobody.
func TestStopped(t *testing.T) {
	_, url := start(t, 503)
	stopped := errors.New("stopped")
	lms, _ := open(t, sender.Canonical(), url, func(o *sender.Options) {
		o.Wait = func(context.Context, time.Duration) error { return stopped }
	})
	outcome := lms.Send(t.Context(), sender.Canonical().Posts(site, finish(1))[0])
	require.ErrorIs(t, outcome.Err, stopped)
	require.False(t, outcome.GaveUp)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	outcome = lms.Send(ctx, sender.Canonical().Posts(site, finish(1))[0])
	require.ErrorIs(t, outcome.Err, context.Canceled)
	require.False(t, outcome.GaveUp)
}
