//go:build unix

package gorun_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/dev/gorun"
)

// The test binary is also the program that a fake `go run` starts.
const childVariable = "GORUN_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		gone := gorun.Gone()
		fmt.Println("watching")
		<-gone
		fmt.Println("gone")
		return
	}
	os.Exit(m.Run())
}

func TestKilledGoRunIsNoticed(t *testing.T) {
	shell, err := exec.LookPath("sh")
	require.NoError(t, err)
	fake := filepath.Join(t.TempDir(), "go")
	require.NoError(t, os.Symlink(shell, fake))
	// The second command keeps the shell from replacing itself by the first.
	parent := exec.Command(fake, "-c", `"$0"; true`, os.Args[0])
	parent.Env = append(os.Environ(), childVariable+"=1")
	output, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	lines := bufio.NewScanner(output)
	require.True(t, lines.Scan())
	require.Equal(t, "watching", lines.Text())

	require.NoError(t, parent.Process.Kill())
	require.True(t, lines.Scan())
	require.Equal(t, "gone", lines.Text())
	require.Error(t, parent.Wait(), "killed")
}
