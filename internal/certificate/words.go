package certificate

import "countersign/internal/training"

// phrases are the words that make the page what it is.
type phrases struct {
	title, opening, closing, number string
	// note stands below the score, "" for none.
	note string
}

func (c Certificate) phrases() phrases {
	if c.Report {
		return phrases{
			title: "Report of a Completion", opening: "The learning management system reports that",
			closing: "has finished the course", number: "Report number",
			note: "This report is no certificate. The training is complete when the trainee has signed it in the quality system.",
		}
	}
	return phrases{
		title: "Certificate of Completion", opening: "This certifies that",
		closing: "has completed the training", number: "Certificate number",
	}
}

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
