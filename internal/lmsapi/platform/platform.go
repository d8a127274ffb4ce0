// Package platform lists the LMS platforms whose REST API this build speaks: what each needs, and how its client is
// made. Settings are checked and documents written against this list.
package platform

import (
	"maps"
	"slices"

	"countersign/internal/lmsapi"
	"countersign/internal/lmsapi/absorb"
	"countersign/internal/lmsapi/adobe"
	"countersign/internal/lmsapi/canvas"
	"countersign/internal/lmsapi/cornerstone"
	"countersign/internal/lmsapi/docebo"
	"countersign/internal/lmsapi/learnupon"
	"countersign/internal/lmsapi/moodle"
	"countersign/internal/lmsapi/rest"
	"countersign/internal/lmsapi/talentlms"
)

// Platform is one of them.
type Platform struct {
	// Manner says which credentials it takes, and the budget it gives.
	Manner rest.Manner
	// New makes a client. It calls nobody.
	New func(rest.Config) (lmsapi.Client, error)
}

// Find returns the platform of that name, as settings and internal/lms call it.
func Find(name string) (Platform, bool) {
	p, ok := all()[name]
	return p, ok
}

// Names lists all of them, sorted.
func Names() []string { return slices.Sorted(maps.Keys(all())) }

func all() map[string]Platform {
	platforms := map[string]Platform{}
	for _, p := range []Platform{
		{absorb.Manner(), client(absorb.New)},
		{adobe.Manner(), client(adobe.New)},
		{canvas.Manner(), client(canvas.New)},
		{cornerstone.Manner(), client(cornerstone.New)},
		{docebo.Manner(), client(docebo.New)},
		{learnupon.Manner(), client(learnupon.New)},
		{moodle.Manner(), client(moodle.New)},
		{talentlms.Manner(), client(talentlms.New)},
	} {
		platforms[p.Manner.Platform] = p
	}
	return platforms
}

// client is a constructor as the port wants it: a nil of a type is no nil client.
func client[C lmsapi.Client](build func(rest.Config) (C, error)) func(rest.Config) (lmsapi.Client, error) {
	return func(cfg rest.Config) (lmsapi.Client, error) {
		c, err := build(cfg)
		if err != nil {
			return nil, err
		}
		return c, nil
	}
}
