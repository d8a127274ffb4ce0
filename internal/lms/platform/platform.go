// Package platform lists the LMS adapters of this build, by the names that settings use, and what else a
// source needs to know of its platform.
package platform

import (
	"maps"
	"slices"

	"countersign/internal/lms"
	"countersign/internal/lms/absorb"
	"countersign/internal/lms/adobe"
	"countersign/internal/lms/brightspace"
	"countersign/internal/lms/canonical"
	"countersign/internal/lms/cornerstone"
	"countersign/internal/lms/docebo"
	"countersign/internal/lms/learnupon"
	"countersign/internal/lms/lessonly"
	"countersign/internal/lms/talentlms"
)

type platform struct {
	adapter lms.Adapter
	// signatureHeaders may carry a signature over the body; none where the platform does not sign
	// or nobody knows the header.
	signatureHeaders []string
}

func platforms() map[string]platform {
	return map[string]platform{
		absorb.Platform:      {absorb.New(), absorb.SignatureHeaders()},
		adobe.Platform:       {adobe.New(), nil},
		brightspace.Platform: {brightspace.New(), nil},
		canonical.Platform:   {canonical.New(), canonical.SignatureHeaders()},
		cornerstone.Platform: {cornerstone.New(), nil},
		docebo.Platform:      {docebo.New(), nil},
		learnupon.Platform:   {learnupon.New(), learnupon.SignatureHeaders()},
		lessonly.Platform:    {lessonly.New(), nil},
		talentlms.Platform:   {talentlms.New(), nil},
	}
}

// Names lists the platforms in alphabetical order.
func Names() []string { return slices.Sorted(maps.Keys(platforms())) }

// Adapter returns the adapter of a platform.
func Adapter(name string) (lms.Adapter, bool) {
	p, ok := platforms()[name]
	return p.adapter, ok
}

// SignatureHeaders are the headers in which the platform signs its bodies, where a source names none
// (R27–R30); empty where the source must say.
func SignatureHeaders(name string) []string { return platforms()[name].signatureHeaders }
