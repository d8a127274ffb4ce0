package ingress

import (
	"bytes"
	"errors"
	"io"
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
	return i.readAll(c, x)
}

// freeBody is what every body may take; what is beyond shares Config.MaxBodies.
const freeBody = 64 << 10

// readAll takes a body of any type: bounded in length, in pace, and together with all others that
// are held.
func (i *Ingress) readAll(c *gin.Context, x *exchange) *problem {
	if c.Request.ContentLength > i.maxBody {
		return tooLarge(i.maxBody)
	}
	if c.Request.ContentLength == 0 {
		i.whole(c, x, []byte{})
		return nil
	}
	// An announced length is not believed beyond what costs nothing.
	body := make([]byte, 0, min(max(c.Request.ContentLength, 0), freeBody)+bytes.MinRead)
	from := http.MaxBytesReader(c.Writer, io.NopCloser(&pacedBody{
		body: c.Request.Body, control: http.NewResponseController(c.Writer), pace: i.pace, most: i.maxBody,
	}), i.maxBody)
	for {
		if len(body) == cap(body) {
			larger := min(2*int64(cap(body)), i.maxBody+bytes.MinRead)
			if !i.hold(x, larger-freeBody) {
				return crowded()
			}
			body = append(make([]byte, 0, larger), body...)
		}
		n, err := from.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		var large *http.MaxBytesError
		switch {
		case errors.Is(err, io.EOF):
			i.whole(c, x, body)
			return nil
		case errors.As(err, &large):
			return tooLarge(i.maxBody)
		case err != nil:
			return cutOff()
		}
	}
}

// whole says that the request is complete: from here on it is we who are waited for.
func (i *Ingress) whole(c *gin.Context, x *exchange, body []byte) {
	x.body = body
	x.connection = connectionOf(c.Request.Context())
	x.connection.work()
}

// release gives back at the end of an exchange what it took.
func (i *Ingress) release(x *exchange) {
	x.connection.rest(x.authentic)
	i.bodies.Add(-x.held)
}

// hold takes so many bytes of what all bodies share, until the exchange ends. Without it, signatures being
// checked at the end of a body, a stranger's unfinished megabytes would fill the memory.
func (i *Ingress) hold(x *exchange, bytes int64) bool {
	more := max(bytes-x.held, 0)
	if i.bodies.Add(more) > i.maxBodies {
		i.bodies.Add(-more)
		return false
	}
	x.held += more
	return true
}

// checkContentType holds the form of a body that is taken (R4): JSON in UTF-8, not compressed, and
// beyond that what the platform is known to send.
func checkContentType(header http.Header, transport lms.Transport) *problem {
	if p := checkCoding(header, transport); p != nil {
		return p
	}
	if transport.AnyType {
		return nil // nobody knows what the platform writes there; refusing it would lose what is authentic
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
