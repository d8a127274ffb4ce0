package stack_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"countersign/internal/stack"

	"github.com/stretchr/testify/require"
)

// Whoever works on deliveries later gives way to whoever acknowledges them; the others do not.
func TestOnlyWhoYieldsIsNice(t *testing.T) {
	for _, yields := range []bool{false, true} {
		ready := make(chan struct{}, 100)
		p, err := stack.Start(stack.Command{Name: "child", Path: "/bin/sh", Args: []string{"-c", "echo ready; exec cat /dev/zero >/dev/null"},
			LogFile: filepath.Join(t.TempDir(), "log"), Watch: writer(func() { ready <- struct{}{} }), Yields: yields})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, p.Kill()) })
		<-ready
		want := "0"
		if yields {
			want = "10"
		}
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.PID()))
		require.NoError(t, err)
		_, rest, _ := strings.Cut(string(stat), ") ")
		fields := strings.Fields(rest)
		require.Equal(t, want, fields[16], "nice, the 19th field of proc_pid_stat(5)")
		if !yields {
			continue
		}
		require.Equal(t, fmt.Sprint(p.PID()), fields[3], "a session of its own")
		if group, err := os.ReadFile(fmt.Sprintf("/proc/%d/autogroup", p.PID())); err == nil && len(group) > 0 {
			require.Contains(t, string(group), "nice 10")
		}
	}
}
