package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"

	"countersign/bench/usage"
)

// commit is the checkout's, with a mark when something in it is not committed, or "unknown".
func commit(ctx context.Context) string {
	head, err := exec.CommandContext(ctx, "git", "rev-parse", "--short=12", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	name := strings.TrimSpace(string(head))
	if changes, err := exec.CommandContext(ctx, "git", "status", "--porcelain").Output(); err != nil || len(changes) > 0 {
		name += "+changes"
	}
	return name
}

// machine describes what is measured on, as far as the system says: what is missing is left out.
func machine(dir string) string {
	parts := []string{fmt.Sprintf("%d processors", runtime.NumCPU())}
	for _, fact := range []struct{ file, name, label string }{
		{"/proc/cpuinfo", "model name", ""},
		{"/proc/meminfo", "MemTotal", "memory "},
	} {
		if value := field(fact.file, fact.name); value != "" {
			parts = append(parts, fact.label+value)
		}
	}
	parts = append(parts, runtime.GOOS+"/"+runtime.GOARCH, runtime.Version())
	if kind := fileSystem(dir); kind != "" {
		parts = append(parts, "databases on "+kind)
	}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		first, _, _ := strings.Cut(string(load), " ")
		parts = append(parts, "load before "+first)
	}
	return strings.Join(parts, ", ")
}

// moment is what the processors had done by then.
type moment struct {
	processors usage.Processors
	known      bool
}

func nowOn() moment {
	p, err := usage.ReadProcessors()
	return moment{p, err == nil} // what a system does not say is left out
}

// stolen says how much of the processors' time other machines on the same host have taken since then, "" where that is not known or
// less than a hundredth.
func (m moment) stolen() string {
	now := nowOn()
	share := now.processors.StolenSince(m.processors)
	if !m.known || !now.known || share < 0.01 {
		return ""
	}
	return fmt.Sprintf(", %.0f %% of the processors' time taken by other machines", 100*share)
}

// field is the value of the first "name : value" line of a file, "" if there is none.
func field(file, name string) string {
	content, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(content)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.Join(strings.Fields(value), " ")
		}
	}
	return ""
}

// fileSystem names what dir lies on, by its magic number (statfs(2)): on a tmpfs flushing costs nothing,
// and every figure with a commit in it is worthless.
func fileSystem(dir string) string {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(dir, &stat); err != nil {
		return ""
	}
	switch stat.Type {
	case 0xEF53:
		return "ext4"
	case 0x58465342:
		return "xfs"
	case 0x9123683E:
		return "btrfs"
	case 0x794C7630:
		return "overlayfs"
	case 0x01021994:
		return "tmpfs (nothing is flushed there: take another -dir)"
	default:
		return fmt.Sprintf("a file system of type %#x", stat.Type)
	}
}
