package talentlms

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// DefaultMapping is what every source without a mapping of its own is read with. Older portals send texts, newer
// ones numbers; both are read.
func DefaultMapping() *mapping.Mapping {
	return mapping.MustCompile(Platform, mapping.Definition{Version: "1", Fields: map[mapping.Target]mapping.Field{
		mapping.Event:           {Path: "$.action"},
		mapping.LearnerID:       {Path: "$.user_id"},
		mapping.LearnerUsername: {Path: "$.user_username"},
		mapping.LearnerEmail:    {Path: "$.user_email"},
		// The whole name stays in one piece: where it parts is not ours to guess.
		mapping.LearnerFirstName: {Path: "$.user_fullname"},
		mapping.CourseID:         {Path: "$.object_id"},
		mapping.CourseTitle:      {Path: "$.object_name"},
		// The member timestamp is never read: it is the portal's local time in the portal's own order of day
		// and month. A tenant who knows both may read it with parse and zone.
		mapping.CompletedAt: {Path: "$.unix_timestamp"},
	}})
}

// withoutDashes is the record without the members that stand for none.
func withoutDashes(record strictjson.Value) strictjson.Value {
	keys := record.Keys()
	kept := make(map[string]strictjson.Value, len(keys))
	for _, key := range keys {
		if member := record.Member(key); strings.TrimSpace(member.Raw()) != "-" { // a number is never a dash alone
			kept[key] = member
		}
	}
	return strictjson.ObjectOf(kept)
}

// date reads whole seconds since 1970. A 0 stands for no time.
func date(value strictjson.Value) (time.Time, training.Precision, error) {
	const lastSecond = 253_402_300_799 // 9999-12-31T23:59:59Z; milliseconds lie far beyond it
	digits, err := value.Text()
	if err != nil {
		return time.Time{}, "", err
	}
	seconds, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || seconds == 0 || seconds > lastSecond {
		return time.Time{}, "", errors.New("want whole seconds since 1970")
	}
	return time.Unix(int64(seconds), 0).UTC(), training.PrecisionMillisecond, nil
}
