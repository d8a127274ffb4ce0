package jwks

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// issuing is an issuer that answers over HTTP and can go away.
type issuing struct {
	*httptest.Server

	mu     sync.Mutex
	ids    []string
	status int
	asked  int
	hold   chan struct{}
}

func newIssuing(t *testing.T, ids ...string) *issuing {
	t.Helper()
	i := &issuing{ids: ids, status: http.StatusOK}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		i.mu.Lock()
		i.asked++
		status, content, hold := i.status, set(i.ids...), i.hold
		i.mu.Unlock()
		if hold != nil {
			<-hold
		}
		w.WriteHeader(status)
		_, _ = w.Write(content)
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *issuing) change(status int, ids ...string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.status, i.ids = status, ids
}

func (i *issuing) requests() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.asked
}

var oneKey = sync.OnceValue(func() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
})

// set is a JWK set with these ids.
func set(ids ...string) []byte {
	var s jose.JSONWebKeySet
	for _, id := range ids {
		s.Keys = append(s.Keys, jose.JSONWebKey{Key: oneKey().Public(), KeyID: id, Use: "sig", Algorithm: "ES256"})
	}
	content, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return content
}

// clock is put forward by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 4, 8, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// settle waits until nobody is being asked.
func settle(s *Set) {
	s.mu.Lock()
	running := s.running
	s.mu.Unlock()
	if running != nil {
		<-running
	}
}

func requireKeys(t *testing.T, s *Set, id string, want int) {
	t.Helper()
	keys, err := s.Keys(id)
	require.NoError(t, err)
	require.Len(t, keys, want)
}

func TestSetIsAskedForOnceAndKept_R46(t *testing.T) {
	issuer, clock := newIssuing(t, "previous", "current", "next"), newClock()
	s, err := New(Config{URL: issuer.URL, Now: clock.Now})
	require.NoError(t, err)
	require.Zero(t, issuer.requests(), "to build it asks nobody")
	for range 3 {
		requireKeys(t, s, "current", 1)
		requireKeys(t, s, "", 3)
	}
	require.Equal(t, 1, issuer.requests())
	require.Equal(t, Status{Keys: 3, Fetched: clock.Now()}, s.Status())
}

func TestRotationIsFoundInTheBackground(t *testing.T) {
	issuer, clock := newIssuing(t, "old"), newClock()
	s, err := New(Config{URL: issuer.URL, Now: clock.Now})
	require.NoError(t, err)
	requireKeys(t, s, "old", 1)

	issuer.change(http.StatusOK, "old", "new")
	clock.forward(fresh + time.Second)
	issuer.mu.Lock()
	issuer.hold = make(chan struct{})
	issuer.mu.Unlock()
	requireKeys(t, s, "old", 1) // the issuer has not answered yet: nobody waits for it
	close(issuer.hold)
	settle(s)
	require.Equal(t, 2, s.Status().Keys)

	issuer.change(http.StatusOK, "new")
	clock.forward(stale + time.Second)
	requireKeys(t, s, "old", 0) // taken back by the issuer: a day later at the latest it counts
	require.Equal(t, 3, issuer.requests())
}

func TestUnknownKeyIsAskedForAtOnceAndNotTooOften(t *testing.T) {
	issuer, clock := newIssuing(t, "old"), newClock()
	s, err := New(Config{URL: issuer.URL, Now: clock.Now})
	require.NoError(t, err)
	requireKeys(t, s, "old", 1)
	issuer.change(http.StatusOK, "old", "new")
	clock.forward(cooldown)
	requireKeys(t, s, "new", 1)
	require.Equal(t, 2, issuer.requests())
	for range 100 { // a stranger's inventions
		_, err := s.Keys("invented")
		require.ErrorIs(t, err, errAskedLately, "it may be one that the issuer has begun to use just now")
	}
	require.Equal(t, 2, issuer.requests())
	clock.forward(cooldown)
	requireKeys(t, s, "invented", 0)
	require.Equal(t, 3, issuer.requests())
}

func TestManyAskAsOne(t *testing.T) {
	issuer := newIssuing(t, "k")
	issuer.hold = make(chan struct{})
	s, err := New(Config{URL: issuer.URL, Now: newClock().Now})
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			keys, err := s.Keys("k")
			if err != nil || len(keys) != 1 {
				t.Errorf("%d keys, %v", len(keys), err)
			}
		})
	}
	close(issuer.hold)
	wg.Wait()
	require.Equal(t, 1, issuer.requests())
}

func TestKeysOutliveTheirIssuer(t *testing.T) {
	var logs bytes.Buffer
	issuer, clock := newIssuing(t, "k"), newClock()
	s, err := New(Config{URL: issuer.URL, Now: clock.Now, Log: slog.New(slog.NewTextHandler(&logs, nil))})
	require.NoError(t, err)
	requireKeys(t, s, "k", 1)
	for _, trouble := range []func(){
		func() { issuer.change(http.StatusInternalServerError, "k") },
		func() { issuer.change(http.StatusOK) }, // an empty set is no answer either
		issuer.Close,
	} {
		trouble()
		clock.forward(10 * stale)
		requireKeys(t, s, "k", 1)
		settle(s)
		require.Error(t, s.Status().Err)
		_, err = s.Keys("unknown")
		require.Error(t, err, "nobody knows whether there is such a key")
	}
	require.Contains(t, logs.String(), "the keys that are there keep working")
	require.Contains(t, logs.String(), "status 500")
}

func TestIssuerThatWasNeverThere(t *testing.T) {
	issuer, clock := newIssuing(t, "k"), newClock()
	issuer.change(http.StatusServiceUnavailable)
	s, err := New(Config{URL: issuer.URL + "/keys?code=s3cret", Now: clock.Now})
	require.NoError(t, err)
	for range 3 {
		_, err = s.Keys("k")
		require.ErrorContains(t, err, "status 503")
		require.NotContains(t, err.Error(), "s3cret")
	}
	require.Equal(t, 1, issuer.requests(), "it is left in peace for a minute")
	issuer.change(http.StatusOK, "k")
	clock.forward(cooldown)
	requireKeys(t, s, "k", 1)

	issuer.Close()
	s, err = New(Config{URL: issuer.URL + "/keys?code=s3cret", Now: clock.Now})
	require.NoError(t, err)
	_, err = s.Keys("k")
	require.Error(t, err)
	require.NotContains(t, err.Error(), "s3cret")
}
