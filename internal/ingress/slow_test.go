//go:build unix

package ingress_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/ingress"
)

const (
	slowClients = 2000
	// patience is how long a healthy client may be kept waiting by slow ones, as a 99th percentile.
	patience = 250 * time.Millisecond
)

// crowd are clients that never finish: half of them sends headers a line at a time, the other half a body a
// byte at a time. Whoever is hung up on comes again.
type crowd struct {
	addr string
	// returned counts those that came again, rounds how often everyone has sent something.
	returned, rounds atomic.Int64
	quit             context.CancelFunc
	done             sync.WaitGroup
}

// gather returns when all are connected and have sent their first bytes, and keeps them sending until leave.
func gather(t testing.TB, addr string) *crowd {
	t.Helper()
	var descriptors syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &descriptors))
	require.GreaterOrEqual(t, descriptors.Cur, uint64(2*slowClients+500), "both ends of all connections are in this process: ulimit -n")

	ctx, quit := context.WithCancel(t.Context())
	c := &crowd{addr: addr, quit: quit}
	clients := make([]net.Conn, slowClients)
	for n := range clients {
		var err error
		clients[n], err = c.arrive(ctx, n)
		require.NoError(t, err)
	}
	c.done.Go(func() {
		defer func() {
			for _, conn := range clients {
				if conn != nil {
					_ = conn.Close()
				}
			}
		}()
		// One after another at this pace: the crowd is slow, and must not be a flood that is measured
		// in its stead.
		tick := time.NewTicker(250 * time.Microsecond)
		defer tick.Stop()
		for n := 0; ; n = (n + 1) % len(clients) {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if n == 0 {
				c.rounds.Add(1)
			}
			if clients[n] != nil && more(clients[n], n) == nil {
				continue
			}
			if clients[n] != nil {
				_ = clients[n].Close()
			}
			clients[n], _ = c.arrive(ctx, n) // nil is tried again in the next round
			c.returned.Add(1)
		}
	})
	return c
}

func (c *crowd) arrive(ctx context.Context, n int) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return nil, err
	}
	text := "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	if n%2 == 0 {
		text += "Content-Length: 1000\r\n\r\n{"
	}
	// One that is hung up on at once notices when it sends more.
	_, _ = fmt.Fprint(conn, text)
	return conn, nil
}

func more(conn net.Conn, n int) error {
	text := "X: x\r\n"
	if n%2 == 0 {
		text = " "
	}
	_, err := fmt.Fprint(conn, text)
	return err
}

func (c *crowd) leave() {
	c.quit()
	c.done.Wait()
}

// measure sends deliveries one after another, half of them on new connections, at least so many and until it is
// enough, and returns the 99th percentile of their times. All must be answered 200.
func measure(t testing.TB, url string, times int, enough func() bool) time.Duration {
	t.Helper()
	kept := &http.Client{Transport: &http.Transport{}}
	fresh := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	defer kept.CloseIdleConnections()
	var took []time.Duration
	for n := 0; n < times || !enough(); n++ {
		client := kept
		if n%2 == 0 {
			client = fresh
		}
		start := time.Now()
		require.NoError(t, deliver(client, url, newDelivery(n)))
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	return took[len(took)*99/100]
}

// besieged measures without a crowd and with it.
func besieged(t testing.TB, times int, set func(*ingress.Config)) (idle, busy time.Duration, c *crowd) {
	t.Helper()
	only := source(t, "acme", "main", secret)
	only.RateLimit, only.Burst = 1e9, 1e9
	cfg := ingress.Config{Journal: forgetful{}, Sources: &directory{sources: []ingress.Source{only}}}
	set(&cfg)
	in, err := ingress.New(cfg)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := in.Server("")
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	defer func() {
		require.NoError(t, server.Close())
		require.ErrorIs(t, <-served, http.ErrServerClosed)
	}()
	url := "http://" + listener.Addr().String() + path
	idle = measure(t, url, times, func() bool { return true })
	c = gather(t, listener.Addr().String())
	defer c.leave()
	return idle, measure(t, url, times, func() bool { return c.rounds.Load() > 3 }), c
}

// sieges are the ways in which the crowd's connections are bounded. The healthy client comes from the same
// address as the crowd, which is the worst case.
func sieges() map[string]func(*ingress.Config) {
	return map[string]func(*ingress.Config){
		"by address":       func(*ingress.Config) {},
		"behind a proxy":   func(cfg *ingress.Config) { cfg.TrustedProxies = []string{"127.0.0.1"} },
		"by a small total": func(cfg *ingress.Config) { cfg.MaxConnections = 500 },
		"by time and rate": func(cfg *ingress.Config) {
			cfg.BodyGrace, cfg.TrustedProxies = 100*time.Millisecond, []string{"127.0.0.1"}
		},
	}
}

// TestHealthyClientAmongSlowOnes: 2,000 clients that never finish cost a healthy one no delivery, and no more than
// 250 ms in 99 of 100. It takes one or two; what is left is for the noise of a busy machine, on which ten times
// what the same client takes without the crowd, in the same run, is still not the crowd's doing.
func TestHealthyClientAmongSlowOnes_R5_R18(t *testing.T) {
	for name, set := range sieges() {
		t.Run(name, func(t *testing.T) {
			idle, busy, c := besieged(t, 300, set)
			if name != "behind a proxy" { // that one is bounded by time alone, which may be longer than this
				require.Positive(t, c.returned.Load(), "the crowd is over a limit, and sees it")
			}
			require.LessOrEqual(t, busy, max(patience, 10*idle), "p99 without the crowd: %s", idle)
		})
	}
}

// BenchmarkHealthyAmongSlow reports the 99th percentile of a healthy client's deliveries without and with 2,000
// clients that never finish. It is to stay under 250 ms.
func BenchmarkHealthyAmongSlow(b *testing.B) {
	for name, set := range sieges() {
		b.Run(strings.ReplaceAll(name, " ", "-"), func(b *testing.B) {
			idle, busy, c := besieged(b, max(b.N, 1000), set)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(idle.Microseconds())/1000, "idle-p99-ms")
			b.ReportMetric(float64(busy.Microseconds())/1000, "p99-ms")
			b.ReportMetric(float64(c.returned.Load()), "came-again")
		})
	}
}

