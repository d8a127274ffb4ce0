// Package usage reads what processes use: processor time and memory, from /proc (Linux).
package usage

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tick is the unit of times in /proc/<pid>/stat: USER_HZ is 100 on every architecture that Go
// runs on (proc(5)).
const tick = 10 * time.Millisecond

// The fields of /proc/<pid>/stat behind the command's name, counted from 0 (proc(5)).
const (
	parentField = 1
	// timesField is the first of utime, stime, cutime and cstime. The last two are of children that
	// have ended and were waited for.
	timesField, times = 11, 4
)

// process is a line of the process table.
type process struct {
	parent int
	cpu    time.Duration
}

// Own is the processor time of this process, without its children, to the microsecond.
func Own() (time.Duration, error) {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0, fmt.Errorf("read processor time: %w", err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()), nil
}

// CPU is the processor time that the processes and all their descendants have used since they
// began, those that have ended included. It counts in hundredths of a second.
func CPU(roots ...int) (time.Duration, error) {
	all, err := processes()
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, root := range roots {
		if _, ok := all[root]; !ok {
			return 0, fmt.Errorf("read processor time: no process %d", root)
		}
		for id := range all {
			if descends(all, id, root) {
				sum += all[id].cpu
			}
		}
	}
	return sum, nil
}

// descends reports whether id is root or one of its descendants.
func descends(all map[int]process, id, root int) bool {
	for range len(all) + 1 { // not for ever, should the table have changed while it was read
		if id == root {
			return true
		}
		p, ok := all[id]
		if !ok {
			return false
		}
		id = p.parent
	}
	return false
}

func processes() (map[int]process, error) {
	names, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, fmt.Errorf("read the process table: %w", err)
	}
	if len(names) == 0 {
		return nil, errors.New("read the process table: no /proc (this needs Linux)")
	}
	all := map[int]process{}
	for _, name := range names {
		id, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		if err != nil {
			return nil, fmt.Errorf("read the process table: %w", err)
		}
		line, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended meanwhile
		}
		if all[id], err = parse(line); err != nil {
			return nil, fmt.Errorf("read the process table: process %d: %w", id, err)
		}
	}
	return all, nil
}

// parse reads a line of stat. The name is in parentheses and may hold any character.
func parse(line []byte) (process, error) {
	end := bytes.LastIndexByte(line, ')')
	fields := strings.Fields(string(line[end+1:]))
	if end < 0 || len(fields) < timesField+times {
		return process{}, errors.New("stat has too few fields")
	}
	var p process
	var err error
	if p.parent, err = strconv.Atoi(fields[parentField]); err != nil {
		return process{}, fmt.Errorf("parent: %w", err)
	}
	for _, field := range fields[timesField : timesField+times] {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return process{}, fmt.Errorf("times: %w", err)
		}
		p.cpu += time.Duration(ticks) * tick
	}
	return p, nil
}

// Memory is what a process has in RAM, in bytes.
type Memory struct {
	Resident int64
	// Peak is the most it ever had.
	Peak int64
}

// MemoryOf reads the memory of one process.
func MemoryOf(id int) (Memory, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", id))
	if errors.Is(err, fs.ErrNotExist) {
		return Memory{}, fmt.Errorf("read memory: no process %d", id)
	}
	if err != nil {
		return Memory{}, fmt.Errorf("read memory of process %d: %w", id, err)
	}
	var m Memory
	for name, into := range map[string]*int64{"VmRSS:": &m.Resident, "VmHWM:": &m.Peak} {
		if *into, err = kilobytes(status, name); err != nil {
			return Memory{}, fmt.Errorf("read memory of process %d: %w", id, err)
		}
	}
	return m, nil
}

func kilobytes(status []byte, name string) (int64, error) {
	for line := range strings.Lines(string(status)) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[0] == name && fields[2] == "kB" {
			n, err := strconv.ParseInt(fields[1], 10, 64)
			return n << 10, err
		}
	}
	return 0, fmt.Errorf("%s is missing", name)
}
