package wire

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// counted is a server behind a link, and how many requests came to it.
func counted(t *testing.T, protocol Protocol) (l *Link, url string, came *atomic.Int64) {
	t.Helper()
	came = &atomic.Int64{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		came.Add(1)
		_, _ = io.WriteString(w, "carried out "+r.URL.Path)
	}))
	t.Cleanup(server.Close)
	l, err := NewLink("test", server.Listener.Addr().String(), protocol)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l, "http://" + l.Address(), came
}

func get(t *testing.T, url string, patience time.Duration) (string, error) {
	t.Helper()
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Post(url, "text/plain", strings.NewReader("body"))
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

const long = 10 * time.Second

func TestALinkIsTransparent(t *testing.T) {
	_, url, came := counted(t, HTTP)
	body, err := get(t, url+"/a", long)
	require.NoError(t, err)
	require.Equal(t, "carried out /a", body)
	require.EqualValues(t, 1, came.Load())
}

func TestAPointBeforeHoldsTheRequest(t *testing.T) {
	l, url, came := counted(t, HTTP)
	var reached atomic.Int64
	l.Arm(Point{Steps: []string{"/complete "}}, func() { reached.Add(1) })
	_, err := get(t, url+"/other", long)
	require.NoError(t, err, "another request passes")
	_, err = get(t, url+"/complete", long)
	require.Error(t, err)
	require.EqualValues(t, 1, reached.Load())
	require.EqualValues(t, 1, came.Load(), "what was held never arrives")
	_, err = get(t, url+"/complete", long)
	require.NoError(t, err, "a point is come to once")
	require.EqualValues(t, 1, reached.Load())
}

func TestAPointAfterHoldsTheAnswer(t *testing.T) {
	l, url, came := counted(t, HTTP)
	seen := make(chan int64, 1)
	l.Arm(Point{Steps: []string{"/complete "}, After: true}, func() { seen <- came.Load() })
	_, err := get(t, url+"/complete", long)
	require.Error(t, err)
	require.EqualValues(t, 1, <-seen, "it was carried out before the point was reached")
}

func TestPointsAreComeToOneAfterTheOther(t *testing.T) {
	l, url, came := counted(t, HTTP)
	order := make(chan string, 2)
	l.Arm(Point{Steps: []string{"/a "}, After: true}, func() { order <- "after" })
	l.Arm(Point{Steps: []string{"/a "}}, func() { order <- "before" })
	for range 2 {
		_, err := get(t, url+"/a", long)
		require.Error(t, err)
	}
	require.Equal(t, []string{"after", "before"}, []string{<-order, <-order})
	require.EqualValues(t, 1, came.Load())
}

func TestDisarmedPointsAreNotComeTo(t *testing.T) {
	l, url, _ := counted(t, HTTP)
	l.Arm(Point{Steps: []string{"/a "}}, func() { t.Error("reached") })
	l.Disarm()
	_, err := get(t, url+"/a", long)
	require.NoError(t, err)
}

// A commit is one of a delivery only in a transaction in which a delivery was inserted.
func TestStepsAreThoseOfOneTransaction(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, listener.Close()) })
	arrived := make(chan []byte, 1)
	go func() {
		server, err := listener.Accept()
		if err != nil {
			return
		}
		defer server.Close()
		all, _ := io.ReadAll(server)
		arrived <- all
	}()
	l, err := NewLink("test", listener.Addr().String(), Postgres)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	reached := make(chan struct{})
	l.Arm(Point{Steps: []string{"INSERT INTO deliveries", "commit"}}, func() { close(reached) })

	client, err := net.Dial("tcp", l.Address())
	require.NoError(t, err)
	defer client.Close()
	var passes []byte
	for _, m := range [][]byte{
		startup(), message('Q', "begin\x00"), message('Q', "commit\x00"), // another transaction's
		message('Q', "begin\x00"), message('Q', "INSERT INTO deliveries VALUES (1)\x00"), message('Q', "rollback\x00"),
		message('Q', "begin\x00"), message('Q', "commit\x00"), // the insert was another's
		message('Q', "begin\x00"), message('Q', "INSERT INTO deliveries VALUES (2)\x00"),
	} {
		passes = append(passes, m...)
	}
	_, err = client.Write(append(passes, message('Q', "commit\x00")...))
	require.NoError(t, err)
	<-reached
	require.Equal(t, passes, <-arrived, "everything up to the last commit, and not that")
}

func TestCutAndMended(t *testing.T) {
	l, url, _ := counted(t, HTTP)
	require.Zero(t, l.Cut())
	_, err := get(t, url, long)
	require.Error(t, err)
	require.NoError(t, l.Mend())
	require.NoError(t, l.Mend(), "a second time does no harm")
	_, err = get(t, url, long)
	require.NoError(t, err)
}

func TestSwallowedAnswersWereCarriedOut(t *testing.T) {
	for answers, want := range map[bool]int64{true: 1, false: 0} {
		l, url, came := counted(t, HTTP)
		_, err := get(t, url, long)
		require.NoError(t, err)
		came.Store(0)
		require.NoError(t, l.Swallow(answers))
		require.Zero(t, l.Suffered(), "nobody has felt it yet")
		_, err = get(t, url, 300*time.Millisecond)
		require.Error(t, err)
		require.Positive(t, l.Suffered())
		require.Equal(t, want, came.Load())
		require.NoError(t, l.Mend())
		_, err = get(t, url, long)
		require.NoError(t, err)
	}
}

func TestSlowAnswersArrive(t *testing.T) {
	l, url, _ := counted(t, HTTP)
	require.NoError(t, l.Slow(200, 0))
	begun := time.Now()
	_, err := get(t, url, long)
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(begun), 200*time.Millisecond)
	require.Positive(t, l.Suffered())
	require.NoError(t, l.Mend())
}

// Two of them at once are one after the other, and counted once.
func TestALinkSuffersFromTwoAtOnce(t *testing.T) {
	l, url, _ := counted(t, HTTP)
	require.NoError(t, l.Slow(10, 0))
	require.NoError(t, l.Swallow(true))
	_, err := get(t, url, 300*time.Millisecond)
	require.Error(t, err)
	require.Positive(t, l.Suffered())
	require.NoError(t, l.Mend())
	suffered := l.Suffered()
	_, err = get(t, url, long)
	require.NoError(t, err)
	require.Equal(t, suffered, l.Suffered(), "what passes a mended link is not counted")
}

func TestConnectionsThatAreCutAreCounted(t *testing.T) {
	l, url, came := counted(t, HTTP)
	held, err := net.Dial("tcp", l.Address())
	require.NoError(t, err)
	defer held.Close()
	_, err = get(t, url, long)
	require.NoError(t, err)
	require.EqualValues(t, 1, came.Load())
	require.Eventually(t, func() bool { return l.Connections() == 1 }, long, time.Millisecond)
	require.Equal(t, 1, l.Cut())
}

func TestNobodyAtTheOtherEnd(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	l, err := NewLink("test", address, HTTP)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	require.Equal(t, address, l.Upstream())
	_, err = get(t, "http://"+l.Address(), long)
	require.Error(t, err)
}
