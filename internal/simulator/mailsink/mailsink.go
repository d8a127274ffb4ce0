// Package mailsink is a mail server that delivers nothing: it takes every message over real
// SMTP and keeps the last ones, for tests and for the simulator's page.
package mailsink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// Options configure a sink; the zero value listens on a free port of the loopback interface.
type Options struct {
	// Addr is where to listen; "" means 127.0.0.1:0. It must be a loopback address: the sink
	// takes mail from anybody.
	Addr string
	// Keep is how many messages are kept; 0 means 200.
	Keep int
	// Now is the clock; time.Now when nil.
	Now func() time.Time
	// Logger gets what goes wrong with the server itself; nil discards it.
	Logger *slog.Logger
}

// Sink is a running mail server. It is safe for concurrent use.
type Sink struct {
	options  Options
	server   *smtp.Server
	listener net.Listener
	served   chan error
	stop     sync.Once
	stopped  error

	mu       sync.Mutex
	messages []Message
	received int
	refuse   int
	arrived  chan struct{} // closed and replaced at every message
}

const (
	defaultKeep = 200
	maxMessage  = 16 << 20 // bytes
)

// Start listens and serves until Close.
func Start(options Options) (*Sink, error) {
	if options.Addr == "" {
		options.Addr = "127.0.0.1:0"
	}
	if options.Keep <= 0 {
		options.Keep = defaultKeep
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", options.Addr)
	if err != nil {
		return nil, fmt.Errorf("listen for mail: %w", err)
	}
	if tcp, ok := listener.Addr().(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		return nil, errors.Join(fmt.Errorf("listen for mail: %s is no loopback address", options.Addr), listener.Close())
	}
	s := &Sink{options: options, listener: listener, served: make(chan error, 1), arrived: make(chan struct{})}
	s.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{sink: s}, nil }))
	s.server.Domain = "localhost"
	s.server.MaxMessageBytes = maxMessage
	s.server.EnableSMTPUTF8 = true
	s.server.ErrorLog = slog.NewLogLogger(options.Logger.Handler(), slog.LevelWarn)
	go func() { s.served <- s.server.Serve(listener) }()
	return s, nil
}

// Addr is the address that is listened on, host:port.
func (s *Sink) Addr() string { return s.listener.Addr().String() }

// Close stops the server and waits until it has stopped. It may be called more than once.
func (s *Sink) Close() error {
	s.stop.Do(func() {
		err := s.server.Close()
		// The server closes only listeners it has begun to serve, which it may not have yet.
		if closed := s.listener.Close(); !errors.Is(closed, net.ErrClosed) {
			err = errors.Join(err, closed)
		}
		s.stopped = errors.Join(err, <-s.served)
	})
	return s.stopped
}

// Messages lists what is kept, oldest first.
func (s *Sink) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Message{}, s.messages...)
}

// Wait waits until n messages have arrived since the start and lists what is kept; the error
// is that of ctx.
func (s *Sink) Wait(ctx context.Context, n int) ([]Message, error) {
	for {
		s.mu.Lock()
		received, arrived := s.received, s.arrived
		s.mu.Unlock()
		if received >= n {
			return s.Messages(), nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return s.Messages(), fmt.Errorf("wait for %d messages, have %d: %w", n, received, ctx.Err())
		}
	}
}

// RefuseNext answers the next n messages with a temporary error (451); -1 refuses all.
func (s *Sink) RefuseNext(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = n
}

func (s *Sink) receive(from string, to []string, raw []byte) error {
	message := parse(s.options.Now(), from, to, raw)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse != 0 {
		if s.refuse > 0 {
			s.refuse--
		}
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "try again later"}
	}
	if s.messages = append(s.messages, message); len(s.messages) > s.options.Keep {
		s.messages = append([]Message(nil), s.messages[1:]...)
	}
	s.received++
	close(s.arrived)
	s.arrived = make(chan struct{})
	return nil
}

// session is one SMTP connection.
type session struct {
	sink *Sink
	from string
	to   []string
}

func (s *session) Reset()        { s.from, s.to = "", nil }
func (s *session) Logout() error { return nil }

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	var raw bytes.Buffer
	if _, err := raw.ReadFrom(r); err != nil {
		return err
	}
	return s.sink.receive(s.from, s.to, raw.Bytes())
}
