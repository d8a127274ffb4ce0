package process

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// littleAlive is up to how many bytes a process may hold for its garbage to be let grow further than the
	// runtime would: five times that is the most it then takes.
	littleAlive = 64 << 20
	// patient and usual are how much garbage there may be before it is collected, in percent of what is alive.
	patient, usual = 400, 100
	// garbageLook is the pause between two looks at what is alive.
	garbageLook = time.Second
)

// garbagePercent is GOGC for so many bytes alive. A certificate is drawn with 9 MB of garbage: at the
// usual percentage a worker with little else to do collects it after every second one, which is a fifth
// of its processor time. With 10,000 completions in its cache the same percentage would cost gigabytes.
func garbagePercent(alive uint64) int {
	if alive <= littleAlive {
		return patient
	}
	return usual
}

// watchGarbage keeps to garbagePercent until ctx ends. Where GOGC is set somebody has decided already, and it
// is not to be called.
func watchGarbage(ctx context.Context) {
	ticker := time.NewTicker(garbageLook)
	defer ticker.Stop()
	set := usual
	for {
		if percent := garbagePercent(alive()); percent != set {
			debug.SetGCPercent(percent)
			set = percent
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// alive is how many bytes the last collection left.
func alive() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return littleAlive + 1 // a runtime without it: as usual
	}
	return sample[0].Value.Uint64()
}
