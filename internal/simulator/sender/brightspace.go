package sender

import "time"

// Brightspace sends D2L's Data Streams, events in the shape of xAPI with ids and nothing else (DOCUMENTED); that
// several come in an array is assumed. The learner of an award is issuedUserId, its actor who issued it. Signature,
// header, patience and schedule are unknown (SEED: HMAC-SHA256, retries "configurable"); the sample's header and the numbers
// are DESIGN.
func Brightspace() Profile {
	return Profile{
		Platform: "brightspace", Batch: 5, Patience: 10 * time.Second,
		Retry:      Retry{Waits: []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute}, Again: onTrouble},
		Credential: func(a Account) Credential { return HMAC{Header: SignatureHeader, Prefix: "sha256=", Secret: a.Secret} },
		write: func(_ Site, f []Finish) Post {
			if len(f) == 1 {
				return newPost("award/issue:created", award(f[0]))
			}
			var events list
			for _, one := range f {
				events = append(events, award(one))
			}
			return newPost("award/issue:created", events)
		},
		noise: func(_ Site, f Finish) []Post {
			learner := actor{f.Learner.ID, "Learner"}
			return []Post{
				newPost("classlist:enrolled", dataStream(f, learner, "enrolled", "tools/classlist", object{"id", decimal(f.Course.ID)})),
				newPost("content/topic:completed", dataStream(f, learner, "completed", "tools/content/topic", object{"id", "88123"})),
				newPost("grade/final:released", dataStream(f, instructor(), "released", "tools/grade/final", object{"id", "5512"})),
			}
		},
	}
}

// BrightspaceCourse is the id that stands for a course of this number, the org unit and its award.
func BrightspaceCourse(number int) string { return decimal(number) + "/award/" + decimal(number%100) }

func award(f Finish) object {
	return dataStream(f, instructor(), "created", "tools/award/issue", object{
		"awardId", decimal(f.Course.ID % 100), "issuanceId", decimal(f.enrollment()), "issuedUserId", decimal(f.Learner.ID),
	})
}

// actor is who did something; the role is an IMS role.
type actor struct {
	id   int
	role string
}

func instructor() actor { return actor{169, "Instructor"} }

func dataStream(f Finish, by actor, verb, kind string, what object) object {
	const vendor, extensions = "https://api.brightspace.com/xapi/", "https://api.brightspace.com/xapi/extension_keys/context/"
	tenant := guid("brightspace tenant")
	id := guid("brightspace", verb, kind, f.Learner.ID, f.Course.ID, f.At)
	return object{
		"id", id, "timestamp", at(f.At, inMillis),
		"actor", object{"account", object{"homePage", "https://" + tenant + ".lms.d2l.com/", "name", "urn:uuid:" + guid("brightspace user", by.id)}},
		"verb", object{"id", vendor + "verbs/" + verb},
		"object", object{"objectType", "Activity", "id", "urn:uuid:" + guid("brightspace object", id),
			"definition", object{"type", vendor + "activities/" + kind}},
		"context", object{
			"contextActivities", object{"category", list{object{"id", vendor + "profiles/brightspace-activity-v1p0.jsonld"}}},
			"registration", guid("brightspace org unit", f.Course.ID),
			"extensions", object{
				extensions + "actor", object{"userId", decimal(by.id), "imsRoleIds", list{by.role}, "roleId", "103"},
				extensions + "object", what,
				extensions + "context", object{"tenantId", tenant, "originalEventId", guid("brightspace origin", id),
					"orgUnitType", "Course Offering", "orgUnitId", decimal(f.Course.ID)},
			},
		},
	}
}
