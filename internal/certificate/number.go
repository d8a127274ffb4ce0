package certificate

import (
	"encoding/base32"
	"slices"
	"strings"

	"github.com/google/uuid"

	"countersign/internal/training"
)

// crockford is Crockford's base 32: no I, L, O or U, so that a number can be read aloud and
// typed in again. https://www.crockford.com/base32.html
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// Number derives the certificate's number from the completion, so that every drawing of the
// same completion carries the same one. It is the UUIDv5 of the fingerprint in our namespace,
// without the six bits that are the same in every such UUID, shortened to 80 bits and written
// as "CS-XXXX-XXXX-XXXX-XXXX" in Crockford's base 32. The tenant is inside the fingerprint.
//
// Two certificates among ten million share a number with a probability below 1 in 10^10. A
// number is a name and no secret: who knows a completion can compute it.
func Number(fp training.Fingerprint) string { return "CS-" + digits(fp) }

// ReportNumber is the number of the report of the same completion: the same digits behind "EV-".
func ReportNumber(fp training.Fingerprint) string { return "EV-" + digits(fp) }

func digits(fp training.Fingerprint) string {
	namespace := uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://countersign.dev/certificate"))
	id := uuid.NewSHA1(namespace, []byte(fp))

	// Bytes 6 and 8 hold version and variant (RFC 9562, 5.5).
	var key [10]byte
	copy(key[0:6], id[0:6])
	key[6] = id[7]
	copy(key[7:10], id[9:12])

	text := base32.NewEncoding(crockford).WithPadding(base32.NoPadding).EncodeToString(key[:])
	return text[0:4] + "-" + text[4:8] + "-" + text[8:12] + "-" + text[12:16]
}

// Numbered reports whether text is the number of a certificate or of a report, as far as its form tells.
func Numbered(text string) bool {
	body, ok := strings.CutPrefix(text, "CS-")
	if !ok {
		body, ok = strings.CutPrefix(text, "EV-")
	}
	groups := strings.Split(body, "-")
	return ok && len(groups) == 4 && !slices.ContainsFunc(groups, func(group string) bool {
		return len(group) != 4 || strings.Trim(group, crockford) != ""
	})
}
