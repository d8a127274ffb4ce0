package ingress_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"countersign/internal/ingress"
	"countersign/internal/journal"
	"countersign/internal/training"
)

// ask sends an authentic ping over the connection and reads the answer.
func ask(t *testing.T, conn net.Conn, reader *bufio.Reader) {
	t.Helper()
	_, err := conn.Write(request(http.MethodPost))
	require.NoError(t, err)
	response, text := read(t, reader)
	require.Equal(t, http.StatusOK, response.StatusCode, text)
}

// gone reads until the other side has hung up.
func gone(t *testing.T, reader *bufio.Reader) {
	t.Helper()
	_, err := reader.ReadByte()
	require.Error(t, err)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
}

// TestTheLongestWaitMakesRoom: with two places, the third client gets that of the one that has been silent longest.
func TestTheLongestWaitMakesRoom_R18(t *testing.T) {
	for limit, set := range map[string]func(cfg *ingress.Config){
		"all":     func(cfg *ingress.Config) { cfg.MaxConnections = 2 },
		"address": func(cfg *ingress.Config) { cfg.MaxConnectionsPerAddress = 2 },
	} {
		t.Run(limit, func(t *testing.T) {
			d := open(t, func(_ *door, cfg *ingress.Config, _ *http.Server) { set(cfg) })
			first, fromFirst := d.raw()
			ask(t, first, fromFirst)
			second, fromSecond := d.raw()
			ask(t, second, fromSecond)
			ask(t, first, fromFirst) // now the second waits longer
			third, fromThird := d.raw()
			ask(t, third, fromThird)
			gone(t, fromSecond)
			ask(t, first, fromFirst)
			fourth, fromFourth := d.raw() // the third is the one now
			ask(t, fourth, fromFourth)
			gone(t, fromThird)
			_, err := fmt.Fprint(first, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
			require.NoError(t, err)
			_, text := read(t, fromFirst)
			require.Contains(t, text, `countersign_connections_closed_total{limit="`+limit+`"} 2`)
			require.Contains(t, text, "countersign_connections 2")
			require.Equal(t, 1, strings.Count(d.logs.String(), "make room"), "said once a minute")
		})
	}
}

// TestStrangersMakeRoomFirst, however short their wait: a sender that keeps its connection is not hung up on
// between two deliveries because others come and go.
func TestStrangersMakeRoomFirst_R18(t *testing.T) {
	d := open(t, func(_ *door, cfg *ingress.Config, _ *http.Server) { cfg.MaxConnections = 2 })
	sender, fromSender := d.raw()
	ask(t, sender, fromSender)
	var strangers []*bufio.Reader
	for range 5 {
		stranger, fromStranger := d.raw()
		_, err := fmt.Fprint(stranger, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
		require.NoError(t, err)
		response, _ := read(t, fromStranger)
		require.Equal(t, http.StatusOK, response.StatusCode)
		strangers = append(strangers, fromStranger)
	}
	ask(t, sender, fromSender)
	other, fromOther := d.raw()
	ask(t, other, fromOther) // in the place of the last stranger
	ask(t, sender, fromSender)
	for _, fromStranger := range strangers {
		gone(t, fromStranger)
	}
}

// TestAConnectionAtWorkIsNeverClosed: when all places are taken by deliveries that are being committed, it is
// the new one that is refused.
func TestAConnectionAtWorkIsNeverClosed_R18(t *testing.T) {
	d := open(t, func(_ *door, cfg *ingress.Config, _ *http.Server) { cfg.MaxConnections = 1 })
	d.journal.held = make(chan struct{})
	working, fromWorking := d.raw()
	_, err := working.Write(request(http.MethodPost))
	require.NoError(t, err)
	<-d.journal.entered
	_, fromRefused := d.raw()
	gone(t, fromRefused)
	close(d.journal.held)
	response, _ := read(t, fromWorking)
	require.Equal(t, http.StatusOK, response.StatusCode)

	after, fromAfter := d.raw()
	d.journal.held = nil
	ask(t, after, fromAfter)
	gone(t, fromWorking)
}

// TestStreamsOfHTTP2AreWork: the same holds on TLS, where one connection has many requests.
func TestStreamsOfHTTP2AreWork(t *testing.T) {
	j := &memory{
		seen: map[training.Fingerprint]bool{}, arrived: make(chan journal.Delivery, 10), entered: make(chan struct{}, 10), held: make(chan struct{}),
	}
	in, err := ingress.New(ingress.Config{
		Journal: j, Sources: &directory{sources: []ingress.Source{source(t, "acme", "main", secret)}}, MaxConnections: 1,
	})
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := in.Server("")
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{identity(t, "countersign")}, MinVersion: tls.VersionTLS13}
	served := make(chan error, 1)
	go func() { served <- server.ServeTLS(listener, "", "") }()
	defer func() {
		require.NoError(t, server.Close())
		require.ErrorIs(t, <-served, http.ErrServerClosed)
	}()
	client := func() *http.Client {
		return &http.Client{Transport: &http.Transport{
			ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // whose certificate it is, is not the question
		}}
	}
	url := "https://" + listener.Addr().String() + path
	first, second := client(), client()
	defer first.CloseIdleConnections()
	defer second.CloseIdleConnections()
	answered := make(chan error, 2)
	for n := range 2 {
		go func() { answered <- deliver(first, url, newDelivery(n)) }()
		<-j.entered // so that the second request takes the connection of the first
	}
	require.Error(t, deliver(second, url, newDelivery(2)), "nobody is hung up on while it is we who are slow")
	close(j.held)
	require.NoError(t, <-answered)
	require.NoError(t, <-answered)
}

// stub is a connection that only has an address and can be closed.
type stub struct {
	net.Conn
	from   net.Addr
	closed bool
}

func (s *stub) RemoteAddr() net.Addr { return s.from }
func (s *stub) Close() error         { s.closed = true; return nil }

func from(ip string) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: 1} }

