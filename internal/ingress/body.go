package ingress

import (
	"bytes"
	"errors"
	"mime"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
)

// readBody takes the raw bytes, once, unchanged and bounded (R24, R196).
func (i *Ingress) readBody(c *gin.Context, x *exchange) *problem {
	if p := checkContentType(c.Request.Header); p != nil {
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

// checkContentType holds the one form of a body that is taken (R4): JSON in UTF-8, not compressed,
// because a signature is over the bytes before or after compression and no platform says which.
func checkContentType(header http.Header) *problem {
	types := header.Values("Content-Type")
	if len(types) != 1 {
		return unsupported("Send exactly one Content-Type: application/json.")
	}
	mediaType, params, err := mime.ParseMediaType(types[0])
	if err != nil || mediaType != "application/json" {
		return unsupported("Send Content-Type: application/json.")
	}
	if charset, given := params["charset"]; given && !strings.EqualFold(charset, "utf-8") {
		return unsupported("Send the JSON in UTF-8.")
	}
	for _, coding := range header.Values("Content-Encoding") {
		if !strings.EqualFold(coding, "identity") {
			return unsupported("Send the body without Content-Encoding.")
		}
	}
	return nil
}
