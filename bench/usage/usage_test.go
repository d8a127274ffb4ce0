package usage_test

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/bench/usage"
)

// burn uses processor time in a shell and its child; both end by themselves.
const burn = `i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'; echo done; read -r line`

// The time of a process counts, that of its children too, also when they have ended.
func TestCPUOfATree(t *testing.T) {
	cmd := exec.Command("sh", "-c", burn)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	_, err = out.Read(make([]byte, 16)) // it waits now
	require.NoError(t, err)

	before, err := usage.CPU(os.Getpid())
	require.NoError(t, err)
	tree, err := usage.CPU(cmd.Process.Pid)
	require.NoError(t, err)
	require.GreaterOrEqual(t, tree, 20*time.Millisecond)
	require.GreaterOrEqual(t, before, tree, "it is ours")

	require.NoError(t, in.Close())
	_ = cmd.Wait() // read fails at the end of its input
	require.Greater(t, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime(), time.Duration(0))
	after, err := usage.CPU(os.Getpid())
	require.NoError(t, err)
	require.GreaterOrEqual(t, after, tree, "it stays ours when it has ended")
	_, err = usage.CPU(cmd.Process.Pid)
	require.ErrorContains(t, err, "no process")
}

// What this process uses is its own, what a child of it uses is not.
func TestOwn(t *testing.T) {
	start, err := usage.Own()
	require.NoError(t, err)
	child := exec.Command("sh", "-c", `i=0; while [ $i -lt 500000 ]; do i=$((i+1)); done`)
	require.NoError(t, child.Run())
	waited, err := usage.Own()
	require.NoError(t, err)
	theirs := child.ProcessState.UserTime() + child.ProcessState.SystemTime()
	require.Less(t, waited-start, theirs)

	for used := waited; used-waited < 20*time.Millisecond; {
		used, err = usage.Own()
		require.NoError(t, err)
	}
}

func TestMemory(t *testing.T) {
	before, err := usage.MemoryOf(os.Getpid())
	require.NoError(t, err)
	require.Positive(t, before.Resident)
	block := make([]byte, 64<<20)
	for i := range block {
		block[i] = byte(i)
	}
	after, err := usage.MemoryOf(os.Getpid())
	require.NoError(t, err)
	require.GreaterOrEqual(t, after.Peak, before.Resident+int64(len(block))/2)
	require.GreaterOrEqual(t, after.Peak, after.Resident)
	require.EqualValues(t, 200, block[200])

	_, err = usage.MemoryOf(1 << 30)
	require.ErrorContains(t, err, "no process")
}
