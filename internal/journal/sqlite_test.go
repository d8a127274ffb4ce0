package journal_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/journal"
	"countersign/internal/training"
)

// victimVariable makes this test binary the process that TestKilledProcessLosesNothing kills.
const victimVariable = "JOURNAL_TEST_VICTIM"

// appendUntilKilled appends without end and prints each fingerprint once it is acknowledged.
func appendUntilKilled(path string) {
	ctx := context.Background()
	j, err := journal.Open(ctx, path, journal.Options{})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	printed := make(chan training.Fingerprint)
	for worker := range 8 {
		go func() {
			for n := worker; ; n += 8 {
				r, err := j.Append(ctx, delivery("acme"), []training.Completion{completion("acme", n)})
				if err != nil {
					fmt.Println(err)
					os.Exit(1)
				}
				printed <- r.Completions[0].Fingerprint
			}
		}()
	}
	for fp := range printed {
		fmt.Println(fp)
	}
}

func TestKilledProcessLosesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	victim := exec.Command(os.Args[0])
	victim.Env = append(os.Environ(), victimVariable+"="+path)
	output, err := victim.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, victim.Start())

	var acknowledged []training.Fingerprint
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		fp, err := training.ParseFingerprint(lines.Text())
		if err != nil {
			// kill -9 may cut the last line short, and only then.
			require.Greater(t, len(acknowledged), 200, lines.Text())
			continue
		}
		acknowledged = append(acknowledged, fp)
		if len(acknowledged) == 200 {
			require.NoError(t, victim.Process.Kill())
		}
	}
	require.Error(t, victim.Wait(), "killed")
	require.GreaterOrEqual(t, len(acknowledged), 200)

	j := open(t, path, journal.Options{})
	for _, fp := range acknowledged {
		require.Equal(t, training.StateQueued, state(t, j, "acme", fp))
	}
}

func TestReopenedWithoutCloseSeesEverything(t *testing.T) {
	dsn := sqliteDSN(t)
	fps := add(t, open(t, dsn, journal.Options{}), "acme", 0, 20) // closed at the end of the test only
	again := open(t, dsn, journal.Options{})
	for _, fp := range fps {
		require.Equal(t, training.StateQueued, state(t, again, "acme", fp))
	}
}

func TestFileIsForItsOwnerOnly(t *testing.T) {
	dsn := sqliteDSN(t)
	add(t, open(t, dsn, journal.Options{}), "acme", 0, 1)
	path := strings.TrimPrefix(dsn, "sqlite:")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), suffix)
	}
}