// TestWhoseShareAConnectionIs: an IPv6 client has all of its /64, and a proxy's connections are many clients'.
func TestWhoseShareAConnectionIs_R18(t *testing.T) {
	in, err := ingress.New(ingress.Config{
		Journal: forgetful{}, Sources: &directory{}, MaxConnectionsPerAddress: 1,
		TrustedProxies: []string{"10.0.0.0/8", "192.0.2.7", "2001:db8:ffff::/48"},
	})
	require.NoError(t, err)
	for name, test := range map[string]struct {
		first, second net.Addr
		one           bool
	}{
		"one IPv4 address":         {from("203.0.113.9"), from("203.0.113.9"), true},
		"two IPv4 addresses":       {from("203.0.113.9"), from("203.0.113.10"), false},
		"IPv4 in IPv6":             {from("203.0.113.9"), from("::ffff:203.0.113.9"), true},
		"one /64":                  {from("2001:db8::1"), from("2001:db8::2:3:4:5"), true},
		"two /64":                  {from("2001:db8:0:1::1"), from("2001:db8:0:2::1"), false},
		"a proxy":                  {from("192.0.2.7"), from("192.0.2.7"), false},
		"a proxy's network":        {from("10.1.2.3"), from("10.1.2.3"), false},
		"a proxy's IPv6 network":   {from("2001:db8:ffff::1"), from("2001:db8:ffff::1"), false},
		"no address of the kind":   {&net.UnixAddr{Name: "@"}, &net.UnixAddr{Name: "@"}, false},
		"a zone makes no stranger": {&net.TCPAddr{IP: net.ParseIP("fe80::1"), Zone: "a"}, &net.TCPAddr{IP: net.ParseIP("fe80::1"), Zone: "b"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			server := in.Server("")
			first, second := &stub{from: test.first}, &stub{from: test.second}
			server.ConnContext(t.Context(), first)
			server.ConnContext(t.Context(), second)
			require.Equal(t, test.one, first.closed)
			require.False(t, second.closed)
			server.ConnState(first, http.StateClosed)
			server.ConnState(second, http.StateClosed)
		})
	}
	_, err = ingress.New(ingress.Config{Journal: forgetful{}, Sources: &directory{}, TrustedProxies: []string{"x"}})
	require.ErrorContains(t, err, "trusted proxies")
}

