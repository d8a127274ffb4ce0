package ingress

import (
	"countersign/internal/lms"
	"countersign/internal/training"
)

// unwanted is why an enrollment is ignored where the tenant wants none.
const unwanted = "an enrollment, which the tenant's policy ignores"

// withoutEnrollments is what a delivery holds for a tenant that wants no enrollments: none of them is an enrollment,
// and none of them a problem that somebody would have to look at.
func withoutEnrollments(decoded lms.Decoded) lms.Decoded {
	for _, e := range decoded.Enrollments {
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Event: e.Event, Reason: unwanted})
	}
	decoded.Enrollments = nil
	var problems []lms.Problem
	for _, p := range decoded.Problems {
		if p.Enrollment {
			decoded.Ignored = append(decoded.Ignored, lms.Ignored{Event: p.Event, Reason: unwanted})
			continue
		}
		problems = append(problems, p)
	}
	decoded.Problems = problems
	return decoded
}

// enroll gives the enrollments their tenant and source, as adopt does with completions.
func (r *Result) enroll(source Source, enrollments []training.Enrollment) {
	for _, e := range enrollments {
		e.Tenant, e.Source = source.Tenant, source.ID
		if err := e.Validate(); err != nil {
			r.Problems = append(r.Problems, lms.Problem{Event: e.Event, EventID: e.EventID, Reason: err.Error(), Enrollment: true})
			continue
		}
		r.Enrollments = append(r.Enrollments, e)
	}
}
