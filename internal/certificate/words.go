package certificate

import "countersign/internal/training"

// shownCode is the course code where it says more than the title.
func (c Certificate) shownCode() string {
	if c.CourseCode == c.CourseTitle {
		return ""
	}
	return c.CourseCode
}

// shownTenant is the tenant where the issuer is somebody else.
func (c Certificate) shownTenant() string {
	if c.TenantName == c.Issuer {
		return ""
	}
	return c.TenantName
}

// day is a date that reads the same on both sides of the Atlantic.
const day = "2 January 2006"

func (c Certificate) date() string {
	if c.Precision == training.PrecisionDay {
		return c.CompletedAt.Format(day)
	}
	return c.CompletedAt.Format(day + " at 15:04 UTC")
}

func (c Certificate) validUntil() string {
	if c.ExpiresAt == nil {
		return ""
	}
	return c.ExpiresAt.UTC().Format(day)
}

// score is the sentence about the result, "" when nothing is known. "Passed" is printed only
// where the LMS said it (R72).
func (c Certificate) score() string {
	var text string
	switch percent := c.Score.Percent(); {
	case !c.Score.Known():
	case percent == "":
		text = "Score " + c.Score.Raw
	case c.Score.Max == "100":
		text = "Score " + percent + " %"
	default:
		text = "Score " + c.Score.Raw + " of " + c.Score.Max + " (" + percent + " %)"
	}
	if c.Score.Passed == nil {
		return text
	}
	result := "Passed"
	if !*c.Score.Passed {
		result = "Not passed"
	}
	if text == "" {
		return result
	}
	return text + " · " + result
}
