package ingress

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// defaultConnections are open at once, about 100 MB and as many file descriptors;
	// defaultPerAddress of them may come from one address. An LMS sends from few addresses, and hundreds
	// of completions at once (R18).
	defaultConnections, defaultPerAddress = 4096, 1024
	// network is what counts as one address of IPv6: whoever has one has all of its /64.
	network = 64
)

// connections bounds how many connections are open, overall and per address. A new one is never
// refused for the sake of one that only keeps us waiting: when all places are taken, the one that has waited
// longest for its client makes room, strangers before those that have brought an authentic request. So thousands
// of clients that never finish a request take nothing from one that does, and the bound cannot be used to keep
// others out.
//
// A connection waits for its client while it is idle, sends headers or sends a body; it works from the end of
// the body to the answer, and then it is never closed. What is closed has not been acknowledged.
type connections struct {
	most, perAddress int
	// trusted are proxies: their connections are many clients', so only the overall bound holds.
	trusted []netip.Prefix
	metrics *metrics
	log     *slog.Logger
	say     rate.Sometimes

	mu      sync.Mutex
	open    map[net.Conn]*connection
	waiting queue
	peers   map[netip.Addr]*peer
}

func newConnections(cfg Config, m *metrics, log *slog.Logger) (*connections, error) {
	c := &connections{
		most: cfg.MaxConnections, perAddress: cfg.MaxConnectionsPerAddress, metrics: m, log: log,
		say:  rate.Sometimes{Interval: time.Minute},
		open: map[net.Conn]*connection{}, peers: map[netip.Addr]*peer{},
	}
	if c.most <= 0 {
		c.most = defaultConnections
	}
	if c.perAddress <= 0 {
		c.perAddress = defaultPerAddress
	}
	for _, text := range cfg.TrustedProxies {
		prefix, err := netip.ParsePrefix(text)
		if addr, addrErr := netip.ParseAddr(text); err != nil && addrErr == nil {
			prefix, err = addr.Prefix(addr.BitLen())
		}
		if err != nil {
			return nil, fmt.Errorf("trusted proxies: %w", err)
		}
		c.trusted = append(c.trusted, prefix)
	}
	return c, nil
}

type connectionKey struct{}

// connectionOf is the connection of a request's context, nil where nobody bounds them.
func connectionOf(ctx context.Context) *connection {
	found, _ := ctx.Value(connectionKey{}).(*connection)
	return found
}

// admit is an http.Server's ConnContext: it is called once, before anything is read.
func (c *connections) admit(ctx context.Context, conn net.Conn) context.Context {
	key, bounded := c.client(conn)
	c.mu.Lock()
	var from *peer
	if bounded {
		if from = c.peers[key]; from == nil {
			from = &peer{key: key}
		}
	}
	full, longest := "", (*connection)(nil)
	switch {
	case bounded && from.open >= c.perAddress:
		full, longest = "address", from.waiting.longest()
	case len(c.open) >= c.most:
		full, longest = "all", c.waiting.longest()
	}
	closing := conn
	if longest != nil {
		closing = longest.conn
		c.forget(longest)
	}
	if full == "" || closing != conn {
		admitted := &connection{of: c, conn: conn, from: from}
		if bounded {
			from.open++
			c.peers[key] = from // it may be new, or may just have lost its only connection
		}
		c.open[conn] = admitted
		admitted.wait()
		ctx = context.WithValue(ctx, connectionKey{}, admitted)
	}
	c.mu.Unlock()
	if full != "" {
		c.metrics.connectionsClosed.WithLabelValues(full).Inc()
		c.say.Do(func() {
			c.log.WarnContext(ctx, "connections are closed to make room; this is said once a minute, metrics count them", "limit", full)
		})
		hangUp(closing)
	}
	return ctx
}

// changed is an http.Server's ConnState.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := c.open[conn]
	switch {
	case found == nil:
	case state == http.StateClosed || state == http.StateHijacked:
		c.forget(found)
	case state == http.StateIdle && found.overall != nil:
		found.leave() // the wait for the next request begins now
		found.wait()
	}
}

// count is how many are open.
func (c *connections) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.open)
}

// forget takes a connection out; mu is held.
func (c *connections) forget(gone *connection) {
	gone.leave()
	gone.gone = true
	delete(c.open, gone.conn)
	if gone.from == nil {
		return
	}
	if gone.from.open--; gone.from.open == 0 {
		delete(c.peers, gone.from.key)
	}
}

// client is the address whose share a connection counts to; bounded is false for proxies, and for
// what has no address.
func (c *connections) client(conn net.Conn) (key netip.Addr, bounded bool) {
	tcp, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}, false
	}
	addr := tcp.AddrPort().Addr().Unmap().WithZone("")
	for _, proxy := range c.trusted {
		if proxy.Contains(addr) {
			return netip.Addr{}, false
		}
	}
	if addr.Is6() {
		if whole, err := addr.Prefix(network); err == nil {
			addr = whole.Addr()
		}
	}
	return addr, true
}

// hangUp closes at once: TLS would first say goodbye, and wait for a client that does not read.
func hangUp(conn net.Conn) {
	if secure, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = secure.NetConn()
	}
	_ = conn.Close() // nobody is left to be told
}
