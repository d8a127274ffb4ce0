package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"countersign/internal/settings"
	"countersign/internal/training"
)

// people checks that the QMS knows learners of recent completions by the id we would use (R100, R114).
func (q quality) people(ctx context.Context) []Finding {
	const check = "qms.employees"
	found, err := q.employees(ctx)
	ids := found.ids
	switch {
	case errors.Is(err, errNoJournal):
		return []Finding{unfit(Note, check, "no employee was asked for: the journal could not be read", "")}
	case err != nil:
		return []Finding{unfit(Warning, check, "the journal gave no learners to ask for", "see the findings about the journal")}
	case len(ids) == 0 && found.lacking > 0:
		return []Finding{unfit(Warning, check, fmt.Sprintf("%s without the employee id: nobody can be found by it", plural(found.lacking, "recent completion came", "recent completions came")),
			"see with starter explain which field holds it, and set employee_id; or have the LMS send it")}
	case len(ids) == 0:
		return []Finding{unfit(Note, check, "the journal knows no learner of this tenant yet", "send a test with user from the LMS; it asks for the employee too")}
	}
	if q.most == 0 {
		return []Finding{unfit(Note, check, nothingLeft, "")}
	}
	var unknown []string
	asked := 0
	for _, id := range ids[:min(q.most, len(ids))] {
		err := q.client.Employee(ctx, id)
		failure, classified := errors.AsType[*training.Failure](err)
		switch {
		case err == nil:
		case classified && failure.Class == training.FailureEmployeeUnknown:
			unknown = append(unknown, ending(id))
		default:
			return []Finding{unfit(Warning, check, fmt.Sprintf("after %d employees the QMS gave no answer: %s", asked, said(err)), accountFix(err))}
		}
		asked++
	}
	if len(unknown) == 0 {
		return []Finding{fine(check, "%s of recent completions, all known to the QMS", plural(asked, "learner"))}
	}
	const fix = "see whether employee_id names the right field, and whether the QMS spells the ids so, with case and leading zeros"
	if len(unknown) == asked {
		return []Finding{unfit(Error, check, fmt.Sprintf("none of %s of recent completions is known to the QMS (%s)", plural(asked, "learner"), strings.Join(unknown, ", ")), fix)}
	}
	return []Finding{unfit(Warning, check, fmt.Sprintf("the QMS does not know %d of %s of recent completions (%s)", len(unknown), plural(asked, "learner"), strings.Join(unknown, ", ")), fix)}
}

// ending is the end of an id: enough to find it again in a list, not enough to know who it is. An e-mail
// address ends like all others, and a short id would be shown nearly whole.
func ending(id string) string {
	const shown, hidden = 3, 4
	runes := []rune(id)
	if strings.Contains(id, "@") || len(runes) < shown+hidden {
		return "…"
	}
	return "…" + string(runes[len(runes)-shown:])
}

// learners are people that completions are of.
type learners struct {
	ids []string // in the QMS, each once; personal data
	// lacking is how many completions came without one.
	lacking int
}

// learnersOf are those of the completions, with the ids under which the QMS should know them.
func learnersOf(t settings.Tenant, sample []training.Completion) (found learners) {
	seen := map[string]bool{}
	for _, c := range sample {
		field := t.EmployeeID
		if source, ok := t.Source(c.Source); ok {
			field = source.EmployeeID
		}
		id := field.Of(c.Learner)
		switch {
		case id == "":
			found.lacking++
		case !seen[id]:
			seen[id] = true
			found.ids = append(found.ids, id)
		}
	}
	return found
}
