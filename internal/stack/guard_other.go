//go:build !unix

package stack

import (
	"os"
	"os/exec"
	"syscall"
)

func ownGroup(*exec.Cmd) {}

// signalGroup knows no gentle way here: every signal ends the process.
func signalGroup(p *os.Process, _ syscall.Signal) error { return p.Kill() }

// guard has nothing to offer here: a child may outlive a killed parent.
func guard(int) (release func(), err error) { return func() {}, nil }
