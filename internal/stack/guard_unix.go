//go:build unix

package stack

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func signalGroup(p *os.Process, s syscall.Signal) error { return syscall.Kill(-p.Pid, s) }

// guardian waits for its standard input to close. We hold the other end, so that happens
// however we end, by kill -9 and by a test's time-out too. Then it stops the child's group,
// orderly at first.
//
// Linux could send a signal by itself, but it ties that to the thread that started the child,
// and other systems have nothing like it.
const guardian = `cat >/dev/null
kill -s TERM -- "-$1" || exit 0
for second in 1 2 3 4 5 6 7 8 9 10; do
	sleep 1
	kill -s 0 -- "-$1" || exit 0
done
kill -s KILL -- "-$1"`

// guard stops the process group once this process is gone. release ends the guarding; it must
// be called when the child has ended, before its id can mean another process.
func guard(pid int) (release func(), err error) {
	cmd := exec.Command("/bin/sh", "-c", guardian, "guard", strconv.Itoa(pid))
	ownGroup(cmd) // a signal to our own group must not end the guardian
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return func() {
		// Killed, with its `cat`, before the lifeline closes. That it ended so is no news.
		_ = signalGroup(cmd.Process, syscall.SIGKILL)
		_ = cmd.Wait()
		_ = lifeline.Close()
	}, nil
}
