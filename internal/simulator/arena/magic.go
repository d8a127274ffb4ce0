package arena

import (
	"net/http"
	"slices"
	"strings"

	"countersign/internal/simulator/fault"
	"countersign/internal/training"
)

// magicEnds are the ends of ids that steer, as the package comment lists them.
func magicEnds() []string {
	return []string{"-APPROVAL", "-SCORED", "-LOCKED", "-EXPIRED", "-CANCELLED", "-SILENT", "-503", "-LOST"}
}

// nobody is the employee who never exists.
const nobody = "HR-404"

func magicEmployee(id string) bool {
	return id != nobody && (strings.HasPrefix(id, "EMP") || strings.HasPrefix(id, "HR-"))
}

// ends collects every magic end of the given ids.
func ends(ids ...string) []string {
	var found []string
	for _, id := range ids {
		for again := true; again; {
			again = false
			for _, end := range magicEnds() {
				if rest, ok := strings.CutSuffix(id, end); ok {
					id, again = rest, true
					found = append(found, end)
				}
			}
		}
	}
	return found
}

// provision makes the training and the record that a search for both asks for. Only when the
// employee has none at all: a completed record must be found again, not replaced.
func (a *Arena) provision(employeeID, trainingID string) {
	if !a.options.AutoProvision || employeeID == "" || trainingID == "" || len(a.pairs[pairKey(employeeID, trainingID)]) > 0 {
		return
	}
	if _, ok := a.employee(employeeID); !ok {
		return
	}
	if _, ok := a.trainings[trainingID]; !ok {
		found := ends(trainingID)
		a.addTraining(Training{ID: trainingID, Name: trainingID,
			TracksScore: slices.Contains(found, "-SCORED"), ApprovalRequired: slices.Contains(found, "-APPROVAL")})
	}
	found := ends(employeeID, trainingID)
	record := Record{EmployeeID: employeeID, TrainingID: trainingID,
		TracksScore:      slices.Contains(found, "-SCORED"),
		ApprovalRequired: slices.Contains(found, "-APPROVAL"),
		Locked:           slices.Contains(found, "-LOCKED")}
	switch {
	case slices.Contains(found, "-EXPIRED"):
		record.Status = training.RecordExpired
	case slices.Contains(found, "-CANCELLED"):
		record.Status = training.RecordCancelled
	}
	a.insert(record)
}

// standing is the misbehavior that a record's magic ids ask for.
func (a *Arena) standing(endpoint fault.Endpoint, recordID string) (fault.Fault, bool) {
	if !a.options.AutoProvision || recordID == "" {
		return fault.Fault{}, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	record, ok := a.records[recordID]
	if !ok {
		return fault.Fault{}, false
	}
	found := ends(record.EmployeeID, record.TrainingID)
	switch {
	case slices.Contains(found, "-503"):
		return fault.Status(http.StatusServiceUnavailable, fault.Forever), true
	case endpoint != EndpointComplete:
	case slices.Contains(found, "-SILENT"):
		return fault.Silent(fault.Forever), true
	case slices.Contains(found, "-LOST") && record.Status.Open() && len(a.changes[recordID]) == 0:
		return fault.DropAfter(1), true
	}
	return fault.Fault{}, false
}
