//go:build !unix

package main

import (
	"os"
	"os/exec"
	"os/signal"
)

// become runs another command in this one's place; ^C is for that one.
func become(path string, args []string) error {
	signal.Ignore(os.Interrupt)
	cmd := exec.Command(path, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return cmd.Run()
}
