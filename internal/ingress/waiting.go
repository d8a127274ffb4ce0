package ingress

import (
	"container/list"
	"net"
	"net/netip"
)

// peer is a client's address with its share of connections.
type peer struct {
	key     netip.Addr
	open    int
	waiting queue
}

// queue has the connections that wait for their clients, each a *connection, the longest wait in front.
type queue struct{ strangers, known list.List }

// of is where a connection stands.
func (q *queue) of(c *connection) *list.List {
	if c.known {
		return &q.known
	}
	return &q.strangers
}

// longest is who makes room, nil where nobody waits.
func (q *queue) longest() *connection {
	for _, l := range []*list.List{&q.strangers, &q.known} {
		if front := l.Front(); front != nil {
			longest, _ := front.Value.(*connection) // nothing else is ever put in
			return longest
		}
	}
	return nil
}

// connection is one place. A nil one is of a server that bounds nothing.
type connection struct {
	of   *connections
	conn net.Conn
	from *peer // nil: unbounded
	// requests are those at work; only HTTP/2 has more than one.
	requests int
	// overall and own are its places in the queues, nil while it works or is gone.
	overall, own *list.Element
	gone         bool
	// known says that an authentic request came over it; it changes while it works only.
	known bool
}

// work says that a request has come whole; rest that it was answered, and whether it was authentic.
func (c *connection) work() {
	if c == nil {
		return
	}
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.requests++
	c.leave()
}

func (c *connection) rest(authentic bool) {
	if c == nil {
		return
	}
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.known = c.known || authentic
	if c.requests--; c.requests == 0 && !c.gone {
		c.wait()
	}
}

// wait puts it at the end of the queues, leave takes it out; mu is held.
func (c *connection) wait() {
	c.overall = c.of.waiting.of(c).PushBack(c)
	if c.from != nil {
		c.own = c.from.waiting.of(c).PushBack(c)
	}
}

func (c *connection) leave() {
	if c.overall != nil {
		c.of.waiting.of(c).Remove(c.overall)
	}
	if c.own != nil {
		c.from.waiting.of(c).Remove(c.own)
	}
	c.overall, c.own = nil, nil
}
