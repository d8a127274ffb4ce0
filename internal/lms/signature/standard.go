package signature

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"countersign/internal/lms"
)

// StandardHeader carries the signatures of Standard Webhooks.
const StandardHeader = "webhook-signature"

// The headers of Standard Webhooks.
const (
	standardID        = "webhook-id"
	standardTimestamp = "webhook-timestamp"
	standardSignature = StandardHeader
)

const (
	// longestID is far more than any id has, in bytes.
	longestID = 256
	// longestSeconds takes timestamps up to the year 33658; milliseconds have more digits.
	longestSeconds = 12
	// mostEntries is room for two keys in several versions of the scheme.
	mostEntries = 16
)

// Standard verifies signatures of Standard Webhooks 1.0.0
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md):
// HMAC-SHA256 over id.timestamp.body, in base64, under version v1. A delivery that was recorded on
// the way and is sent again later is refused by its timestamp.
type Standard struct {
	secrets   [][]byte
	tolerance time.Duration
	now       func() time.Time
}

var _ lms.Verifier = (*Standard)(nil)

// NewStandard takes the active secrets, each base64 with or without whsec_ before it, how far the
// timestamp may lie from our clock to either side, and that clock.
func NewStandard(secrets []string, tolerance time.Duration, now func() time.Time) (*Standard, error) {
	if err := checkSecrets(secrets); err != nil {
		return nil, fmt.Errorf("new standard webhooks verifier: %w", err)
	}
	if tolerance <= 0 || now == nil {
		return nil, errors.New("new standard webhooks verifier: no tolerance or no clock")
	}
	v := &Standard{tolerance: tolerance, now: now}
	for _, secret := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		if err != nil || len(key) == 0 { // the error would repeat a character of the secret
			return nil, errors.New("new standard webhooks verifier: a secret is not base64")
		}
		v.secrets = append(v.secrets, key)
	}
	return v, nil
}

// Challenge implements lms.Challenger.
func (v *Standard) Challenge() string { return signatureChallenge }

// Verify implements lms.Verifier. Of several signatures one that matches is enough: while a sender
// changes its secret it signs with both. It returns the newest secret that matched.
func (v *Standard) Verify(r lms.Request) (int, error) {
	id, err := sole(r, standardID)
	if err != nil {
		return 0, err
	}
	// A full stop in the id would leave open where it ends and the timestamp begins.
	if len(id) > longestID || strings.Contains(id, ".") {
		return 0, refuse("%s is longer than %d bytes or has a full stop in it", standardID, longestID)
	}
	timestamp, err := v.timestamp(r)
	if err != nil {
		return 0, err
	}
	received, err := entries(r)
	if err != nil {
		return 0, err
	}
	newest := len(v.secrets)
	for _, secret := range matches(v.secrets, received, []byte(id+"."+timestamp+"."), r.Body) {
		if secret >= 0 {
			newest = min(newest, secret)
		}
	}
	if newest == len(v.secrets) {
		return 0, refuse("no signature matches: the secret differs from the sender's, or id, timestamp or body were changed on the way")
	}
	return newest, nil
}

// timestamp is the header as it was signed, checked against the clock.
func (v *Standard) timestamp(r lms.Request) (string, error) {
	text, err := sole(r, standardTimestamp)
	if err != nil {
		return "", err
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || text[0] < '0' || text[0] > '9' || len(text) > longestSeconds {
		return "", refuse("%s is not in whole seconds since 1970", standardTimestamp)
	}
	switch age := v.now().Sub(time.Unix(seconds, 0)); {
	case age > v.tolerance:
		return "", refuse("%s lies more than %s back: compare the clocks", standardTimestamp, v.tolerance)
	case age < -v.tolerance:
		return "", refuse("%s lies more than %s ahead: compare the clocks", standardTimestamp, v.tolerance)
	}
	return text, nil
}

// entries are the signatures of version v1. Those of other versions are left out: a sender may add them
// at any time.
func entries(r lms.Request) ([][]byte, error) {
	value, err := sole(r, standardSignature)
	if err != nil {
		return nil, err
	}
	list := strings.Split(value, " ")
	if len(list) > mostEntries {
		return nil, refuse("%s holds more than %d signatures", standardSignature, mostEntries)
	}
	var received [][]byte
	for _, entry := range list {
		version, text, found := strings.Cut(entry, ",")
		if !found || version != "v1" {
			continue
		}
		signature, err := decodeBase64(text)
		if err != nil {
			return nil, refuse("%s %s", standardSignature, err)
		}
		received = append(received, signature)
	}
	if len(received) == 0 {
		return nil, refuse("%s holds no signature of version v1", standardSignature)
	}
	return received, nil
}
