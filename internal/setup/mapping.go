package setup

import (
	"strconv"
	"strings"

	"countersign/internal/lms/mapping"
)

// MappingRow is one row of a platform's own mapping: which field is read where, and what is made of it.
type MappingRow struct {
	Target    string
	Path      string
	Transform string
}

// Rows are the fields of a mapping, in the order in which people read about a completion.
func Rows(d mapping.Definition) []MappingRow {
	var rows []MappingRow
	for _, target := range mapping.Targets() {
		field, read := d.Fields[target]
		if !read || field.Omit {
			continue
		}
		row := MappingRow{Target: string(target), Transform: field.Transform}
		if field.Const != nil {
			row.Path = "the text " + strconv.Quote(*field.Const)
		} else {
			row.Path = strings.Join(append([]string{field.Path}, field.Else...), ", else ")
		}
		rows = append(rows, row)
	}
	return rows
}
