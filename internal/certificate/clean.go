package certificate

import (
	"cmp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// zeroWidthNonJoiner and zeroWidthJoiner are the only format characters that are kept: Persian
// and the Indic scripts are misspelt without them.
const (
	zeroWidthNonJoiner = '\u200c'
	zeroWidthJoiner    = '\u200d'
)

// clean prepares a text for printing: composed (NFC), runs of white space as one space, and
// without control and format characters, among them the bidi overrides with which a name
// could rearrange the words around it.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == zeroWidthNonJoiner || r == zeroWidthJoiner:
			return r
		case unicode.In(r, unicode.Cc, unicode.Cf):
			return -1
		}
		return r
	}, text)
	return norm.NFC.String(strings.Join(strings.Fields(text), " "))
}

// cleaned is c with every text ready to print and the substitutes in place.
func (c Certificate) cleaned() Certificate {
	for _, text := range []*string{
		&c.Number, &c.TenantName, &c.Issuer, &c.LearnerName, &c.CourseTitle, &c.CourseCode, &c.RecordID,
	} {
		*text = clean(*text)
	}
	c.Issuer = cmp.Or(c.Issuer, c.TenantName)
	c.CourseTitle = cmp.Or(c.CourseTitle, c.CourseCode)
	c.CompletedAt = c.Precision.Truncate(c.CompletedAt)
	return c
}
