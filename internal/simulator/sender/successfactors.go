package sender

import "time"

// SuccessFactors is a customer's iFlow in SAP BTP, because SAP Learning sends nothing itself: rows of the learning
// history, in the contract that we publish, with a token from our endpoint (DESIGN; the rows' names are OBSERVED). Its
// retries are the customer's (SEED); these are DESIGN.
func SuccessFactors() Profile {
	return Profile{
		Platform: "successfactors", SaysScore: true, SaysFailed: true, Batch: 10, Patience: 30 * time.Second,
		Retry:      Retry{Waits: []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute}},
		Credential: func(a Account) Credential { return ClientCredentials(a.TokenURL, a.user("bridge-sf"), a.Secret) },
		write: func(_ Site, f []Finish) Post {
			var rows list
			for _, one := range f {
				status := "COURSE-PASS"
				if one.failed() {
					status = "COURSE-FAIL"
				}
				rows = append(rows, historyRow(status, one))
			}
			return historyPost("learning history", rows)
		},
		noise: func(_ Site, f Finish) []Post {
			return []Post{historyPost("nothing new", list{}), historyPost("in progress", list{historyRow("COURSE-INC", f)})}
		},
	}
}

func historyPost(what string, rows list) Post {
	return newPost(what, object{"@odata.context", "$metadata#LearningHistories", "value", rows})
}

// historyRow is a row. The codes of a status are the customer's, grade is free text, dates are milliseconds (DOCUMENTED).
func historyRow(status string, f Finish) object {
	var grade any
	if f.Score != nil {
		grade = string(encode(*f.Score))
	}
	return object{
		"studentID", f.Learner.Username, "personExternalID", f.Learner.ExternalID, "email", f.Learner.Email,
		"componentTypeID", "COURSE", "componentID", f.Course.Code,
		"revisionDate", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli(), "revisionNumber", "1", "title", f.Course.Title,
		"completionDate", f.At.UnixMilli(), "completionStatusID", status, "completionStatusDesc", "", "grade", grade,
		"totalHours", 0.5, "creditHours", 0, "cpeHours", 0, "contactHours", 0, "instructorName", nil, "scheduledID", nil, "comments", nil,
	}
}
