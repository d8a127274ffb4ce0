package stack

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// yielding is how nice the child is (setpriority(2)): a tenth of the share of one that is not.
const yielding = 10

// startYielding starts cmd in a session of its own. Where the kernel shares the processors among sessions first
// (sched(7), autogroup), niceness counts within one only, and the session's own is what others feel.
func startYielding(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // which is a process group too
	if err := cmd.Start(); err != nil {
		return err
	}
	pid := cmd.Process.Pid
	niceness, err := niceGroup(pid)
	if err == nil {
		err = niceSession(pid, niceness)
	}
	if err == nil || errors.Is(err, syscall.ESRCH) || errors.Is(err, os.ErrNotExist) { // it has ended: others say why
		return nil
	}
	return errors.Join(fmt.Errorf("lower its priority: %w", err), cmd.Process.Kill(), cmd.Wait())
}

// niceGroup returns how nice the group is then. One that is nicer already, as under nice(1), stays so: only root may make it
// less so again.
func niceGroup(pid int) (niceness int, err error) {
	raw, err := syscall.Getpriority(syscall.PRIO_PROCESS, pid)
	if err != nil {
		return 0, os.NewSyscallError("getpriority", err)
	}
	if niceness = 20 - raw; niceness >= yielding { // which the system call turns round, so that it is never negative
		return niceness, nil
	}
	err = syscall.Setpriority(syscall.PRIO_PGRP, pid, yielding)
	if errors.Is(err, os.ErrPermission) {
		return niceness, nil // a sandbox that has none of it: a courtesy is no reason not to start
	}
	return yielding, os.NewSyscallError("setpriority", err)
}

func niceSession(pid, niceness int) error {
	err := os.WriteFile(fmt.Sprintf("/proc/%d/autogroup", pid), []byte(strconv.Itoa(niceness)), 0)
	for _, none := range []error{syscall.EAGAIN, syscall.EIO, syscall.EROFS, os.ErrPermission} {
		if errors.Is(err, none) {
			return nil // one in 0.1 s is all that the kernel lets a user do; or it is not to be had here. Its niceness is set.
		}
	}
	return err
}
