package journal

import (
	"context"
	"fmt"
	"strconv"
)

// The tables that are exported and imported. A link with an enrollment's id is known by it, one without by learner
// and course, as PutLink knows them.
func linksByEnrollment() importTable {
	return importTable{
		name: "links", key: []string{"source", "enrollment_id"}, where: "enrollment_id <> ''", dated: true,
		value: []string{"learner_key", "course_key", "employee_id", "record_id"},
	}
}

func linksByLearner() importTable {
	return importTable{
		name: "links", key: []string{"source", "learner_key", "course_key"}, where: "enrollment_id = ''", dated: true,
		value: []string{"enrollment_id", "employee_id", "record_id"},
	}
}

func courseTable() importTable {
	return importTable{name: "course_map", key: []string{"source", "kind", "value"}, value: []string{"training", "approval"}}
}

func employeeTable() importTable {
	return importTable{name: "employee_map", key: []string{"source", "kind", "value"}, value: []string{"employee_id"}}
}

// Links puts links of the import's tenant; no two of them are for the same enrollment, or learner and course.
func (i *Import) Links(ctx context.Context, links []Link) error {
	var with, without [][]string
	for _, l := range links {
		if l.EnrollmentID != "" {
			with = append(with, []string{l.Source, l.EnrollmentID, l.LearnerKey, l.CourseKey, l.EmployeeID, l.RecordID})
			continue
		}
		without = append(without, []string{l.Source, l.LearnerKey, l.CourseKey, "", l.EmployeeID, l.RecordID})
	}
	if err := i.put(ctx, linksByEnrollment(), with); err != nil {
		return err
	}
	return i.put(ctx, linksByLearner(), without)
}

// Courses puts course mappings; no two of them have the same source, kind and value.
func (i *Import) Courses(ctx context.Context, courses []MappedCourse) error {
	rows := make([][]string, len(courses))
	for n, c := range courses {
		rows[n] = []string{c.Source, c.Kind, c.Value, c.Training, strconv.FormatBool(c.Approval)}
	}
	return i.put(ctx, courseTable(), rows)
}

// Employees puts employee mappings; no two of them have the same source, kind and value.
func (i *Import) Employees(ctx context.Context, employees []MappedEmployee) error {
	rows := make([][]string, len(employees))
	for n, e := range employees {
		rows[n] = []string{e.Source, e.Kind, e.Value, e.EmployeeID}
	}
	return i.put(ctx, employeeTable(), rows)
}

// RemoveOtherLinks removes the links that keep does not know. Only what a link is known by is filled in.
func (i *Import) RemoveOtherLinks(ctx context.Context, keep func(Link) bool) error {
	err := i.removeOthers(ctx, linksByEnrollment(), func(key []string) bool {
		return keep(Link{Tenant: i.tenant, Source: key[0], EnrollmentID: key[1]})
	})
	if err != nil {
		return err
	}
	return i.removeOthers(ctx, linksByLearner(), func(key []string) bool {
		return keep(Link{Tenant: i.tenant, Source: key[0], LearnerKey: key[1], CourseKey: key[2]})
	})
}

// RemoveOtherCourses is RemoveOtherLinks for courses.
func (i *Import) RemoveOtherCourses(ctx context.Context, keep func(MappedCourse) bool) error {
	return i.removeOthers(ctx, courseTable(), func(key []string) bool {
		return keep(MappedCourse{Tenant: i.tenant, Source: key[0], Kind: key[1], Value: key[2]})
	})
}

// RemoveOtherEmployees is RemoveOtherLinks for employees.
func (i *Import) RemoveOtherEmployees(ctx context.Context, keep func(MappedEmployee) bool) error {
	return i.removeOthers(ctx, employeeTable(), func(key []string) bool {
		return keep(MappedEmployee{Tenant: i.tenant, Source: key[0], Kind: key[1], Value: key[2]})
	})
}

// EachLink calls each for every link of a tenant, in the order of their keys, and holds one at a time. An error of each
// ends it and is returned.
func (j *Journal) EachLink(ctx context.Context, tenant string, each func(Link) error) error {
	return stream(ctx, j, scanLink, each, `SELECT tenant, source, enrollment_id, learner_key, course_key, employee_id, record_id
		FROM links WHERE tenant = ? ORDER BY source, enrollment_id, learner_key, course_key`, tenant)
}

// EachCourse is EachLink for mappings of courses.
func (j *Journal) EachCourse(ctx context.Context, tenant string, each func(MappedCourse) error) error {
	return stream(ctx, j, func(row scanner) (MappedCourse, error) {
		var m MappedCourse
		err := row.Scan(&m.Tenant, &m.Source, &m.Kind, &m.Value, &m.Training, &m.Approval)
		return m, err
	}, each, `SELECT tenant, source, kind, value, training, approval FROM course_map WHERE tenant = ? ORDER BY source, kind, value`, tenant)
}

// EachEmployee is EachLink for mappings of employees.
func (j *Journal) EachEmployee(ctx context.Context, tenant string, each func(MappedEmployee) error) error {
	return stream(ctx, j, func(row scanner) (MappedEmployee, error) {
		var m MappedEmployee
		err := row.Scan(&m.Tenant, &m.Source, &m.Kind, &m.Value, &m.EmployeeID)
		return m, err
	}, each, `SELECT tenant, source, kind, value, employee_id FROM employee_map WHERE tenant = ? ORDER BY source, kind, value`, tenant)
}

// stream runs a query and hands every row on as it comes.
func stream[T any](ctx context.Context, j *Journal, scan func(scanner) (T, error), each func(T) error, query string, args ...any) error {
	rows, err := j.read.QueryContext(ctx, j.dialect.rebind(query), args...)
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		row, err := scan(rows)
		if err != nil {
			return fmt.Errorf("export: %w", err)
		}
		if err := each(row); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return nil
}
