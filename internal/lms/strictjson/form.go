package strictjson

import (
	"bytes"
	"fmt"
	"mime"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

// FormType is the media type of a form body.
const FormType = "application/x-www-form-urlencoded"

// DecodeForm reads a form body (WHATWG URL §5.1) as an object of strings, with the strictness of Decode: a
// key given twice, an invalid escape, invalid UTF-8, a byte order mark and more than limits.Tokens keys and
// values are refused. A key without "=" has the value "". Every error is an *Error; Path is the key
// where it looks like a name.
func DecodeForm(body []byte, limits Limits) (Value, error) {
	members := map[string]Value{}
	tokens := 0
	for at := 0; at < len(body); {
		raw, _, _ := bytes.Cut(body[at:], []byte("&"))
		at += len(raw)
		offset, pair := int64(at), string(raw)
		at++            // the "&"
		if pair == "" { // "a=1&&b=2" and a last "&" say nothing
			continue
		}
		if tokens += 2; tokens > limits.Tokens {
			return Value{}, &Error{Offset: offset, Reason: fmt.Sprintf("more than %d tokens", limits.Tokens)}
		}
		rawKey, rawText, _ := strings.Cut(pair, "=")
		key, reason := unescape(rawKey)
		if reason != "" {
			return Value{}, &Error{Offset: offset, Reason: reason}
		}
		path := joinPath([]step{{key: key, keyed: true}})
		text, reason := unescape(rawText)
		if reason != "" {
			return Value{}, &Error{Offset: offset, Path: path, Reason: reason}
		}
		if _, twice := members[key]; twice {
			return Value{}, &Error{Offset: offset, Path: path, Reason: "key given twice"}
		}
		members[key] = StringOf(text)
	}
	return objectOf(members), nil
}

// unescape decodes "+" and "%XX"; the reason is "" where that works.
func unescape(raw string) (text, reason string) {
	text, err := url.QueryUnescape(raw)
	switch {
	case err != nil:
		return "", "invalid escape"
	case !utf8.ValidString(text):
		return "", "invalid UTF-8"
	case strings.HasPrefix(text, "\ufeff"):
		return "", "byte order mark"
	}
	return text, ""
}

// DecodeBody reads a form where contentType says so and JSON otherwise: no Content-Type at all means
// JSON too, as most senders of webhooks mean it. Only the media type counts; the text is UTF-8 in any case.
func DecodeBody(contentType string, body []byte, limits Limits) (Value, error) {
	if mediaType, _, _ := mime.ParseMediaType(contentType); mediaType == FormType {
		return DecodeForm(body, limits)
	}
	return Decode(body, limits)
}

// DecodeAnyType is for senders whose Content-Type says nothing, or nobody knows what. A body that begins as
// JSON does is JSON, and one that begins with a name and "=" a form. Only what looks like neither goes by
// contentType, as in DecodeBody.
func DecodeAnyType(contentType string, body []byte, limits Limits) (Value, error) {
	switch start := bytes.TrimLeft(body, " \t\r\n"); {
	case len(start) > 0 && strings.IndexByte(`{["`, start[0]) >= 0:
		return Decode(body, limits)
	case formStart.Match(body):
		return DecodeForm(body, limits)
	default:
		return DecodeBody(contentType, body, limits)
	}
}

// formStart is the first name of a form: what a serializer leaves as it is (WHATWG URL §5.2) and its escapes, and the
// brackets that PHP's senders do not escape. No JSON but a text has a "=" in it.
var formStart = regexp.MustCompile(`^[-*._~+%\[\]A-Za-z0-9]+=`)
