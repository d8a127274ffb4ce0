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
	err := errors.Join(niceGroup(pid), niceSession(pid))
	if err == nil || errors.Is(err, syscall.ESRCH) || errors.Is(err, os.ErrNotExist) { // it has ended: others say why
		return nil
	}
	return errors.Join(fmt.Errorf("lower its priority: %w", err), cmd.Process.Kill(), cmd.Wait())
}

func niceGroup(pid int) error {
	if err := syscall.Setpriority(syscall.PRIO_PGRP, pid, yielding); err != nil {
		return os.NewSyscallError("setpriority", err)
	}
	return nil
}

func niceSession(pid int) error {
	err := os.WriteFile(fmt.Sprintf("/proc/%d/autogroup", pid), []byte(strconv.Itoa(yielding)), 0)
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EIO) || errors.Is(err, os.ErrPermission) {
		return nil // one in 0.1 s is all that the kernel lets a user do; or it is not to be had here. Its niceness is set.
	}
	return err
}
