package doctor

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"countersign/internal/settings"
)

// mappedCourse is a training of the QMS and the courses that lead to it.
type mappedCourse struct {
	training string
	courses  []string // what people call them
	approval bool     // at least one of them asks for an approval
}

// mappedCourses are a tenant's mappings by training, in the order of the settings.
func mappedCourses(t settings.Tenant) []mappedCourse {
	var all []mappedCourse
	at := map[string]int{}
	for _, c := range t.Courses {
		i, ok := at[c.Training]
		if !ok {
			i = len(all)
			at[c.Training] = i
			all = append(all, mappedCourse{training: c.Training})
		}
		all[i].courses = append(all[i].courses, cmp.Or(c.Code, c.ID, c.Title))
		all[i].approval = all[i].approval || c.Approval
	}
	return all
}

// nothingLeft is why nobody is asked for.
const nothingLeft = "not asked for: the budget of the day is nearly used"

// trainings checks that the QMS has what courses are mapped to (R110).
func (q quality) trainings(ctx context.Context) []Finding {
	const check = "qms.courses"
	asker, ok := q.client.(Trainings)
	switch {
	case len(q.courses) == 0:
		return []Finding{unfit(Note, check, "no course is mapped", "map courses, or let unmapped_courses: same_code pass their codes on")}
	case !ok:
		return []Finding{unfit(Note, check, fmt.Sprintf("this QMS cannot be asked whether the %s exist", plural(len(q.courses), "mapped training")), "")}
	case q.most == 0:
		return []Finding{unfit(Note, check, nothingLeft, "")}
	}
	var found []Finding
	asked, unsure := 0, 0
	for _, course := range q.courses[:min(q.most, len(q.courses))] {
		known, approval, err := asker.Training(ctx, course.training)
		if err != nil {
			found = append(found, unfit(Warning, check, fmt.Sprintf("after %d of %d trainings the QMS gave no answer: %s", asked, len(q.courses), said(err)), accountFix(err)))
			break
		}
		asked++
		switch {
		case !known:
			found = append(found, unfit(Error, check, fmt.Sprintf("the QMS has no such training; completions of %s would wait for a person", some(course.courses)),
				"correct courses[].training in the settings, or have the training created in the QMS").about(course.training))
		case approval == nil:
			unsure++
		case course.approval && !*approval:
			found = append(found, unfit(Error, check, fmt.Sprintf("the settings ask for an approval of %s, and the training's workflow has none: the QMS refuses that", some(course.courses)),
				"take approval: true away, or have the workflow changed in the QMS").about(course.training))
		case !course.approval && *approval:
			found = append(found, unfit(Note, check, fmt.Sprintf("the training's workflow wants an approval, which the settings of %s do not say; the record itself decides", some(course.courses)),
				"").about(course.training))
		}
	}
	if len(found) == 0 {
		text := fmt.Sprintf("%d of %s exist in the QMS", asked, plural(len(q.courses), "mapped training"))
		if unsure > 0 {
			text += fmt.Sprintf("; whether %d of them want an approval is not said", unsure)
		}
		found = append(found, fine(check, "%s", text))
	}
	if left := len(q.courses) - asked; left > 0 && asked == q.most {
		found = append(found, unfit(Note, check, fmt.Sprintf("%d more mapped trainings were not asked for, to spare the budget", left), "-sample asks for more"))
	}
	return found
}

// some lists the first names of many.
func some(names []string) string {
	const most = 3
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
}
