// Package platform lists the LMS adapters of this build, by the names that settings use, and what else a
// source needs to know of its platform.
package platform

import (
	"maps"
	"slices"

	"countersign/internal/lms"
	"countersign/internal/lms/absorb"
	"countersign/internal/lms/activate"
	"countersign/internal/lms/adobe"
	"countersign/internal/lms/axis"
	"countersign/internal/lms/brightspace"
	"countersign/internal/lms/canonical"
	"countersign/internal/lms/canvas"
	"countersign/internal/lms/cornerstone"
	"countersign/internal/lms/docebo"
	"countersign/internal/lms/generic"
	"countersign/internal/lms/learnupon"
	"countersign/internal/lms/lessonly"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/moodle"
	"countersign/internal/lms/successfactors"
	"countersign/internal/lms/talentlms"
)

// Platform is an LMS as a source needs it.
type Platform struct {
	// New builds the adapter with a tenant's mapping, or with the default one for nil.
	New func(*mapping.Mapping) lms.Adapter
	// DefaultMapping is the adapter's own mapping, which a tenant's overrides.
	DefaultMapping func() *mapping.Mapping
	// SignatureHeaders may carry a signature over the body; none where the platform does not sign
	// or nobody knows the header (R27-R30).
	SignatureHeaders []string
	// AccountClaim is the JSON pointer of the claim that names the customer, where the vendor signs for all
	// its customers with the same keys: a good signature does not say whose delivery it is (law 6).
	AccountClaim string
	// Transport says in what the platform's deliveries differ from one JSON body.
	Transport lms.Transport
}

// of makes a Platform of an adapter's constructor.
func of[A lms.Adapter](build func(*mapping.Mapping) A, defaults func() *mapping.Mapping) Platform {
	return Platform{New: func(m *mapping.Mapping) lms.Adapter { return build(m) }, DefaultMapping: defaults}
}

// Mapping is the default mapping with a tenant's own over it; nil leaves it as it is. The error joins
// every *mapping.Mistake.
func (p Platform) Mapping(own *mapping.Definition) (*mapping.Mapping, error) {
	if own == nil {
		return p.DefaultMapping(), nil
	}
	return p.DefaultMapping().Override(*own)
}

func (p Platform) signing(headers []string) Platform {
	p.SignatureHeaders = headers
	return p
}

func (p Platform) ofAccount(claim string) Platform {
	p.AccountClaim = claim
	return p
}

func (p Platform) over(t lms.Transport) Platform {
	p.Transport = t
	return p
}

func platforms() map[string]Platform {
	return map[string]Platform{
		absorb.Platform:         of(absorb.New, absorb.DefaultMapping).signing(absorb.SignatureHeaders()),
		activate.Platform:       of(activate.New, activate.DefaultMapping).over(activate.Transport()),
		adobe.Platform:          of(adobe.New, adobe.DefaultMapping),
		axis.Platform:           of(axis.New, axis.DefaultMapping).over(axis.Transport()),
		brightspace.Platform:    of(brightspace.New, brightspace.DefaultMapping).over(brightspace.Transport()),
		canonical.Platform:      of(canonical.New, canonical.DefaultMapping).signing(canonical.SignatureHeaders()),
		canvas.Platform:         of(canvas.New, canvas.DefaultMapping).over(canvas.Transport()).ofAccount(canvas.AccountClaim),
		cornerstone.Platform:    of(cornerstone.New, cornerstone.DefaultMapping).over(cornerstone.Transport()),
		docebo.Platform:         of(docebo.New, docebo.DefaultMapping),
		generic.Platform:        of(generic.New, generic.DefaultMapping).over(generic.Transport()),
		learnupon.Platform:      of(learnupon.New, learnupon.DefaultMapping).signing(learnupon.SignatureHeaders()),
		lessonly.Platform:       of(lessonly.New, lessonly.DefaultMapping).over(lessonly.Transport()),
		moodle.Platform:         of(moodle.New, moodle.DefaultMapping).over(moodle.Transport()),
		successfactors.Platform: of(successfactors.New, successfactors.DefaultMapping).over(successfactors.Transport()),
		talentlms.Platform:      of(talentlms.New, talentlms.DefaultMapping),
	}
}

// Names lists the platforms in alphabetical order.
func Names() []string { return slices.Sorted(maps.Keys(platforms())) }

// Find returns a platform by its name.
func Find(name string) (Platform, bool) {
	p, ok := platforms()[name]
	return p, ok
}

// Adapter returns the adapter of a platform with its default mapping.
func Adapter(name string) (lms.Adapter, bool) {
	p, ok := Find(name)
	if !ok {
		return nil, false
	}
	return p.New(nil), true
}

// SignatureHeaders are the headers in which the platform signs its bodies, where a source names none
// (R27-R30); empty where the source must say.
func SignatureHeaders(name string) []string { return platforms()[name].SignatureHeaders }
