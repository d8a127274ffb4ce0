package stack_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"countersign/internal/stack"

	"github.com/stretchr/testify/require"
)

// Whoever works on deliveries later gives way to whoever acknowledges them; the others do not.
func TestOnlyWhoYieldsIsNice(t *testing.T) {
	own := niceness(t, os.Getpid())
	for _, yields := range []bool{false, true} {
		pid := startReady(t, yields)
		if !yields {
			require.Equal(t, own, niceness(t, pid))
			continue
		}
		require.Equal(t, max(own, 10), niceness(t, pid))
		require.Equal(t, fmt.Sprint(pid), stat(t, pid)[3], "a session of its own")
		if group, err := os.ReadFile(fmt.Sprintf("/proc/%d/autogroup", pid)); err == nil && len(group) > 0 {
			require.Contains(t, string(group), fmt.Sprint("nice ", niceness(t, pid)))
		}
	}
}

// Whoever is nice already, as with `nice -n 15`, starts a child that is as nice: nobody but root may be less so again.
func TestWhoYieldsMoreAlreadyIsLeftAlone(t *testing.T) {
	const variable, more = "COUNTERSIGN_TEST_NICE", 15
	if os.Getenv(variable) == "" {
		cmd := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), variable+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a group has a niceness, and ours stays as it is
		output, err := cmd.CombinedOutput()
		require.NoError(t, err, string(output))
		return
	}
	require.NoError(t, syscall.Setpriority(syscall.PRIO_PGRP, 0, more))
	require.Equal(t, more, niceness(t, startReady(t, true)))
}

// startReady starts a child that is at work when it is returned.
func startReady(t *testing.T, yields bool) (pid int) {
	ready := make(chan struct{}, 100)
	p, err := stack.Start(stack.Command{Name: "child", Path: "/bin/sh", Args: []string{"-c", "echo ready; exec cat /dev/zero >/dev/null"},
		LogFile: filepath.Join(t.TempDir(), "log"), Watch: writer(func() { ready <- struct{}{} }), Yields: yields})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Kill()) })
	<-ready
	return p.PID()
}

// niceness is the 19th field of proc_pid_stat(5).
func niceness(t *testing.T, pid int) int {
	n, err := strconv.Atoi(stat(t, pid)[16])
	require.NoError(t, err)
	return n
}

// stat are the fields of proc_pid_stat(5) from the third one on.
func stat(t *testing.T, pid int) []string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(text), ") ")
	return strings.Fields(rest)
}
