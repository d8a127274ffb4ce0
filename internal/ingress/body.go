package ingress

import (
	"bytes"
	"errors"
	"mime"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"countersign/internal/lms"
)

// readBody takes the raw bytes, once, unchanged and bounded (R24, R196).
func (i *Ingress) readBody(c *gin.Context, x *exchange, transport lms.Transport) *problem {
	if p := checkContentType(c.Request.Header, transport); p != nil {
		return p
	}
	if c.Request.ContentLength > i.maxBody {
		return tooLarge(i.maxBody)
	}
	var body bytes.Buffer
	// An announced length is not believed beyond what costs nothing.
	body.Grow(int(min(max(c.Request.ContentLength, 0), 64<<10)) + bytes.MinRead)
	_, err := body.ReadFrom(http.MaxBytesReader(c.Writer, c.Request.Body, i.maxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return tooLarge(i.maxBody)
	case err != nil:
		return cutOff()
	}
	x.body = body.Bytes()
	return nil
}

// checkContentType holds the form of a body that is taken (R4): JSON in UTF-8, not compressed, and
// beyond that what the platform is known to send.
func checkContentType(header http.Header, transport lms.Transport) *problem {
	if p := checkCoding(header, transport); p != nil {
		return p
	}
	types := header.Values("Content-Type")
	if transport.JWT && len(types) <= 1 {
		// Canvas does not say which type its signed deliveries have, and a JSON parser that went
		// by the type saw nothing. Body and signature are one there, and name themselves.
		return nil
	}
	want := "application/json"
	if transport.Form {
		want += " or application/x-www-form-urlencoded"
	}
	if len(types) != 1 {
		return unsupported("Send exactly one Content-Type: " + want + ".")
	}
	mediaType, params, err := mime.ParseMediaType(types[0])
	if err != nil || mediaType != "application/json" && (mediaType != "application/x-www-form-urlencoded" || !transport.Form) {
		return unsupported("Send Content-Type: " + want + ".")
	}
	if charset, given := params["charset"]; given && !strings.EqualFold(charset, "utf-8") {
		return unsupported("Send the body in UTF-8.")
	}
	return nil
}

// checkCoding refuses compression where a platform is not known for it: a signature is over the
// bytes before or after it, and somebody has to have said which.
func checkCoding(header http.Header, transport lms.Transport) *problem {
	if transport.Gzip && gzipped(header) {
		return nil
	}
	for _, coding := range header.Values("Content-Encoding") {
		switch {
		case strings.EqualFold(coding, "identity"):
		case transport.Gzip:
			return unsupported("Send the body with Content-Encoding: gzip, once, or without.")
		default:
			return unsupported("Send the body without Content-Encoding.")
		}
	}
	return nil
}
