package ingress_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/ingress"
)

// raw speaks to the door without a client that would keep it to the rules.
func (d *door) raw() (net.Conn, *bufio.Reader) {
	d.t.Helper()
	conn, err := net.Dial("tcp", d.addr)
	require.NoError(d.t, err)
	d.t.Cleanup(func() { _ = conn.Close() })
	require.NoError(d.t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	return conn, bufio.NewReader(conn)
}

func head(headers ...string) string {
	return "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" +
		strings.Join(append(headers, "", ""), "\r\n")
}

func read(t *testing.T, reader *bufio.Reader) (*http.Response, string) {
	t.Helper()
	response, err := http.ReadResponse(reader, nil)
	require.NoError(t, err)
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response, string(text)
}

func TestBodyThatEndsEarlyIsNotAcknowledged(t *testing.T) {
	d := open(t)
	conn, reader := d.raw()
	body := `{"event":"ping"}`
	_, err := fmt.Fprint(conn, head("Content-Length: 100", "absorb-signature: "+sign(secret, []byte(body))), body)
	require.NoError(t, err)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	response, text := read(t, reader)
	require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	require.Equal(t, "5", response.Header.Get("Retry-After"))
	require.Contains(t, text, "urn:countersign:problem:body-incomplete")
	d.stop()
	require.Empty(t, d.journal.entries)
	require.NotContains(t, d.logs.String(), `"level":"ERROR"`, "a line that breaks is not our error")
}

func TestClientThatHangsUpLeavesNothing(t *testing.T) {
	d := open(t)
	conn, _ := d.raw()
	_, err := fmt.Fprint(conn, head("Content-Length: 100"), "{")
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	require.Equal(t, http.StatusOK, d.post(`{"event":"ping"}`).status)
	d.stop()
	require.Len(t, d.journal.entries, 1)
}

func TestSlowBodyIsCutOff(t *testing.T) {
	d := open(t, func(_ *door, cfg *ingress.Config, _ *http.Server) { cfg.BodyGrace = 100 * time.Millisecond })
	conn, reader := d.raw()
	_, err := fmt.Fprint(conn, head("Content-Length: 100"), "{")
	require.NoError(t, err)
	response, _ := read(t, reader) // nothing more is sent
	require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	require.True(t, response.Close)
}

func TestSlowHeadersAreCutOff(t *testing.T) {
	d := open(t, func(_ *door, _ *ingress.Config, server *http.Server) {
		server.ReadHeaderTimeout = 100 * time.Millisecond
	})
	conn, reader := d.raw()
	_, err := fmt.Fprint(conn, "POST "+path+" HTTP/1.1\r\nHost: x\r\n")
	require.NoError(t, err)
	rest, _ := io.ReadAll(reader) // ends when the server hangs up
	require.NotContains(t, string(rest), "200 OK")
}

func TestHeadersAreBounded(t *testing.T) {
	d := open(t)
	conn, reader := d.raw()
	_, err := fmt.Fprint(conn, head("Content-Length: 2", "X-Long: "+strings.Repeat("x", 40<<10)), "{}")
	require.NoError(t, err)
	response, _ := read(t, reader)
	require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, response.StatusCode)
}

// TestAnnouncedLengthOverTheLimitIsRefusedAtOnce: not a byte of the body is sent.
func TestAnnouncedLengthOverTheLimitIsRefusedAtOnce(t *testing.T) {
	d := open(t)
	conn, reader := d.raw()
	_, err := fmt.Fprint(conn, head("Content-Length: 1048577"))
	require.NoError(t, err)
	response, text := read(t, reader)
	require.Equal(t, http.StatusRequestEntityTooLarge, response.StatusCode)
	require.Contains(t, text, "larger than 1048576 bytes")
	require.True(t, response.Close)
}

func TestBodyOfTheLimitIsTaken(t *testing.T) {
	d := open(t)
	body := `{"event":"ping","pad":"` + strings.Repeat("x", 1<<20-25) + `"}`
	require.Len(t, body, 1<<20)
	require.Equal(t, http.StatusOK, d.post(body).status)
}

func TestChunkedBody(t *testing.T) {
	d := open(t)
	body := `{"event":"ping"}`
	// A reader of unknown length makes the client send chunks.
	answer := d.send(http.MethodPost, path, io.MultiReader(strings.NewReader(body[:5]), strings.NewReader(body[5:])), signed(sign(secret, []byte(body)))...)
	require.Equal(t, http.StatusOK, answer.status)
	require.Equal(t, body, string(d.journal.next(t).Body))

	conn, reader := d.raw()
	_, err := fmt.Fprint(conn, head("Transfer-Encoding: chunked"))
	require.NoError(t, err)
	chunk := fmt.Sprintf("%x\r\n%s\r\n", 64<<10, strings.Repeat("x", 64<<10))
	go func() {
		for range 17 { // 1 MiB and a bit, and no end
			_, _ = fmt.Fprint(conn, chunk)
		}
	}()
	response, _ := read(t, reader)
	require.Equal(t, http.StatusRequestEntityTooLarge, response.StatusCode)
}

func TestBrokenChunksAreNotAcknowledged(t *testing.T) {
	d := open(t)
	conn, reader := d.raw()
	_, err := fmt.Fprint(conn, head("Transfer-Encoding: chunked"), "4\r\n{}  \r\nzzz\r\n")
	require.NoError(t, err)
	response, _ := read(t, reader)
	require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	d.stop()
	require.Empty(t, d.journal.entries)
}

// TestLengthThatLiesShort: what lies beyond it is no part of the body, so the signature fails.
func TestLengthThatLiesShort(t *testing.T) {
	d := open(t)
	conn, reader := d.raw()
	body := `{"event":"ping"}`
	_, err := fmt.Fprint(conn, head("Content-Length: 10", "absorb-signature: "+sign(secret, []byte(body))), body)
	require.NoError(t, err)
	response, _ := read(t, reader)
	require.Equal(t, http.StatusUnauthorized, response.StatusCode)
}

func TestServerBoundsEverything(t *testing.T) {
	server := ingress.NewServer(":8080", nil)
	require.Equal(t, ":8080", server.Addr)
	require.Equal(t, 5*time.Second, server.ReadHeaderTimeout)
	require.NotZero(t, server.ReadTimeout)
	require.Greater(t, server.WriteTimeout, server.ReadTimeout+10*time.Second, "room for the commit")
	require.NotZero(t, server.IdleTimeout)
	require.Equal(t, 16<<10, server.MaxHeaderBytes)
	require.True(t, server.DisableGeneralOptionsHandler)
	require.Equal(t, 100, server.HTTP2.MaxConcurrentStreams)
}

func TestShutdownLetsARunningDeliveryEnd(t *testing.T) {
	d := open(t)
	d.journal.held = make(chan struct{})
	answered := make(chan int, 1)
	go func() { answered <- d.post(`{"event":"ping"}`).status }()
	<-d.journal.entered
	d.ingress.Drain()
	stopped := make(chan struct{})
	go func() { d.stop(); close(stopped) }()
	close(d.journal.held)
	require.Equal(t, http.StatusOK, <-answered)
	<-stopped
}
