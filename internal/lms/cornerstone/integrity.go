package cornerstone

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"

	"countersign/internal/lms"
	"countersign/internal/lms/strictjson"
)

// hashHeader carries the SHA-256 of the body, in base64 (documented: it is a part of what the HMAC covers).
const hashHeader = "x-content-sha256"

// checkHash holds the body against the hash that was sent with it. No secret is in it, so it proves nothing about the
// sender; it tells a body that was cut or changed on the way, of which no record is to be believed. Whether it is
// over the bytes as sent or as decompressed is unknown, so either counts (assumed: as sent). Nothing is checked
// where the header is not sent, or where nobody says what the bytes as sent were.
func checkHash(r lms.Request) error {
	values := r.Header.Values(hashHeader)
	if len(values) == 0 || r.Received == nil {
		return nil
	}
	want, err := base64.StdEncoding.DecodeString(values[0])
	if err != nil || len(want) != sha256.Size || len(values) > 1 {
		return errors.New(hashHeader + ": want one SHA-256 in base64")
	}
	for _, body := range [][]byte{r.Received, r.Body} {
		if sum := sha256.Sum256(body); bytes.Equal(sum[:], want) {
			return nil
		}
	}
	return errors.New(hashHeader + ": is not the hash of this body, so that it was changed or cut on the way")
}

// checkCorp refuses records of more than one customer in a delivery: a webhook belongs to one. Whether it is the
// right one, the endpoint's key says.
func checkCorp(records []strictjson.Value) error {
	const path = "value.headers.corpName"
	first := ""
	for _, item := range records {
		record := strictjson.Pick(item)
		corp := record.Text(path)
		if record.Err() != nil || corp == "" { // no text is no customer, and what is wrong with the rest the record says itself
			continue
		}
		if first == "" {
			first = corp
		}
		if corp != first {
			return errors.New(path + ": differs among the records of one delivery")
		}
	}
	return nil
}
