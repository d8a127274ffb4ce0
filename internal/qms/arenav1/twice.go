package arenav1

import (
	"context"
	"slices"

	"countersign/internal/qms"
)

var _ qms.Filing = (*Client)(nil)

// Twice implements qms.Filing: a page is one plan of the settings' trainings, the cursor is the first training of the next.
// It costs one request per plan and 400 files, and one for a plan that is not remembered. A plan that is not there is left
// out; whoever completes its training hears of it.
func (c *Client) Twice(ctx context.Context, cursor string) (page []qms.Twice, next string, err error) {
	at, _ := slices.BinarySearch(c.cfg.Trainings, cursor) // settings may have changed since the last page
	if at == len(c.cfg.Trainings) {
		return nil, "", nil
	}
	ref, _ := splitTraining(c.cfg.Trainings[at])
	for _, other := range c.cfg.Trainings[at:] {
		if plan, _ := splitTraining(other); plan != ref { // its items share its files
			next = other
			break
		}
	}
	p, err := c.planAt(ctx, ref)
	if unmapped(err) {
		return nil, next, nil
	}
	if err != nil {
		return nil, "", err
	}
	files, err := c.files(ctx, p, ref)
	if err != nil {
		return nil, "", err
	}
	byName := map[string][]string{}
	var names []string
	for _, f := range files {
		if byName[f.File.Name] == nil {
			names = append(names, f.File.Name)
		}
		byName[f.File.Name] = append(byName[f.File.Name], f.GUID)
	}
	slices.Sort(names)
	for _, name := range names {
		if len(byName[name]) > 1 && name != "" {
			page = append(page, qms.Twice{TrainingID: ref, Name: name, Files: byName[name]})
		}
	}
	return page, next, nil
}
