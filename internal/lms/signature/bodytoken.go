package signature

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/url"

	"countersign/internal/lms"
)

// BodyToken verifies a token inside the body: a member of the JSON object that the body is, or a
// field of the form. The body is then read before anybody vouched for it, so no further than to
// find the token, and its length is what the ingress allowed.
//
// A batch has no member of its own, so it cannot carry the token; nor can a connection test (GET, OPTIONS),
// which has no body.
type BodyToken struct {
	member  string
	secrets credentials
}

var _ lms.Verifier = (*BodyToken)(nil)

// NewBodyToken takes the active tokens and the name of the member or field, letter for letter.
func NewBodyToken(secrets []string, member string) (*BodyToken, error) {
	c, err := newCredentials(secrets)
	if err != nil {
		return nil, fmt.Errorf("new body token verifier: %w", err)
	}
	if member == "" {
		return nil, errors.New("new body token verifier: no member name")
	}
	return &BodyToken{member: member, secrets: c}, nil
}

// Verify implements lms.Verifier.
func (v *BodyToken) Verify(r lms.Request) (int, error) {
	if len(r.Body) == 0 {
		return 0, refuse("the body is empty, so %s is not in it", v.member)
	}
	values, err := v.values(r)
	switch {
	case err != nil:
		return 0, err
	case len(values) == 0:
		return 0, refuse("no %s in the body", v.member)
	case len(values) > 1:
		return 0, refuse("%s is %d times in the body", v.member, len(values))
	}
	secret, ok := v.secrets.match(values[0])
	if !ok {
		return 0, refuse("%s in the body does not match: compare it with the source's", v.member)
	}
	return secret, nil
}

// values are all values that the body gives for the member.
func (v *BodyToken) values(r lms.Request) ([]string, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	// Moodle's local_webhooks sends JSON under a form's type; a form never begins with a brace that is
	// not escaped.
	isJSON := bytes.HasPrefix(bytes.TrimSpace(r.Body), []byte("{"))
	// Some senders name no type, or a wrong one; what calls itself JSON is held to it.
	if (err != nil || kind != "application/json") && !isJSON {
		form, err := url.ParseQuery(string(r.Body))
		if err != nil { // its text would repeat a part of the body
			return nil, refuse("the body cannot be read as a form")
		}
		return form[v.member], nil
	}
	values, err := membersNamed(v.member, r.Body)
	if err != nil {
		return nil, refuse("%s", err)
	}
	return values, nil
}

// membersNamed are the values of the members of that name on the top level of an object, each a text.
// Deeper ones are none: whoever may write a part of an event could plant one there. The errors
// hold nothing of the body.
func membersNamed(name string, body []byte) ([]string, error) {
	unreadable := errors.New("the body is not one JSON object")
	d := json.NewDecoder(bytes.NewReader(body))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, unreadable
	}
	var values []string
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, unreadable
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, unreadable
		}
		if key != name {
			continue
		}
		var value *string
		if err := json.Unmarshal(raw, &value); err != nil || value == nil {
			return nil, fmt.Errorf("%s in the body is not a text", name)
		}
		values = append(values, *value)
	}
	if _, err := d.Token(); err != nil {
		return nil, unreadable
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, unreadable
	}
	return values, nil
}
