// Package gorun notices the end of the `go run` that started this process. It passes ^C on and no
// other signal: whoever stops it by kill would leave the program behind.
package gorun

import (
	"os"
	"os/exec"
	"path"
	"strconv"
	"strings"
	"time"
)

const lookEvery = 500 * time.Millisecond

// Gone is closed when the `go run` that started us is gone. Without one it never is: started in
// another way, by a shell that then ends, we are meant to go on.
func Gone() <-chan struct{} {
	gone := make(chan struct{})
	parent := os.Getppid()
	name, err := exec.Command("ps", "-o", "comm=", "-p", strconv.Itoa(parent)).Output()
	if err != nil || path.Base(strings.TrimSpace(string(name))) != "go" {
		return gone
	}
	go func() {
		for range time.Tick(lookEvery) {
			if os.Getppid() != parent {
				close(gone)
				return
			}
		}
	}()
	return gone
}
