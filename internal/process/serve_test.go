package process

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A request under way when the process is told to stop is answered.
func TestServeFinishesWhatItHasBegun(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	var order []string
	server := &http.Server{Addr: "127.0.0.1:0", ReadHeaderTimeout: time.Second}
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-finish
		order = append(order, "answered")
		w.WriteHeader(http.StatusOK)
	})
	address := make(chan string, 1)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		served <- serveOn(ctx, server, func(a string) { address <- a }, func() { order = append(order, "draining"); close(finish) }, time.Minute)
	}()
	answered := make(chan int, 1)
	url := "http://" + <-address
	go func() {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			answered <- 0
			return
		}
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		response, err := client.Do(request)
		if err != nil {
			answered <- 0
			return
		}
		_ = response.Body.Close()
		answered <- response.StatusCode
	}()
	<-begun
	stop()
	require.Equal(t, http.StatusOK, <-answered)
	require.NoError(t, <-served)
	require.Equal(t, []string{"draining", "answered"}, order)
}

func TestServeSaysThatTheAddressIsTaken(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	address, served := make(chan string, 1), make(chan error, 1)
	go func() {
		served <- serveOn(ctx, &http.Server{Addr: "127.0.0.1:0", ReadHeaderTimeout: time.Second}, func(a string) { address <- a }, func() {}, time.Second)
	}()
	taken := &http.Server{Addr: <-address, ReadHeaderTimeout: time.Second}
	require.ErrorContains(t, Serve(t.Context(), taken, func() {}, time.Second), "listen on "+taken.Addr)
	stop()
	require.NoError(t, <-served)
}

func TestHealthcheck(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	address, served := make(chan string, 1), make(chan error, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	go func() {
		served <- serveOn(ctx, &http.Server{Addr: "127.0.0.1:0", Handler: mux, ReadHeaderTimeout: time.Second}, func(a string) { address <- a }, func() {}, time.Second)
	}()
	require.NoError(t, Healthcheck(t.Context(), <-address))
	stop()
	require.NoError(t, <-served)
	require.Error(t, Healthcheck(t.Context(), "127.0.0.1:1"))
	require.Error(t, Healthcheck(t.Context(), "no port"))
	http.DefaultClient.CloseIdleConnections()
}
