package ingress

import (
	"countersign/internal/lms"
)

// Source is one LMS connection of a tenant, ready to use.
type Source struct {
	Tenant, ID, Platform string

	Adapter  lms.Adapter
	Verifier lms.Verifier

	// Transport is what the platform's deliveries may be besides JSON at the source's own URL.
	Transport lms.Transport
	// PathToken says that the segment of the URL right behind the source is a credential. It goes to
	// the Verifier and nowhere else: log and journal have "redacted" in its place.
	PathToken bool
	// Unproven says that the source takes requests from anybody, as only one in test mode may: no rehearsal of
	// it asks the QMS, or anybody could look up employees and records.
	Unproven bool
	// TestMode keeps deliveries with the verdict test instead of handing their completions on, and
	// answers with what was read (R192, R211).
	TestMode bool
	// Enrollments says that the tenant wants the enrollments that the source reports (R98); without it they
	// are ignored.
	Enrollments bool
	// Explain decodes like Adapter and says beside it how each field was read: a list, or nil. Only the
	// rehearsal asks for it; nil leaves the explanation out.
	Explain func(r lms.Request) (lms.Decoded, any, error)

	// RateLimit is how many requests a second are taken, with Burst at once. It is applied
	// before the signature is checked, so it bounds what a stranger can cost, and must leave
	// room for the LMS's own spikes (R18). 0 means 200 a second, 2000 at once.
	//
	// All sources of a tenant together have four times that default, or what the most generous of
	// them has alone where that is more.
	RateLimit float64
	Burst     int
}

// Sources finds sources. It is safe for concurrent use.
type Sources interface {
	// Source finds by the path (R162).
	Source(tenant, id string) (Source, bool)
	// ByDomain finds by the envelope's original_domain, given in lower case (R162).
	ByDomain(domain string) (Source, bool)
}
