package journal

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"countersign/internal/training"
)

// MappedCourse says which training of the QMS a course of an LMS is, as somebody has imported it.
type MappedCourse struct {
	Tenant string
	// Source is "" for every source of the tenant.
	Source string
	// Kind says what Value is: "id", "code" or "title".
	Kind, Value string
	Training    string
	// Approval sends PENDING_APPROVAL instead of COMPLETED (R120).
	Approval bool
}

// MappedEmployee says which employee of the QMS a learner of an LMS is. It is personal data.
type MappedEmployee struct {
	Tenant string
	// Source is "" for every source of the tenant.
	Source string
	// Kind says what Value is: "id", "external_id", "username" or "email"; an e-mail address is in lower case.
	Kind, Value string
	EmployeeID  string
}

// CourseKinds are the kinds of a course's keys, the surest one first: titles are edited.
func CourseKinds() []string { return []string{"id", "code", "title"} }

// EmployeeKinds are those of a learner's keys: people change their e-mail addresses.
func EmployeeKinds() []string { return []string{"id", "external_id", "username", "email"} }

// keyed is a value that may stand in a map, of a kind.
type keyed struct{ kind, value string }

func (k keyed) missing() bool { return k.value == "" }

// CourseTraining finds the imported mapping of a course: one for this source before one for all, and an id before a
// code before a title. ErrNotFound if there is none.
func (j *Journal) CourseTraining(ctx context.Context, tenant, source string, c training.Course) (MappedCourse, error) {
	found, err := mapped(ctx, j, func(row scanner) (MappedCourse, string, error) {
		m := MappedCourse{Tenant: tenant}
		err := row.Scan(&m.Source, &m.Kind, &m.Value, &m.Training, &m.Approval)
		return m, m.Source + "\x00" + m.Kind, err
	}, `SELECT source, kind, value, training, approval FROM course_map`, tenant, source,
		[]keyed{{"id", c.ID}, {"code", c.Code}, {"title", c.Title}})
	if err != nil && !errors.Is(err, ErrNotFound) {
		return MappedCourse{}, fmt.Errorf("find mapping of a course: %w", err)
	}
	return found, err
}

// EmployeeOf finds the employee id that an import gives a learner, by the same order; ErrNotFound if there is none.
func (j *Journal) EmployeeOf(ctx context.Context, tenant, source string, l training.Learner) (string, error) {
	found, err := mapped(ctx, j, func(row scanner) (MappedEmployee, string, error) {
		m := MappedEmployee{Tenant: tenant}
		err := row.Scan(&m.Source, &m.Kind, &m.EmployeeID)
		return m, m.Source + "\x00" + m.Kind, err
	}, `SELECT source, kind, employee_id FROM employee_map`, tenant, source,
		[]keyed{{"id", l.ID}, {"external_id", l.ExternalID}, {"username", l.Username}, {"email", strings.ToLower(l.Email)}})
	if err != nil && !errors.Is(err, ErrNotFound) {
		return "", fmt.Errorf("find mapping of a learner: %w", err)
	}
	return found.EmployeeID, err
}

// mapped reads the rows of a map for any of the keys and returns the one that goes before the others. scan returns
// what row is of: its source and its kind.
func mapped[T any](ctx context.Context, j *Journal, scan func(scanner) (T, string, error), query, tenant, source string, keys []keyed) (T, error) {
	var none T
	var wanted []string
	args := []any{tenant, source}
	for _, k := range keys {
		if !k.missing() {
			wanted = append(wanted, "(kind = ? AND value = ?)")
			args = append(args, k.kind, k.value)
		}
	}
	if len(wanted) == 0 {
		return none, ErrNotFound
	}
	rows := map[string]T{}
	_, err := list(ctx, j, j.read, func(row scanner) (T, error) {
		found, of, err := scan(row)
		rows[of] = found
		return found, err
	}, query+` WHERE tenant = ? AND source IN (?, '') AND (`+strings.Join(wanted, " OR ")+`)`, args...)
	if err != nil {
		return none, err
	}
	for _, from := range []string{source, ""} {
		for _, k := range keys {
			if found, ok := rows[from+"\x00"+k.kind]; ok {
				return found, nil
			}
		}
	}
	return none, ErrNotFound
}
