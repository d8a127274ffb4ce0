// Package stack runs the parts of a local installation as child processes: starter, worker and
// a Temporal server, the same binaries as in production. The development command and the
// end-to-end tests share it. What it runs comes from package build.
package stack

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// pollEvery is how often something that starts is asked whether it is ready.
const pollEvery = 20 * time.Millisecond

// Environment is this process's environment for a child, without every setting of Countersign
// and Temporal, then with those given. A developer's shell may point to a real installation.
func Environment(settings map[string]string) []string {
	environment := slices.DeleteFunc(os.Environ(), func(pair string) bool {
		return strings.HasPrefix(pair, "COUNTERSIGN_") || strings.HasPrefix(pair, "TEMPORAL_")
	})
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		environment = append(environment, name+"="+settings[name])
	}
	return environment
}

// FreePort is a port of the loopback interface that nobody listens on now.
func FreePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer listener.Close()
	address, err := netip.ParseAddrPort(listener.Addr().String())
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	return int(address.Port()), nil
}

// portsTried is how far FreePortFrom looks.
const portsTried = 100

// FreePortFrom is the first port from wanted upwards that nobody listens on now, on the
// loopback interface or on all of them, and that is not among the taken ones.
func FreePortFrom(wanted int, taken ...int) (int, error) {
	for port := wanted; port < wanted+portsTried && port <= 65535; port++ {
		if !slices.Contains(taken, port) && free(port) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("find a free port: none from %d to %d", wanted, wanted+portsTried-1)
}

// free tries both addresses: some systems let a program listen on one beside another's listener
// on the other.
func free(port int) bool {
	for _, host := range []string{"127.0.0.1", ""} {
		listener, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			return false
		}
		listener.Close()
	}
	return true
}

// WaitHTTP waits until a GET of url answers 200, the process is gone, or ctx ends.
func WaitHTTP(ctx context.Context, url string, p *Process) error {
	for {
		err := get(ctx, url)
		if err == nil {
			return nil
		}
		select {
		case <-p.Done():
			return cmp.Or(p.Err(), fmt.Errorf("%s has stopped by itself", p.name))
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", p.name, err)
		case <-time.After(pollEvery):
		}
	}
}

func get(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	request.Close = true // nothing of the asking stays behind
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", url, response.Status)
	}
	return nil
}