// TestConnectionsKeepTheirBounds holds, whatever comes and goes: never more than the bounds, nobody closed while
// there is room, and the one that is closed has waited longest.
func TestConnectionsKeepTheirBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most, perAddress := rapid.IntRange(1, 6).Draw(t, "most"), rapid.IntRange(1, 4).Draw(t, "per address")
		in, err := ingress.New(ingress.Config{
			Journal: forgetful{}, Sources: &directory{}, MaxConnections: most, MaxConnectionsPerAddress: perAddress,
		})
		require.NoError(t, err)
		server := in.Server("")
		var open []*stub // the longest wait first
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if len(open) > 0 && rapid.IntRange(0, 3).Draw(t, "what") == 0 {
				n := rapid.IntRange(0, len(open)-1).Draw(t, "which")
				moved := open[n]
				open = append(open[:n:n], open[n+1:]...)
				if rapid.Bool().Draw(t, "ends") {
					server.ConnState(moved, http.StateClosed)
				} else {
					server.ConnState(moved, http.StateIdle)
					open = append(open, moved)
				}
				continue
			}
			fresh := &stub{from: from(fmt.Sprintf("203.0.113.%d", rapid.IntRange(1, 3).Draw(t, "address")))}
			server.ConnContext(context.Background(), fresh)
			mine := 0
			for _, other := range open {
				if other.from.String() == fresh.from.String() {
					mine++
				}
			}
			for n, other := range open {
				if mine >= perAddress && other.from.String() == fresh.from.String() || mine < perAddress && len(open) >= most {
					require.True(t, other.closed, "the longest wait makes room")
					open = append(open[:n:n], open[n+1:]...)
					break
				}
			}
			require.False(t, fresh.closed, "somebody waited longer")
			open = append(open, fresh)
			for _, other := range open {
				require.False(t, other.closed)
			}
			require.LessOrEqual(t, len(open), most)
		}
	})
}

// TestTLSConnectionIsHungUpOnAtOnce: its Close would wait for a client that does not read.
func TestTLSConnectionIsHungUpOnAtOnce(t *testing.T) {
	in, err := ingress.New(ingress.Config{Journal: forgetful{}, Sources: &directory{}, MaxConnections: 1})
	require.NoError(t, err)
	server := in.Server("")
	below := &stub{from: from("203.0.113.9")}
	above := &wrapped{stub{from: from("203.0.113.9")}, below}
	server.ConnContext(t.Context(), above)
	server.ConnContext(t.Context(), &stub{from: from("203.0.113.10")})
	require.True(t, below.closed)
	require.False(t, above.closed)
}

// wrapped is a connection over another, like a tls.Conn.
type wrapped struct {
	stub
	below net.Conn
}

func (w *wrapped) NetConn() net.Conn { return w.below }

func TestConnectionsAreForgottenWhenTheyEnd(t *testing.T) {
	closed := make(chan struct{}, 50)
	d := open(t, func(d *door, _ *ingress.Config, _ *http.Server) {
		d.watch = func(state http.ConnState) {
			if state == http.StateClosed {
				closed <- struct{}{}
			}
		}
	})
	for range 50 {
		conn, reader := d.raw()
		ask(t, conn, reader)
		require.NoError(t, conn.Close())
		<-closed
	}
	families, err := d.registry.Gather()
	require.NoError(t, err)
	for _, family := range families {
		if family.GetName() == "countersign_connections" {
			require.Zero(t, family.GetMetric()[0].GetGauge().GetValue())
			return
		}
	}
	require.FailNow(t, "countersign_connections is not there")
}
