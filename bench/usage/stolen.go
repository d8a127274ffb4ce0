package usage

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Processors is what all processors together have done since the machine began, in ticks.
type Processors struct {
	// Total is all time, Stolen that in which the host gave a processor to another machine while something here wanted it.
	Total, Stolen int64
}

// The fields of the line "cpu" of /proc/stat behind its name, counted from 0 (proc(5)): user, nice, system, idle, iowait, irq, softirq and
// steal. What guests took is in user already.
const (
	stolenField  = 7
	totalsFields = 8
)

var errNoStolen = errors.New("/proc/stat says nothing of stolen time")

// ReadProcessors reads /proc/stat (Linux).
func ReadProcessors() (Processors, error) {
	content, err := os.ReadFile("/proc/stat")
	if err != nil {
		return Processors{}, fmt.Errorf("read processor time: %w", err)
	}
	first, _, _ := strings.Cut(string(content), "\n")
	fields := strings.Fields(strings.TrimPrefix(first, "cpu"))
	if len(fields) < totalsFields {
		return Processors{}, fmt.Errorf("read processor time: %w", errNoStolen)
	}
	var p Processors
	for i, field := range fields[:totalsFields] {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return Processors{}, fmt.Errorf("read processor time: %w", err)
		}
		p.Total += ticks
		if i == stolenField {
			p.Stolen = ticks
		}
	}
	return p, nil
}

// StolenSince is the share of all time since then that was stolen, 0 to 1.
func (p Processors) StolenSince(then Processors) float64 {
	if p.Total <= then.Total {
		return 0
	}
	return float64(p.Stolen-then.Stolen) / float64(p.Total-then.Total)
}
