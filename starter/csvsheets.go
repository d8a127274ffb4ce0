package main

import (
	"slices"
	"strconv"
	"strings"

	"countersign/internal/csvtable"
	"countersign/internal/journal"
	"countersign/internal/settings"
)

// linkSheet is which training record belongs to which enrollment (R97).
func linkSheet() rowsOf[journal.Link] {
	return rowsOf[journal.Link]{
		columns: []csvtable.Column{
			{Name: "source"}, {Name: "enrollment_id", Optional: true}, {Name: "learner", Optional: true}, {Name: "course", Optional: true},
			{Name: "employee_id"}, {Name: "record_id"},
		},
		cells: func(l journal.Link) []string {
			return []string{l.Source, l.EnrollmentID, l.LearnerKey, l.CourseKey, l.EmployeeID, l.RecordID}
		},
		read: readLink,
		key: func(l journal.Link) string {
			if l.EnrollmentID != "" {
				return l.Source + "\x00" + l.EnrollmentID
			}
			return l.Source + "\x00\x00" + l.LearnerKey + "\x00" + l.CourseKey
		},
		each: (*journal.Journal).EachLink, put: (*journal.Import).Links, removeOthers: (*journal.Import).RemoveOtherLinks,
	}
}

func readLink(tenant settings.Tenant, cells []string) (l journal.Link, column, problem string) {
	l = journal.Link{
		Tenant: tenant.ID, Source: cells[0], EnrollmentID: cells[1], LearnerKey: cells[2], CourseKey: cells[3],
		EmployeeID: cells[4], RecordID: cells[5],
	}
	if problem := knownSource(tenant, l.Source); problem != "" {
		return l, "source", problem
	}
	if kind, address, ok := strings.Cut(l.LearnerKey, ":"); ok && kind == "email" {
		l.LearnerKey = kind + ":" + strings.ToLower(address) // as a learner's key has it
	}
	bare := l.EnrollmentID == ""
	switch {
	case !keyed(l.LearnerKey, bare, "id", "externalId", "username", "email"):
		return l, "learner", "must be id:, externalId:, username: or email: and what follows it; without an enrollment_id it is needed"
	case !keyed(l.CourseKey, bare, "id", "code", "title"):
		return l, "course", "must be id:, code: or title: and what follows it; without an enrollment_id it is needed"
	case l.EmployeeID == "":
		return l, "employee_id", "is required"
	case l.RecordID == "":
		return l, "record_id", "is required"
	}
	return l, "", ""
}

// keyed reports whether text is a key of one of the kinds, or nothing where it is not needed.
func keyed(text string, needed bool, kinds ...string) bool {
	if text == "" {
		return !needed
	}
	kind, value, ok := strings.Cut(text, ":")
	return ok && value != "" && slices.Contains(kinds, kind)
}

// courseSheet is which training of the QMS a course of an LMS is.
func courseSheet() rowsOf[journal.MappedCourse] {
	return rowsOf[journal.MappedCourse]{
		columns: []csvtable.Column{
			{Name: "source", Optional: true}, {Name: "key"}, {Name: "value"}, {Name: "training"}, {Name: "approval", Optional: true},
		},
		cells: func(m journal.MappedCourse) []string {
			return []string{m.Source, m.Kind, m.Value, m.Training, strconv.FormatBool(m.Approval)}
		},
		read: func(tenant settings.Tenant, cells []string) (m journal.MappedCourse, column, problem string) {
			m = journal.MappedCourse{Tenant: tenant.ID, Source: cells[0], Kind: cells[1], Value: cells[2], Training: cells[3]}
			if column, problem := mapped(tenant, m.Source, m.Kind, m.Value, journal.CourseKinds()); problem != "" {
				return m, column, problem
			}
			if m.Training == "" {
				return m, "training", "is required"
			}
			switch strings.ToLower(cells[4]) { // a spreadsheet writes TRUE
			case "true":
				m.Approval = true
			case "", "false":
			default:
				return m, "approval", "must be true or false"
			}
			return m, "", ""
		},
		key:  func(m journal.MappedCourse) string { return m.Source + "\x00" + m.Kind + "\x00" + m.Value },
		each: (*journal.Journal).EachCourse, put: (*journal.Import).Courses, removeOthers: (*journal.Import).RemoveOtherCourses,
	}
}

// employeeSheet is which employee of the QMS a learner of an LMS is.
func employeeSheet() rowsOf[journal.MappedEmployee] {
	return rowsOf[journal.MappedEmployee]{
		columns: []csvtable.Column{{Name: "source", Optional: true}, {Name: "key"}, {Name: "value"}, {Name: "employee_id"}},
		cells: func(m journal.MappedEmployee) []string {
			return []string{m.Source, m.Kind, m.Value, m.EmployeeID}
		},
		read: func(tenant settings.Tenant, cells []string) (m journal.MappedEmployee, column, problem string) {
			m = journal.MappedEmployee{Tenant: tenant.ID, Source: cells[0], Kind: cells[1], Value: cells[2], EmployeeID: cells[3]}
			if column, problem := mapped(tenant, m.Source, m.Kind, m.Value, journal.EmployeeKinds()); problem != "" {
				return m, column, problem
			}
			if m.EmployeeID == "" {
				return m, "employee_id", "is required"
			}
			if m.Kind == "email" {
				m.Value = strings.ToLower(m.Value)
			}
			return m, "", ""
		},
		key:  func(m journal.MappedEmployee) string { return m.Source + "\x00" + m.Kind + "\x00" + m.Value },
		each: (*journal.Journal).EachEmployee, put: (*journal.Import).Employees, removeOthers: (*journal.Import).RemoveOtherEmployees,
	}
}

// mapped checks what courses and employees have in common. An empty source is every source.
func mapped(tenant settings.Tenant, source, kind, value string, kinds []string) (column, problem string) {
	switch {
	case source != "" && knownSource(tenant, source) != "":
		return "source", knownSource(tenant, source)
	case !slices.Contains(kinds, kind):
		return "key", oneOf(kinds)
	case value == "":
		return "value", "is required"
	}
	return "", ""
}
