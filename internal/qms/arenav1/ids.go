package arenav1

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
)

// Arena has no single record of a training: one enrollment is one record for each item and revision. So
// ids are made here, of what Arena has, and can be read by people:
//
//	training   TRP-000012               every item of the plan
//	           TRP-000012/020-00004     one of its items
//	record     TRP-000012@5f1c0be49a7d2e63, the training and a digest of the user's GUID
//
// It is a digest because ids of records stand in logs and in Temporal, where no employee id may stand.
//
// A plan stands there by its number or its GUID, an item by its number (the same in every revision) or
// its GUID (one revision), as the tenant's courses have it.

// TrainingID is the training of a plan, or of one item of it; item is "" for all.
func TrainingID(plan, item string) string {
	if item == "" {
		return plan
	}
	return plan + "/" + item
}

// splitTraining is the inverse of TrainingID.
func splitTraining(id string) (plan, item string) {
	plan, item, _ = strings.Cut(id, "/")
	return plan, item
}

func recordID(trainingID, trainee string) string { return trainingID + "@" + trainee }

// splitRecord is the inverse of recordID.
func splitRecord(id string) (trainingID, trainee string, ok bool) {
	at := strings.LastIndex(id, "@")
	if at <= 0 || !digestPattern.MatchString(id[at+1:]) {
		return "", "", false
	}
	return id[:at], id[at+1:], true
}

// digest stands for a user in the id of a record: 64 bits, so that two users of a workspace share one
// with a probability below 1 in 10^8 even where there are half a million.
func digest(userGUID string) string {
	sum := sha256.Sum256([]byte(userGUID))
	return hex.EncodeToString(sum[:8])
}

var digestPattern = regexp.MustCompile(`^[0-9a-f]{16}$`)

// guidPattern is a GUID of Arena: capitals and digits, mostly 20. Numbers of plans have a hyphen.
var guidPattern = regexp.MustCompile(`^[A-Z0-9]{8,40}$`)

func guid(text string) bool { return guidPattern.MatchString(text) }
