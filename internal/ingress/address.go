package ingress

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	webhooks = "/webhooks/lms"
	// testSegment behind a source makes a delivery a rehearsal.
	testSegment = "test"
	// masked stands for a path token wherever a path is kept.
	masked = "redacted"
	// longestSegment of a path behind a source, in bytes; the journal keeps it.
	longestSegment = 200
)

// address is what a delivery's URL says: /webhooks/lms/{tenant}/{source} and what stands behind
// that, its segments decoded.
type address struct {
	tenant, source string
	tail           []string
}

// parseAddress reads a path as it came. Each segment is decoded by itself and once, so that %2F makes
// no new segment and %252F no slash. ok is false for what names no source.
func parseAddress(escaped string) (a address, ok bool) {
	rest, ok := strings.CutPrefix(escaped, webhooks+"/")
	if !ok {
		return address{}, false
	}
	segments := strings.Split(rest, "/")
	for i, segment := range segments {
		decoded, err := url.PathUnescape(segment)
		if err != nil || decoded == "" || decoded == "." || decoded == ".." {
			return address{}, false
		}
		segments[i] = decoded
	}
	if len(segments) < 2 {
		return address{}, false
	}
	return address{tenant: segments[0], source: segments[1], tail: segments[2:]}, true
}

// place is what the tail of an address means at its source: [/{token}][/test][/{path}].
type place struct {
	token     string
	rehearsal bool
	path      string
}

// place reads the tail. A missing token is no wrong address: the Verifier says what is missing. ok is
// false where the platform sends nothing to such a path.
func (s Source) place(tail []string) (p place, ok bool) {
	if s.PathToken && len(tail) > 0 {
		p.token, tail = tail[0], tail[1:]
	}
	if len(tail) > 0 && tail[0] == testSegment {
		p.rehearsal, tail = true, tail[1:]
	}
	p.path = strings.Join(tail, "/")
	return p, len(tail) == 0 || slices.ContainsFunc(s.Transport.Paths, func(pattern string) bool { return allows(pattern, tail) })
}

// allows reports whether the segments are those of a pattern, where "*" is any one.
func allows(pattern string, segments []string) bool {
	want := strings.Split(pattern, "/")
	if len(want) != len(segments) {
		return false
	}
	for i, segment := range segments {
		if want[i] != segment && want[i] != "*" || !plain(segment) {
			return false
		}
	}
	return true
}

// plain reports whether a segment is text that reads the same everywhere; a slash that was escaped
// would not.
func plain(segment string) bool {
	return len(segment) <= longestSegment && utf8.ValidString(segment) &&
		!strings.ContainsFunc(segment, func(r rune) bool { return r == '/' || r == '\\' || !unicode.IsPrint(r) })
}

// written is the path as the journal keeps it, for Stored to read: no token is in it. A rehearsal is
// never kept.
func (s Source) written(p place) string {
	path := webhooks + "/" + url.PathEscape(s.Tenant) + "/" + url.PathEscape(s.ID)
	if s.PathToken && p.token != "" {
		path += "/" + masked
	}
	if p.path != "" {
		for segment := range strings.SplitSeq(p.path, "/") {
			path += "/" + url.PathEscape(segment)
		}
	}
	return path
}
