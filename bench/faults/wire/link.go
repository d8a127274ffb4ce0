// Package wire stands between two parts of an installation. A Link carries a connection from
// one to the other and can make it cut, half-open or slow (toxiproxy does that); its Tap reads
// along and can hold a connection at an exact point of the protocol, so that a process can be
// killed between two messages: after the insert and before the commit, after the commit and
// before the answer.
package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// Protocol is what the messages of a link are cut into.
type Protocol string

// The protocols of the links.
const (
	HTTP     Protocol = "http"     // one read is one message: requests are small
	GRPC     Protocol = "grpc"     // HTTP/2 DATA frames, unpacked
	Postgres Protocol = "postgres" // frontend messages of protocol 3
)

// Link is one way through: Address ─► toxiproxy ─► Tap ─► upstream.
type Link struct {
	*Tap

	name  string
	proxy *toxiproxy.Proxy
	// counter is the number of the one that counts pieces.
	counter int
}

// NewLink opens a way to upstream, host:port. Nobody need listen there yet.
func NewLink(name, upstream string, protocol Protocol) (*Link, error) {
	tap, err := newTap(upstream, protocol)
	if err != nil {
		return nil, fmt.Errorf("open link %s: %w", name, err)
	}
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	l := &Link{Tap: tap, name: name, counter: newCounter(), proxy: toxiproxy.NewProxy(server, name, "127.0.0.1:0", tap.address())}
	if err := l.proxy.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("open link %s: %w", name, err), tap.close())
	}
	return l, nil
}

// Address is where the client connects to, host:port; it stays the same over Cut and Mend.
func (l *Link) Address() string { return l.proxy.Listen }

// Cut ends every connection and refuses new ones, until Mend. It returns how many connections it ended.
func (l *Link) Cut() (ended int) {
	ended = l.Connections()
	l.proxy.Stop()
	return ended
}

// Swallow lets nothing through any more and keeps the connections open (half-open), until
// Mend: requests with answers false, else the answers to requests that do arrive.
func (l *Link) Swallow(answers bool) error {
	direction := "upstream"
	if answers {
		direction = "downstream"
	}
	return l.toxic("timeout", direction, map[string]int{"timeout": 0})
}

// Slow delays every piece of an answer by delay ± jitter, in milliseconds, until Mend.
func (l *Link) Slow(delay, jitter int) error {
	return l.toxic("latency", "downstream", map[string]int{"latency": delay, "jitter": jitter})
}

// Suffered is how many pieces of requests and answers Swallow and Slow were felt by since the link was opened: they did not arrive, or
// late.
func (l *Link) Suffered() int { return int(passed(l.counter).Load()) }

// toxic adds one that does something, behind one that counts what comes to it.
func (l *Link) toxic(kind, direction string, attributes map[string]int) error {
	err := l.add(counting, direction, map[string]int{"counter": l.counter})
	if err != nil && !errors.Is(err, toxiproxy.ErrToxicAlreadyExists) { // of another that lasts
		return err
	}
	return l.add(kind, direction, attributes)
}

func (l *Link) add(kind, direction string, attributes map[string]int) error {
	body, err := json.Marshal(map[string]any{"type": kind, "stream": direction, "attributes": attributes})
	if err != nil {
		return fmt.Errorf("%s on link %s: %w", kind, l.name, err)
	}
	if _, err := l.proxy.Toxics.AddToxicJson(bytes.NewReader(body)); err != nil {
		return fmt.Errorf("%s on link %s: %w", kind, l.name, err)
	}
	return nil
}

// Mend undoes Cut, Swallow and Slow. What was swallowed stays lost, and the connections over which
// it went end. An armed point stays armed.
func (l *Link) Mend() error {
	l.proxy.Toxics.ResetToxics(context.Background())
	if err := l.proxy.Start(); err != nil && !errors.Is(err, toxiproxy.ErrProxyAlreadyStarted) {
		return fmt.Errorf("mend link %s: %w", l.name, err)
	}
	return nil
}

// Close ends the link and its connections.
func (l *Link) Close() error {
	l.proxy.Stop()
	return l.close()
}
