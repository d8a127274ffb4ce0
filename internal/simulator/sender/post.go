package sender

import (
	"net/http"
	"strconv"
)

// Post is what an LMS has decided to send: one HTTP request, before it is proved where it comes from. Every
// attempt carries the same, but for what the platform itself renews.
type Post struct {
	// ID is the delivery's, where the platform has one.
	ID string
	// Event is what the platform calls it, or what it is where the platform has no name for it.
	Event string
	// Tail stands behind the webhook's path, "" for nothing.
	Tail   string
	Header http.Header
	Body   []byte
	// Finishes are the finished courses it reports; none for what is no completion.
	Finishes []Finish
}

// Site is the customer's installation of an LMS.
type Site struct {
	// Domain is the host name of its pages.
	Domain string
}

func (s Site) address() string { return "https://" + s.Domain }

const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
)

// newPost makes a Post of JSON; headers are name, value, name, value.
func newPost(event string, body any, headers ...string) Post {
	p := Post{Event: event, Header: http.Header{"Content-Type": {jsonType}}}
	if raw, ok := body.([]byte); ok {
		p.Body = raw
	} else {
		p.Body = encode(body)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		p.Header.Set(headers[i], headers[i+1])
	}
	return p
}

func decimal(n int) string { return strconv.Itoa(n) }
