package issuer

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// login is the bearer login endpoint (R35): user name and password as JSON or as a form.
func (i *Issuer) login(w http.ResponseWriter, r *http.Request) {
	name, password, wrong := readLogin(w, r)
	if wrong != nil {
		answerRefusal(w, *wrong, "Bearer")
		return
	}
	token, a, err := i.issue(r, Login, "", credential{name, password})
	if err != nil {
		answerError(w, err, "Bearer")
		return
	}
	if !a.AsObject {
		answer(w, http.StatusOK, struct {
			AccessToken string `json:"access_token"`
		}{token})
		return
	}
	type object struct {
		Token   string `json:"token"`
		Seconds int64  `json:"expires_in_seconds"`
	}
	answer(w, http.StatusOK, struct {
		AccessToken object `json:"access_token"`
	}{object{token, int64(a.Lifetime / time.Second)}})
}

// readLogin reads the user name, under any of the names it may have, and the password.
func readLogin(w http.ResponseWriter, r *http.Request) (name, password string, wrong *refusal) {
	bad := func(description string) (string, string, *refusal) {
		return "", "", &refusal{http.StatusBadRequest, invalidRequest, description}
	}
	body, wrong := read(w, r)
	if wrong != nil {
		return "", "", wrong
	}
	var members url.Values
	var err error
	switch kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind {
	case "application/x-www-form-urlencoded":
		members, err = url.ParseQuery(string(body))
	case "application/json":
		members, err = texts(body)
	default:
		return bad("Content-Type must be application/json or application/x-www-form-urlencoded")
	}
	if err != nil {
		return bad("the body must be one JSON object, or a form")
	}
	var names []string
	for _, member := range []string{"username", "userName", "email"} {
		names = append(names, members[member]...)
	}
	passwords := members["password"]
	switch {
	case len(names) == 0 || len(passwords) == 0:
		return bad("want username (or userName, or email) and password, each a text")
	case len(passwords) > 1 || len(slices.Compact(names)) > 1:
		return bad("user name or password is there twice")
	}
	return names[0], passwords[0], nil
}

// texts are the members of a JSON object that are texts; whatever else there is does not matter.
func texts(body []byte) (url.Values, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, errors.New("no object")
	}
	members := url.Values{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, ok := token.(string)
		if !ok {
			return nil, errors.New("no key")
		}
		var value any
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		if text, ok := value.(string); ok {
			members.Add(name, text)
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one value")
	}
	return members, nil
}
