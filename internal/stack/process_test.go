//go:build unix

package stack_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/stack"
)

// The test binary is also the parent that gets killed in TestChildrenDieWithTheParent.
const parentVariable = "STACK_TEST_PARENT"

func TestMain(m *testing.M) {
	if dir := os.Getenv(parentVariable); dir != "" {
		p, err := stack.Start(stack.Command{Name: "child", Path: "/bin/sh", Args: []string{"-c", "sleep 1000"}, LogFile: filepath.Join(dir, "log"),
			Yields: os.Getenv(parentVariable+"_YIELDS") != ""})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(p.PID())
		<-p.Done()
	}
	os.Exit(m.Run())
}

func shell(t *testing.T, script string) *stack.Process {
	t.Helper()
	p, err := stack.Start(stack.Command{Name: "child", Path: "/bin/sh", Args: []string{"-c", script}, LogFile: filepath.Join(t.TempDir(), "log")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Kill()) })
	return p
}

func TestChildThatFailsIsReportedWithItsLog(t *testing.T) {
	p := shell(t, "echo one; echo the reason >&2; exit 3")
	<-p.Done()
	require.ErrorContains(t, p.Err(), "child: exit status 3")
	require.ErrorContains(t, p.Err(), "the reason")
}

func TestOnlyTheLastRunOfALogIsShown(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	run := func(text string) error {
		p, err := stack.Start(stack.Command{Name: "child", Path: "/bin/sh", Args: []string{"-c", "echo " + text + "; exit 1"}, LogFile: log})
		require.NoError(t, err)
		<-p.Done()
		return p.Err()
	}
	require.ErrorContains(t, run("first"), "first")
	err := run("second")
	require.ErrorContains(t, err, "second")
	require.NotContains(t, err.Error(), "first")
}

// started waits until the child has written its first line, so that its trap is set.
func started(t *testing.T, script string) *stack.Process {
	t.Helper()
	seen := make(chan struct{}, 100)
	p, err := stack.Start(stack.Command{Name: "child", Path: "/bin/sh", Args: []string{"-c", script},
		LogFile: filepath.Join(t.TempDir(), "log"), Watch: writer(func() { seen <- struct{}{} })})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Kill()) })
	<-seen
	return p
}

type writer func()

func (w writer) Write(data []byte) (int, error) { w(); return len(data), nil }

func TestStopAsksFirst(t *testing.T) {
	p := started(t, "trap 'exit 0' TERM; echo ready; while :; do sleep 0.01; done")
	require.NoError(t, p.Stop(t.Context()))
	require.NoError(t, p.Err())
	require.NoError(t, p.Stop(t.Context()), "stopping twice is harmless")
}

func TestStopKillsWhenItTakesTooLong(t *testing.T) {
	p := started(t, "trap '' TERM; echo ready; while :; do sleep 0.01; done")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorContains(t, p.Stop(ctx), "killed")
	<-p.Done()
}

func TestChildrenDieWithTheParent(t *testing.T) {
	for name, yields := range map[string]string{"with its share": "", "that yields, in a session of its own": "1"} {
		t.Run(name, func(t *testing.T) {
			parent := exec.Command(os.Args[0])
			parent.Env = append(os.Environ(), parentVariable+"="+t.TempDir(), parentVariable+"_YIELDS="+yields)
			output, err := parent.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, parent.Start())
			line, err := bufio.NewReader(output).ReadString('\n')
			require.NoError(t, err)
			child, err := strconv.Atoi(strings.TrimSpace(line))
			require.NoError(t, err, line)
			require.NoError(t, syscall.Kill(child, 0), "the child runs")

			require.NoError(t, parent.Process.Kill())
			require.Error(t, parent.Wait())
			require.Eventually(t, func() bool { return syscall.Kill(child, 0) != nil || zombie(child) }, 10*time.Second, 20*time.Millisecond)
		})
	}
}

// zombie reports a process that has ended and that nobody has collected: in a container there
// may be nobody to do so.
func zombie(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(status), ") Z ")
}

func TestEnvironmentLeavesTheDevelopersSettingsOut(t *testing.T) {
	t.Setenv("COUNTERSIGN_JOURNAL", "postgres://real/journal")
	t.Setenv("TEMPORAL_ADDRESS", "real:7233")
	t.Setenv("UNRELATED", "kept")
	environment := stack.Environment(map[string]string{"TEMPORAL_ADDRESS": "127.0.0.1:1"})
	require.Contains(t, environment, "UNRELATED=kept")
	require.Contains(t, environment, "TEMPORAL_ADDRESS=127.0.0.1:1")
	require.NotContains(t, environment, "TEMPORAL_ADDRESS=real:7233")
	require.NotContains(t, strings.Join(environment, "\n"), "COUNTERSIGN_")
}

func TestFreePortFromGoesOn(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	taken := listener.Addr().(*net.TCPAddr).Port
	next, err := stack.FreePortFrom(taken)
	require.NoError(t, err)
	require.Greater(t, next, taken)
	after, err := stack.FreePortFrom(taken, next)
	require.NoError(t, err)
	require.Greater(t, after, next)
}

func TestWaitHTTP(t *testing.T) {
	p := started(t, "echo ready; sleep 1000")
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls++; calls < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	require.NoError(t, stack.WaitHTTP(t.Context(), server.URL, p))
	require.Equal(t, 3, calls)

	calls = -1 << 30
	dead := shell(t, "echo cannot listen; exit 1")
	require.ErrorContains(t, stack.WaitHTTP(t.Context(), server.URL, dead), "cannot listen")
}
