//go:build unix

package main

import (
	"fmt"
	"os"
	"syscall"
)

// become replaces this process by another command, which keeps its id, terminal and signals.
func become(path string, args []string) error {
	if err := syscall.Exec(path, append([]string{path}, args...), os.Environ()); err != nil {
		return fmt.Errorf("start %s: %w", path, err)
	}
	return nil
}
