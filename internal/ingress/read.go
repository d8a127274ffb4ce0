package ingress

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"

	"countersign/internal/journal"
	"countersign/internal/lms"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// ErrDefect stands for a defect in an adapter. The delivery is authentic and so must be kept.
var ErrDefect = errors.New("the adapter failed; the body is kept as it came")

// Result is what an authentic delivery says.
type Result struct {
	// Completions and Enrollments are valid and have their tenant and source.
	Completions []training.Completion
	Enrollments []training.Enrollment
	Ignored     []lms.Ignored
	Problems    []lms.Problem
	// Verdict is accepted, ignored or unmapped. Whether an accepted one is a duplicate only the
	// journal knows.
	Verdict journal.Verdict
	// Reason says why, for people; it names fields, never values. "" when accepted.
	Reason string
	// Err is nil, wraps lms.ErrUnreadable where the body as a whole was not understood, or is
	// ErrDefect.
	Err error

	// Explanation says how each field was read, where it was asked for and the source has one.
	Explanation any
	// cause and stack are those of a panic.
	cause any
	stack []byte
}

// Read is the one way from an authentic request to completions and enrollments, for deliveries, rehearsals and
// replays alike (R191). It undoes compression, decodes, and lets nothing invalid through. maxBody bounds what
// a compressed body may inflate to, in bytes; 0 means 1 MiB.
//
// It verifies nothing and writes nothing. A body that does not inflate is content, and so unmapped:
// its sender is authentic, and once the limit or the source is mended its bytes can be read again (law 4).
func Read(source Source, r lms.Request, maxBody int64) Result {
	return read(source, r, maxBody, func(r lms.Request) (lms.Decoded, any, error) {
		decoded, err := source.Adapter.Decode(r)
		return decoded, nil, err
	})
}

// Explain is Read with the source's explanation, if it has one. It costs more, and the explanation is
// personal data: it is for the person who asks.
func Explain(source Source, r lms.Request, maxBody int64) Result {
	if source.Explain == nil {
		return Read(source, r, maxBody)
	}
	return read(source, r, maxBody, source.Explain)
}

func read(source Source, r lms.Request, maxBody int64, decode func(lms.Request) (lms.Decoded, any, error)) Result {
	var decoded lms.Decoded
	var result Result
	r, result.Err = uncompressed(r, cmp.Or(maxBody, defaultMaxBody))
	if result.Err == nil {
		decoded, result = guarded(r, decode)
	}
	if !source.Enrollments {
		decoded = withoutEnrollments(decoded)
	}
	result.Ignored, result.Problems = decoded.Ignored, decoded.Problems
	result.adopt(source, decoded.Completions)
	result.enroll(source, decoded.Enrollments)
	result.judge()
	return result
}

// uncompressed is r with its body as the adapter reads it. r itself stays as it came.
func uncompressed(r lms.Request, limit int64) (lms.Request, error) {
	if !gzipped(r.Header) {
		return r, nil
	}
	body, err := inflate(r.Body, limit)
	if err != nil {
		return r, err
	}
	r.Body, r.Header = body, r.Header.Clone()
	r.Header.Del("Content-Encoding")
	return r, nil
}

// guarded decodes and turns a panic into ErrDefect.
func guarded(r lms.Request, decode func(lms.Request) (lms.Decoded, any, error)) (decoded lms.Decoded, result Result) {
	defer func() {
		if cause := recover(); cause != nil {
			decoded, result = lms.Decoded{}, Result{Err: ErrDefect, cause: cause, stack: debug.Stack()}
		}
	}()
	decoded, result.Explanation, result.Err = decode(r)
	return decoded, result
}

// adopt gives the completions their tenant and source. One that is not valid is an adapter's defect;
// it becomes a problem, so that nothing invalid gets past this door.
func (r *Result) adopt(source Source, completions []training.Completion) {
	for _, completion := range completions {
		completion.Tenant, completion.Source = source.Tenant, source.ID
		if err := completion.Validate(); err != nil {
			r.Problems = append(r.Problems, lms.Problem{
				Event: completion.Event, EventID: completion.EventID, Reason: err.Error(),
			})
			continue
		}
		r.Completions = append(r.Completions, completion)
	}
}

// mostReasons bounds the reason of a batch in which everything is wrong.
const mostReasons = 5

// judge gives the verdict. One problem among good completions still calls for a person, so it
// decides.
func (r *Result) judge() {
	var reasons []string
	if r.Err != nil {
		reasons = append(reasons, unquoted(r.Err))
	}
	for _, p := range r.Problems {
		reasons = append(reasons, p.Reason)
	}
	switch {
	case len(reasons) > mostReasons:
		more := fmt.Sprintf("%d more", len(reasons)-mostReasons)
		r.Verdict, r.Reason = journal.VerdictUnmapped, strings.Join(append(reasons[:mostReasons], more), "; ")
	case len(reasons) > 0:
		r.Verdict, r.Reason = journal.VerdictUnmapped, strings.Join(reasons, "; ")
	case len(r.Completions)+len(r.Enrollments) > 0:
		r.Verdict = journal.VerdictAccepted
	case len(r.Ignored) > 0:
		r.Verdict, r.Reason = journal.VerdictIgnored, r.Ignored[0].Reason
	default:
		r.Verdict, r.Reason = journal.VerdictUnmapped, "the delivery holds no event"
	}
}

// unquoted is the text of an error without what it quotes of the body: strictjson names the way to a place
// by its keys, and a key may be a learner's user name. The reason goes into the log and to Temporal; the
// position alone finds the place in the stored body, and a rehearsal shows the whole error (law 7).
func unquoted(err error) string {
	var refused *strictjson.Error
	if !errors.As(err, &refused) || refused.Path == "" {
		return err.Error()
	}
	bare := strictjson.Error{Offset: refused.Offset, Reason: refused.Reason}
	return strings.Replace(err.Error(), refused.Error(), bare.Error(), 1)
}

// Stored makes the request of a kept delivery again, for Read. It has everything that decoding is
// known to need: method, body as it came, path, and the headers that are kept in the clear
// (Content-Type, Content-Encoding, event names and ids). It cannot be verified a second time: credentials,
// the query and a token in the path were never kept.
func Stored(source Source, d journal.Delivery) (lms.Request, error) {
	switch {
	case d.Tenant != source.Tenant || d.Source != source.ID:
		return lms.Request{}, fmt.Errorf("read delivery %s again: it is of another source", d.ID)
	case d.Verdict == journal.VerdictRejected:
		return lms.Request{}, fmt.Errorf("read delivery %s again: it was rejected, and its body not kept", d.ID)
	}
	r := lms.Request{Method: d.Method, Header: d.Header.Clone(), Body: d.Body, Received: d.Body, RemoteAddr: d.RemoteAddr}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if a, ok := parseAddress(d.Path); ok {
		if len(a.tail) > 0 && a.tail[0] == masked {
			a.tail = a.tail[1:]
		}
		r.Path = strings.Join(a.tail, "/")
	}
	return r, nil
}
