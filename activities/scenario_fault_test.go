package activities

import (
	"maps"
	"slices"
	"strings"
	"testing"

	arenasim "countersign/internal/simulator/arena"
	"countersign/internal/simulator/fault"
)

// scripted has the QMS misbehave at an endpoint, in this order.
func scripted(endpoint fault.Endpoint, faults ...fault.Fault) func(*stage) {
	return func(s *stage) { s.qms.Fault(endpoint, faults...) }
}

// landing carries out what is late as soon as the attempt has failed, before the next one.
func landing(inject func(*stage)) func(*stage) {
	return func(s *stage) {
		inject(s)
		s.onRetrying = func() { s.qms.CommitLate() }
	}
}

// passed lets one request to an endpoint through: the next fault is for the one after it.
func passed() fault.Fault { return fault.Slow(0, 1) }

// secondFaults are what goes wrong on top of a scenario, once or as long as one attempt takes.
func secondFaults() map[string]func(*stage) {
	const (
		complete = arenasim.EndpointComplete
		record   = arenasim.EndpointRecord
		records  = arenasim.EndpointRecords
	)
	return map[string]func(*stage){
		// The write.
		"write: reset before":                   scripted(complete, fault.DropBefore(1)),
		"write: reset after the commit":         scripted(complete, fault.DropAfter(1)),
		"write: 500 after the commit":           scripted(complete, fault.CommitThenStatus(500, 1)),
		"write: 503 twice":                      scripted(complete, fault.Status(503, 2)),
		"write: 429":                            scripted(complete, fault.RateLimited("90", 1)),
		"write: 401":                            scripted(complete, fault.Status(401, 1)),
		"write: 401 twice":                      scripted(complete, fault.Status(401, 2)),
		"write: 403":                            scripted(complete, fault.Status(403, 1)),
		"write: truncated answer":               scripted(complete, fault.Truncated(1)),
		"write: no JSON":                        scripted(complete, fault.Malformed(1)),
		"write: endless answer":                 scripted(complete, fault.Huge(2<<20, 1)),
		"write: 200 and nothing done":           scripted(complete, fault.Silent(1)),
		"write: 200, done late":                 scripted(complete, fault.LateCommit(-1, 1)),
		"write: lost, done between attempts":    landing(scripted(complete, fault.LateCommitLost(-1, 1))),
		"write: lost, done after everything":    scripted(complete, fault.LateCommitLost(-1, 1)),
		"write: lost twice, done in between":    landing(scripted(complete, fault.LateCommitLost(-1, 2))),
		"write: done, and the answer times out": func(s *stage) { s.line.timeout[toComplete] = true },
		"write: the token expires under way":    func(s *stage) { s.line.intervene(toComplete, s.qms.ExpireTokens) },
		"write: token revoked, none to be had": func(s *stage) {
			s.line.intervene(toComplete, func() {
				s.qms.RevokeTokens()
				s.qms.Fault(arenasim.EndpointToken, fault.Status(503, 1))
			})
		},
		// The reads around it.
		"read before: 503":             scripted(record, fault.Status(503, 1)),
		"read before: truncated":       scripted(record, fault.Truncated(1)),
		"read before: reset":           scripted(record, fault.DropBefore(1)),
		"read before: 429":             scripted(record, fault.RateLimited("", 1)),
		"read-back: 503":               scripted(record, passed(), fault.Status(503, 2)),
		"read-back: no JSON":           scripted(record, passed(), fault.Malformed(2)),
		"read-back: truncated once":    scripted(record, passed(), fault.Truncated(1)),
		"read-back: 429 with a wait":   scripted(record, passed(), fault.RateLimited("600", 2)),
		"read-back: 401":               scripted(record, passed(), fault.Status(401, 1)),
		"read-back and journal: fails": func(s *stage) { s.journalFails = 1 },
		// The steps before.
		"search: 503":             scripted(records, fault.Status(503, 1)),
		"search: truncated":       scripted(records, fault.Truncated(1)),
		"employee: reset":         scripted(arenasim.EndpointUser, fault.DropBefore(1)),
		"employee: 503 for long":  scripted(arenasim.EndpointUser, fault.Status(503, 4)),
		"token: 503":              scripted(arenasim.EndpointToken, fault.Status(503, 1)),
		"token: 429":              scripted(arenasim.EndpointToken, fault.RateLimited("30", 1)),
		"token: no JSON":          scripted(arenasim.EndpointToken, fault.Malformed(1)),
		"token: answer lost":      scripted(arenasim.EndpointToken, fault.DropAfter(1)),
		"configuration: 503":      scripted(arenasim.EndpointConfig, fault.Status(503, 1)),
		"everything: 503 at once": scripted(fault.Any, fault.Status(503, 5)),
		// The decision after it.
		"decision: reset after the commit":      scripted(arenasim.EndpointApproval, fault.DropAfter(1)),
		"decision: 500 after the commit":        scripted(arenasim.EndpointApproval, fault.CommitThenStatus(500, 1)),
		"decision: 200 and nothing done":        scripted(arenasim.EndpointApproval, fault.Silent(1)),
		"decision: lost, done between attempts": landing(scripted(arenasim.EndpointApproval, fault.LateCommitLost(-1, 1))),
	}
}

// beyond are the cells that no client can hold: a submission that is carried out only after a
// person has rejected a later one is pending again (see qms.Apply). It is not COMPLETED.
func beyond(scenario, second string) bool {
	return strings.HasPrefix(scenario, "09") && second == "write: lost, done after everything"
}

// Every scenario and every conflict's reading under every second fault: the record ends right, changed exactly once, or a
// classified failure stands; COMPLETED is never claimed but after a read that showed it.
func TestScenariosUnderASecondFault_R93_R106_R123(t *testing.T) {
	t.Parallel()
	h, seconds, all := newLightHouse(t), secondFaults(), scenarios()
	maps.Copy(all, conflicts())
	for _, same := range []string{"C1 token cached", "C2 approval by the record", "complete_response ack"} {
		delete(all, same) // the defaults: they are 01 and 08
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, second := range slices.Sorted(maps.Keys(seconds)) {
				if beyond(name, second) || (strings.HasPrefix(second, "decision") && all[name].changes < 2) {
					continue // the latter decides nothing
				}
				t.Run(second, func(t *testing.T) {
					all[name].play(t, h.stage(t), seconds[second])
				})
			}
		})
	}
}
