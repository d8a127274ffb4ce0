// Package arena is a simulated Arena QMS: the complete training contract over real HTTP, with
// the silent failures that make a read-back necessary, and with everything that can go wrong
// on request. One Arena is one QMS; two tenants are two of them.
//
// The contract lives under /api/v1. The controls live under /__sim/, for callers on this
// machine only, and are Go methods too, for tests in the same process:
//
//	sim := arena.New(arena.Options{})
//	server := httptest.NewServer(sim.Handler())
//	sim.Fault(arena.EndpointComplete, fault.DropAfter(1))
//
// Raw calls (Calls) and effective changes (Changes) are counted apart: a client may call as
// often as it likes, a record changes once.
//
// # Magic ids
//
// With Options.AutoProvision, for demonstrations, an unknown employee EMP… or HR-… exists as
// soon as somebody asks, and asking for the records of an employee and a training creates the
// training and an ASSIGNED record. The end of a training id or employee id steers what happens,
// and several ends may follow each other (GMP-7-SCORED-APPROVAL):
//
//	…-APPROVAL    the workflow has an approval step
//	…-SCORED      the training tracks scores
//	…-LOCKED      the record is locked for editing
//	…-EXPIRED     the record is created EXPIRED
//	…-CANCELLED   the record is created CANCELLED
//	…-SILENT      completions are answered 200 and change nothing
//	…-503         every call about the record answers 503, for ever
//	…-LOST        the first completion is applied and its answer lost
//	HR-404        the employee who never exists
package arena
