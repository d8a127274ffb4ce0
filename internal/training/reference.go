package training

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// The references of training records that Countersign creates (R98) are 47 characters of ASCII:
// which identity they stand for, and half a SHA-256 in hexadecimal digits. They are hashes because
// a learner's id may be an e-mail address, which has no place in a reference, and because a QMS may
// bound their length; which bound is UNKNOWN.
const (
	enrollmentRef = "lms:enrollment:"
	completionRef = "lms:completion:"
	// refVersion is hashed first, so that another rule can never collide with this one.
	refVersion = "countersign/enrollment-ref/v1"
)

// EnrollmentRef is the reference of the record that belongs to an enrollment: of this learner in
// this course, because some platforms use one enrollment id for several of either. It is the same
// for the event that announces the enrollment and for the one that completes it.
func EnrollmentRef(tenant, source, enrollmentID string, learner Learner, course Course) string {
	h := sha256.New()
	var length [8]byte
	for _, field := range []string{refVersion, tenant, source, enrollmentID, learner.Key(), course.Key()} {
		binary.BigEndian.PutUint64(length[:], uint64(len(field)))
		h.Write(length[:])
		h.Write([]byte(field))
	}
	return enrollmentRef + hex.EncodeToString(h.Sum(nil)[:16])
}

// ExternalRef is the reference under which a record is created for c: its enrollment's, else, where
// the LMS sends none, that of its own fingerprint. The same completion has the same reference
// however often it comes, so its record is created once.
func (c Completion) ExternalRef() string {
	if c.EnrollmentID != "" {
		return EnrollmentRef(c.Tenant, c.Source, c.EnrollmentID, c.Learner, c.Course)
	}
	return completionRef + string(c.Fingerprint())[:32]
}
