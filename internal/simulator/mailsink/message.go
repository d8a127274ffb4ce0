package mailsink

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"
)

// Message is a received mail.
type Message struct {
	At time.Time
	// From and To are those of the envelope, which decides where a mail really goes.
	From string
	To   []string
	// Subject is decoded.
	Subject string
	// Text is the first plain-text part, decoded; "" when there is none.
	Text string
	// HTML is the first HTML part, decoded; "" when there is none.
	HTML string
	// Raw is the message as received.
	Raw []byte
}

// parse reads what it can: a malformed message is kept all the same, with its raw bytes.
func parse(at time.Time, from string, to []string, raw []byte) Message {
	m := Message{At: at, From: from, To: to, Raw: raw}
	parsed, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return m
	}
	m.Subject = parsed.Header.Get("Subject")
	if decoded, err := new(mime.WordDecoder).DecodeHeader(m.Subject); err == nil {
		m.Subject = decoded
	}
	body, err := io.ReadAll(parsed.Body)
	if err != nil {
		return m
	}
	find := func(media string) string {
		return part(media, parsed.Header.Get("Content-Type"), parsed.Header.Get("Content-Transfer-Encoding"), bytes.NewReader(body), 0)
	}
	m.Text, m.HTML = find("text/plain"), find("text/html")
	return m
}

// maxNesting bounds multiparts within multiparts.
const maxNesting = 8

// part finds the first part of an entity that is of the wanted type, as text.
func part(wanted, contentType, encoding string, body io.Reader, depth int) string {
	media, params, err := mime.ParseMediaType(contentType)
	if contentType == "" {
		media, err = "text/plain", nil
	}
	switch {
	case err != nil || depth > maxNesting:
		return ""
	case media == wanted:
		data, err := io.ReadAll(decoded(encoding, body))
		if err != nil {
			return ""
		}
		return strings.ReplaceAll(string(data), "\r\n", "\n")
	case strings.HasPrefix(media, "multipart/"):
		parts := multipart.NewReader(body, params["boundary"])
		for {
			// A raw part, because NextPart would decode some encodings and not others.
			next, err := parts.NextRawPart()
			if err != nil {
				return ""
			}
			if found := part(wanted, next.Header.Get("Content-Type"), next.Header.Get("Content-Transfer-Encoding"), next, depth+1); found != "" {
				return found
			}
		}
	}
	return ""
}

func decoded(encoding string, body io.Reader) io.Reader {
	switch strings.ToLower(encoding) {
	case "quoted-printable":
		return quotedprintable.NewReader(body)
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, body)
	}
	return body
}
