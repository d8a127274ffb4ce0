package sender

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"time"
)

// Cornerstone is Cornerstone OnDemand. Records come in batches, gzipped, and every 5 minutes there is a heartbeat of
// none (DOCUMENTED); the size of a batch is DESIGN. It tries again on 408, 500, 502, 503 and 504 only, after 30, 60,
// 90 s and so on; 20 attempts in the tier Medium (DOCUMENTED). That no answer counts as one of these, and the patience,
// are DESIGN. attemptNumber grows (DOCUMENTED), everything else is kept (assumed).
func Cornerstone() Profile {
	return Profile{
		Platform: "cornerstone", Batch: 10, Patience: 10 * time.Second,
		Retry: Retry{
			Waits: growing(30*time.Second, 19),
			Again: only(http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway,
				http.StatusServiceUnavailable, http.StatusGatewayTimeout),
		},
		Credential: func(a Account) Credential {
			return Edge{APIKey: a.Secret, Token: base64.StdEncoding.EncodeToString([]byte(a.Secret))}
		},
		write: func(_ Site, f []Finish) Post {
			var records list
			for i, one := range f {
				records = append(records, edgeRecord("TrainingCompleted", "trainingCompleted", i, one))
			}
			return edgePost("TrainingCompleted", f[0].At, records)
		},
		noise: func(_ Site, f Finish) []Post {
			return []Post{
				edgePost("heartbeat", f.At, list{}),
				edgePost("TrainingAssigned", f.At, list{edgeRecord("TrainingAssigned", "trainingAssigned", 0, f)}),
			}
		},
		prepare: func(a *Attempt) {
			a.Body = bytes.Replace(a.Body, []byte(`"attemptNumber":1,`), []byte(`"attemptNumber":`+decimal(a.Number)+`,`), 1)
			a.Body = compressed(a.Body)
			a.Header.Set("Content-Encoding", "gzip")
		},
	}
}

func edgePost(event string, t time.Time, records list) Post {
	return newPost(event, object{
		"records", records, "sessionId", guid("cornerstone session", t, event), "attemptNumber", 1,
		"subscriptionId", guid("cornerstone subscription"),
	}, "Content-Type", "application/json; charset=utf-8")
}

func edgeRecord(event, key string, index int, f Finish) object {
	const none = "00000000-0000-0000-0000-000000000000"
	id := guid("cornerstone", event, f.Learner.ID, f.Course.ID, f.At)
	return object{
		"lag", 4.2,
		"value", object{
			"headers", object{"actorId", 33417, "corpName", "planta", "cultureId", 0, "messageId", id,
				"cloudCorpId", "myazbkxowvjshpt", "cultureName", "", "correlationId", none},
			"lmsEventsCase", event,
			key, object{"data", object{
				"eventId", id, "providerId", guid("cornerstone provider"), "trainingId", guid("cornerstone training", f.Course.ID),
				"trainingRef", f.Course.Code, "targetUserId", f.Learner.ID, "targetUserRef", f.Learner.ExternalID,
				"trainingTitle", f.Course.Title,
				"transcriptUrl", "https://planta.csod.com/phnx/driver.aspx?routename=Social/UniversalProfile/Transcript&TargetUser=" + decimal(f.Learner.ID),
				"targetUserGuid", guid("cornerstone user", f.Learner.ID), "targetUsername", f.Learner.Username,
				"createdByUserId", 33417, "createdByUserRef", "lmsadmin", "dueDateTimestamp", at(f.At.AddDate(0, 1, 0), inSeconds),
				"targetUserLastName", f.Learner.Last, "targetUserFirstName", f.Learner.First,
				"targetUserDivisionRef", "DIV-A", "targetUserLocationRef", "LOC-1", "isStandaloneOnTranscript", true,
				"trainingRegistrationNumber", 1, "trainingActionDateTimestamp", at(f.At, inMillis),
			}},
		},
		"offset", 168 + index, "timestamp", at(f.At.Add(8*time.Second), inMillis), "correlationId", none,
	}
}

// compressed is body in gzip without a time in it, so that the same body is the same bytes.
func compressed(body []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(body)
	if err = errors.Join(err, w.Close()); err != nil {
		panic(err) // memory takes everything
	}
	return b.Bytes()
}

// Edge is the API key and the HMAC of Cornerstone's Edge Webhooks. That there is an HMAC in Authorization over method, path,
// Date and x-content-sha256 is DOCUMENTED; its layout, and that the hash is over the body as sent, are assumed.
type Edge struct {
	APIKey string
	// Token is the endpoint's security token, base64 (OBSERVED).
	Token string
}

// Apply implements Credential.
func (e Edge) Apply(_ context.Context, a *Attempt) error {
	key, err := base64.StdEncoding.DecodeString(e.Token)
	if err != nil {
		return errors.New("the security token is not base64")
	}
	sum := sha256.Sum256(a.Body)
	hash := base64.StdEncoding.EncodeToString(sum[:])
	date := a.At.UTC().Format(http.TimeFormat)
	signature := sign(key, a.Method+"\n"+a.URL.EscapedPath()+"\n"+date+";"+hash)
	a.Header.Set("x-api-key", e.APIKey)
	a.Header.Set("Date", date)
	a.Header.Set("x-content-sha256", hash)
	a.Header.Set("Authorization", "HMAC-SHA256 SignedHeaders=date;x-content-sha256&Signature="+base64.StdEncoding.EncodeToString(signature))
	return nil
}
