// Package fault is what the simulated systems share: faults and their scripts, the gate that
// every request passes (raw call counters, bounded API log, misbehavior), the part of the
// /__sim/ control that is the same everywhere, the movable clock and the state file.
package fault
