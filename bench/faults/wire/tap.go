package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"time"
)

// Point is a place in a conversation.
type Point struct {
	// Steps are parts of messages that one connection says in this order; the last one is the
	// point. A transaction that is begun anew starts them anew.
	Steps []string
	// After holds the answer to the last step instead of the step itself: it was carried out,
	// and the client does not know.
	After bool
}

// watch is an armed point.
type watch struct {
	point Point
	once  sync.Once
	reach func()
}

// Tap forwards connections and reads along what the client says.
type Tap struct {
	upstream string
	protocol Protocol
	listener net.Listener
	serving  sync.WaitGroup

	mu    sync.Mutex
	armed []*watch // the first one counts
	open  map[net.Conn]struct{}
}

func newTap(upstream string, protocol Protocol) (*Tap, error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	t := &Tap{upstream: upstream, protocol: protocol, listener: listener, open: map[net.Conn]struct{}{}}
	t.serving.Go(t.serve)
	return t, nil
}

func (t *Tap) address() string { return t.listener.Addr().String() }

// Arm has reach called the next time a connection comes to the point, once. The connection is
// held meanwhile and then ended: nothing that was held arrives. Points that are armed together
// are come to one after the other.
func (t *Tap) Arm(p Point, reach func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.armed = append(t.armed, &watch{point: p, reach: reach})
}

// Disarm forgets the points.
func (t *Tap) Disarm() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.armed = nil
}

func (t *Tap) watched() *watch {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.armed) == 0 {
		return nil
	}
	return t.armed[0]
}

// fire comes to a point. It reports whether this connection is the one that came first.
func (t *Tap) fire(w *watch) (first bool) {
	w.once.Do(func() {
		first = true
		w.reach()
		t.mu.Lock()
		defer t.mu.Unlock()
		t.armed = slices.DeleteFunc(t.armed, func(other *watch) bool { return other == w })
	})
	return first
}

func (t *Tap) close() error {
	err := t.listener.Close()
	t.mu.Lock()
	for c := range t.open {
		_ = c.Close() // its conversation may have done it
	}
	t.open = nil // what is accepted from now on is closed at once
	t.mu.Unlock()
	t.serving.Wait()
	return err
}

func (t *Tap) serve() {
	for {
		client, err := t.listener.Accept()
		if err != nil {
			return // closed
		}
		t.serving.Go(func() { t.carry(client) })
	}
}

// dialLimit is how long the upstream may take to accept.
const dialLimit = 5 * time.Second

// carry forwards one connection until either side ends it or it comes to the point.
func (t *Tap) carry(client net.Conn) {
	defer t.forget(client)
	if !t.remember(client) {
		return
	}
	server, err := (&net.Dialer{Timeout: dialLimit}).DialContext(context.Background(), "tcp", t.upstream)
	if err != nil {
		return // nobody there: the client sees its connection end
	}
	defer t.forget(server)
	if !t.remember(server) {
		return
	}
	c := &conversation{tap: t, client: client, server: server, splitter: newSplitter(t.protocol)}
	var answers sync.WaitGroup
	answers.Go(c.carryAnswers)
	c.carryRequests()
	answers.Wait()
}

func (t *Tap) remember(c net.Conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open == nil {
		return false
	}
	t.open[c] = struct{}{}
	return true
}

// Connections is how many are carried.
func (t *Tap) Connections() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.open) / 2 // both ends of each
}

func (t *Tap) forget(c net.Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.open, c)
	_ = c.Close() // a second time says nothing
}

// conversation is one connection under way.
type conversation struct {
	tap            *Tap
	client, server net.Conn
	splitter       splitter

	// progress counts the steps of following that were said.
	following *watch
	progress  int

	mu   sync.Mutex
	held *watch // whose next answer is held
}

const readSize = 64 << 10

func (c *conversation) carryRequests() {
	defer c.end()
	var pending []byte
	buffer := make([]byte, readSize)
	for {
		n, err := c.client.Read(buffer)
		pending = append(pending, buffer[:n]...)
		sent := 0
		for sent < len(pending) {
			length, says := c.splitter.next(pending[sent:])
			if length == 0 {
				break // the rest of the message is still to come
			}
			if c.reached(says) {
				return
			}
			if _, err := c.server.Write(pending[sent : sent+length]); err != nil {
				return
			}
			sent += length
		}
		pending = append(pending[:0], pending[sent:]...)
		if err != nil {
			return
		}
	}
}

// reached follows the steps of the armed point. It reports that the connection was held there
// and is to end.
func (c *conversation) reached(says string) bool {
	w := c.tap.watched()
	if w != c.following || strings.HasPrefix(says, "begin") {
		c.following, c.progress = w, 0
	}
	if w == nil || c.progress == len(w.point.Steps) || !strings.Contains(says, w.point.Steps[c.progress]) {
		return false
	}
	if c.progress++; c.progress < len(w.point.Steps) {
		return false
	}
	if w.point.After {
		c.mu.Lock()
		c.held = w
		c.mu.Unlock()
		return false
	}
	return c.tap.fire(w)
}

func (c *conversation) carryAnswers() {
	defer c.end()
	buffer := make([]byte, readSize)
	for {
		n, err := c.server.Read(buffer)
		c.mu.Lock()
		held := c.held
		c.held = nil
		c.mu.Unlock()
		if n > 0 && held != nil && c.tap.fire(held) {
			return
		}
		if _, werr := c.client.Write(buffer[:n]); werr != nil || err != nil {
			return
		}
		if errors.Is(err, io.EOF) {
			return
		}
	}
}

// end closes both sides, which also ends the other direction.
func (c *conversation) end() {
	_ = c.client.Close()
	_ = c.server.Close()
}

// Upstream is where the tap forwards to, host:port.
func (t *Tap) Upstream() string { return t.upstream }
