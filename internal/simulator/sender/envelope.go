package sender

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// SignatureHeader carries the signature of the raw body.
const SignatureHeader = "X-Hub-Signature-256"

// The events a canonical LMS sends.
const (
	EventCompletion = "course.completion"
	EventEnrollment = "enrollment.created"
)

// Envelope is the canonical event envelope, field by field as an LMS writes it.
type Envelope struct {
	ID             string  `json:"id"`
	Event          string  `json:"event"`
	Version        string  `json:"version"`
	FiredAt        string  `json:"fired_at"`  // RFC 3339 with milliseconds
	Timestamp      int64   `json:"timestamp"` // Unix seconds
	OriginalDomain string  `json:"original_domain"`
	Payload        Payload `json:"payload"`
}

// Payload says who did what.
type Payload struct {
	User        User         `json:"user"`
	Course      Course       `json:"course"`
	Certificate *Certificate `json:"certificate,omitempty"`
}

// User is the learner as the LMS knows them.
type User struct {
	ID         int    `json:"id"`
	Email      string `json:"email"`
	FirstName  string `json:"first_name"`
	LastName   string `json:"last_name"`
	ExternalID string `json:"external_id"`
}

// Course is the course and, in a completion, its result.
type Course struct {
	ID    int    `json:"id"`
	Title string `json:"title"`
	Code  string `json:"code"`
	*Result
}

// Result is how a course ended. A nil score or passed is sent as null.
type Result struct {
	CompletionDate string   `json:"completion_date"` // RFC 3339
	Score          *float64 `json:"score"`
	Passed         *bool    `json:"passed"`
}

// Certificate is what the LMS says about its own certificate.
type Certificate struct {
	Issued     bool    `json:"issued"`
	ExpiryDate *string `json:"expiry_date"` // RFC 3339
}

// Sign is the value of X-Hub-Signature-256 for a body: "sha256=" and the HMAC in hexadecimal.
func Sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}
