//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package journal

import "os"

// Without flock everybody always has a turn, and SQLite's own lock decides.

func tryLock(*os.File) bool { return true }
func waitLock(*os.File)     {}
func unlock(*os.File)       {}