// TestBodyByTheByteIsCutOff: it never stalls, and is too slow all the same.
func TestBodyByTheByteIsCutOff(t *testing.T) {
	d := open(t, func(_ *door, cfg *ingress.Config, _ *http.Server) { cfg.BodyGrace = 200 * time.Millisecond })
	for _, length := range []string{"Content-Length: 1000000", "Transfer-Encoding: chunked"} {
		conn, reader := d.raw()
		_, err := fmt.Fprint(conn, head(length))
		require.NoError(t, err)
		answered := make(chan struct{})
		var dripping sync.WaitGroup
		dripping.Go(func() {
			drip := time.NewTicker(5 * time.Millisecond)
			defer drip.Stop()
			for {
				select {
				case <-answered:
					return
				case <-drip.C:
					_, _ = fmt.Fprint(conn, "1\r\n \r\n")
				}
			}
		})
		response, text := read(t, reader)
		close(answered)
		dripping.Wait()
		require.Equal(t, http.StatusServiceUnavailable, response.StatusCode, length)
		require.Contains(t, text, "body-incomplete")
		require.True(t, response.Close)
	}
}

// TestBodyAtTheRateIsTaken however large it is: the server's own bound on the time would fail the first byte.
func TestBodyAtTheRateIsTaken(t *testing.T) {
	d := open(t, func(_ *door, _ *ingress.Config, server *http.Server) { server.ReadTimeout = time.Nanosecond })
	body := `{"event":"ping","pad":"` + strings.Repeat("x", 200<<10) + `"}`
	conn, reader := d.raw()
	_, err := fmt.Fprint(conn, head("Expect: 100-continue", fmt.Sprint("Content-Length: ", len(body)), "absorb-signature: "+sign(secret, []byte(body))))
	require.NoError(t, err)
	goOn, err := reader.ReadString('\n') // now the handler is reading
	require.NoError(t, err)
	require.Contains(t, goOn, "100 Continue")
	_, err = reader.ReadString('\n')
	require.NoError(t, err)
	_, err = fmt.Fprint(conn, body)
	require.NoError(t, err)
	response, text := read(t, reader)
	require.Equal(t, http.StatusOK, response.StatusCode, text)
}

// TestBodyOfAMountedRouteIsBoundedToo: a login is no way around.
func TestBodyOfAMountedRouteIsBoundedToo(t *testing.T) {
	d := open(t, func(_ *door, cfg *ingress.Config, _ *http.Server) {
		cfg.BodyGrace = 100 * time.Millisecond
		cfg.Routes = []ingress.Route{{Method: http.MethodPost, Pattern: "/login/:tenant/:source", Handler: http.NotFoundHandler()}}
	})
	conn, reader := d.raw()
	_, err := fmt.Fprint(conn, "POST /login/acme/main HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
	require.NoError(t, err)
	response, _ := read(t, reader)
	require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
}

// TestLargeBodiesShareTheirMemory: while one is being committed, there is room for small ones and for no second.
func TestLargeBodiesShareTheirMemory(t *testing.T) {
	d := open(t, func(_ *door, cfg *ingress.Config, _ *http.Server) { cfg.MaxBodies = 1 << 20 })
	large := `{"event":"ping","pad":"` + strings.Repeat("x", 900<<10) + `"}`
	d.journal.held = make(chan struct{})
	first := make(chan int, 1)
	go func() { first <- d.post(large).status }()
	<-d.journal.entered

	refused := d.post(large)
	require.Equal(t, http.StatusServiceUnavailable, refused.status)
	require.Equal(t, "urn:countersign:problem:crowded", refused.json(t)["type"])
	require.Equal(t, "5", refused.header.Get("Retry-After"))
	small := make(chan int, 1)
	go func() { small <- d.post(strings.Repeat(" ", 60<<10)).status }()
	<-d.journal.entered
	close(d.journal.held)
	require.Equal(t, http.StatusOK, <-first)
	require.Equal(t, http.StatusOK, <-small)

	go func() { <-d.journal.entered }()
	require.Equal(t, http.StatusOK, d.post(large).status, "what was held is given back")
}
