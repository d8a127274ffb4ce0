package learnupon

import (
	"bytes"
	"crypto/md5" //nolint:gosec // the algorithm is LearnUpon's choice; see BodySignature
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"countersign/internal/lms"
)

// BodySignature verifies version 1: header.signature is the MD5, in hexadecimal digits, of the body
// without that member, a colon, and the secret. Two public receivers do it so; how LearnUpon takes
// the member out is not documented. We cut it with one comma out of the raw bytes, because reading and
// rewriting the body would change numbers and escapes.
//
// MD5 with the secret at its end is weak: two bodies of one sum, which can be made, have one
// signature. Version 2 is to be preferred, and version 1 used behind a secret address only.
type BodySignature struct {
	secrets [][]byte
}

var _ lms.Verifier = (*BodySignature)(nil)

// NewBodySignature takes the active secrets, the newest first.
func NewBodySignature(secrets []string) (*BodySignature, error) {
	if len(secrets) == 0 || slices.Contains(secrets, "") {
		return nil, errors.New("new body signature verifier: no secret, or an empty one")
	}
	v := &BodySignature{}
	for _, secret := range secrets {
		v.secrets = append(v.secrets, []byte(secret))
	}
	return v, nil
}

// Verify implements lms.Verifier. A connection test without a body cannot be authentic: there is
// nowhere for the signature to stand.
func (v *BodySignature) Verify(r lms.Request) (int, error) {
	before, after, digits, err := cut(r.Body)
	if err != nil {
		return 0, refuse(err.Error())
	}
	received, err := hex.DecodeString(digits)
	if err != nil || len(received) != md5.Size {
		return 0, refuse("header.signature is not 32 hexadecimal digits")
	}
	matched := -1
	// Every secret is tried, so that the time says nothing about which one matched (R25).
	for index := len(v.secrets) - 1; index >= 0; index-- {
		sum := md5.New() //nolint:gosec // as above
		sum.Write(before)
		sum.Write(after)
		sum.Write([]byte{':'})
		sum.Write(v.secrets[index])
		if subtle.ConstantTimeCompare(received, sum.Sum(nil)) == 1 {
			matched = index
		}
	}
	if matched < 0 {
		return 0, refuse("header.signature does not match: the secret differs from the sender's, or the body was changed on the way")
	}
	return matched, nil
}

// errTwice is a member that is given twice: which of the two counts differs from reader to reader.
var errTwice = errors.New("the body has header or header.signature twice")

// cut returns what the body has before and after its member header.signature, and the text of that member. The
// errors hold nothing of the body. It runs before anything is known of the sender, so it ends at the second
// header or signature and copies no part of the body that grows with their number.
func cut(body []byte) (before, after []byte, digits string, err error) {
	var headers, signatures int
	var from, to int64
	d := json.NewDecoder(bytes.NewReader(body))
	err = members(d, func(_ int64, key string) error {
		if key != "header" {
			return skip(d)
		}
		if headers++; headers > 1 {
			return errTwice
		}
		return members(d, func(at int64, key string) error {
			if key != "signature" {
				return skip(d)
			}
			if signatures++; signatures > 1 {
				return errTwice
			}
			err := d.Decode(&digits)
			from, to = at, d.InputOffset()
			return err
		})
	})
	switch {
	case errors.Is(err, errTwice):
		return nil, nil, "", errTwice
	case err != nil || d.More():
		return nil, nil, "", errors.New("the body is not a JSON object with header.signature, a text")
	case signatures == 0:
		return nil, nil, "", errors.New("the body has no member header.signature")
	}
	before, after = without(body, int(from), int(to))
	return before, after, digits, nil
}

// members calls f for every member of the object that comes next. f reads the value; from is the
// place right behind what stands before the member, so where its comma is.
func members(d *json.Decoder, f func(from int64, key string) error) error {
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return errors.New("no object")
	}
	for d.More() {
		from := d.InputOffset()
		token, err := d.Token()
		if err != nil {
			return err
		}
		key, ok := token.(string)
		if !ok {
			return errors.New("no key")
		}
		if err := f(from, key); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

func skip(d *json.Decoder) error {
	var value json.RawMessage
	return d.Decode(&value)
}

// without is what stands around body[from:to]: a member with the comma before it, or, where it is the first, the
// comma after it.
func without(body []byte, from, to int) (before, after []byte) {
	const space = " \t\r\n"
	after = body[to:]
	if first := bytes.TrimLeft(body[from:to], space); !bytes.HasPrefix(first, []byte{','}) {
		if rest, comma := bytes.CutPrefix(bytes.TrimLeft(after, space), []byte{','}); comma {
			after = rest
		}
	}
	return body[:from], after
}

func refuse(text string) error { return fmt.Errorf("%w: %s", lms.ErrUnauthenticated, text) }
