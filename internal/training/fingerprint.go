package training

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"
)

// Fingerprint is the identity of a completion: the journal's unique key and the
// Temporal workflow id. It is 64 lower-case hexadecimal digits: the SHA-256
// over tenant, source, learner, course and completion instant (R90, R91).
//
//   - The encoding is injective: every field is preceded by its length, so
//     ("ab","c") and ("a","bc") differ, and an id says which kind of id it is.
//   - The instant is taken in UTC to the millisecond; one instant written in two
//     time zones is one. Where the sender states only a day, the day is taken, and
//     is another identity than midnight of that day.
//   - A later completion of the same course is another fingerprint (R91).
type Fingerprint string

// fingerprintVersion is hashed first, so that another rule can never collide with this one.
const fingerprintVersion = "countersign/fingerprint/v1"

// instantLayout is how an instant is hashed: in UTC, to the millisecond.
const instantLayout = "2006-01-02T15:04:05.000Z"

// Fingerprint computes the identity of c.
func (c Completion) Fingerprint() Fingerprint {
	learnerKind, learner := c.Learner.key()
	courseKind, course := c.Course.key()
	h := sha256.New()
	var length [8]byte
	for _, field := range []string{
		fingerprintVersion, c.Tenant, c.Source, learnerKind, learner, courseKind, course,
		string(c.Precision), c.instant(),
	} {
		binary.BigEndian.PutUint64(length[:], uint64(len(field)))
		h.Write(length[:])
		h.Write([]byte(field))
	}
	return Fingerprint(hex.EncodeToString(h.Sum(nil)))
}

func (c Completion) instant() string {
	t := c.Precision.Truncate(c.CompletedAt)
	if c.Precision == PrecisionDay {
		return t.Format(time.DateOnly)
	}
	return t.Format(instantLayout)
}

// ParseFingerprint checks that text is a fingerprint.
func ParseFingerprint(text string) (Fingerprint, error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != sha256.Size || hex.EncodeToString(raw) != text {
		return "", fmt.Errorf("fingerprint: want %d lower-case hexadecimal digits", 2*sha256.Size)
	}
	return Fingerprint(text), nil
}

// Short is the first 12 digits, for people to read aloud; never a key.
func (f Fingerprint) Short() string {
	if len(f) < 12 {
		return string(f)
	}
	return string(f[:12])
}
