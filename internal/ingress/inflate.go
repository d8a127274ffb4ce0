package ingress

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"countersign/internal/lms"
)

const (
	// freeInflation is what a body may inflate to whatever its size; beyond it
	// mostInflation times its size. JSON shrinks to a tenth or a thirtieth.
	freeInflation = 64 << 10
	mostInflation = 100
)

// gzipped reports whether the header says that the body is compressed with gzip; x-gzip is its old
// name (RFC 9110 §8.4.1.3).
func gzipped(header http.Header) bool {
	codings := header.Values("Content-Encoding")
	return len(codings) == 1 && (strings.EqualFold(codings[0], "gzip") || strings.EqualFold(codings[0], "x-gzip"))
}

// inflate undoes gzip (RFC 1952). Several members in a row are one body, as §2.2 says; anything else
// behind them is refused. The result is at most limit bytes, and never out of proportion to what was
// sent. The error wraps lms.ErrUnreadable.
func inflate(body []byte, limit int64) ([]byte, error) {
	most := min(limit, max(freeInflation, mostInflation*int64(len(body))))
	// The reader stops after each byte it needs, because a bytes.Reader is an io.ByteReader.
	reader, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, uninflatable(err)
	}
	plain, err := io.ReadAll(io.LimitReader(reader, most+1))
	switch {
	case err != nil:
		return nil, uninflatable(err)
	case int64(len(plain)) > most:
		return nil, fmt.Errorf("%w: the body inflates to more than %d bytes", lms.ErrUnreadable, most)
	}
	return plain, nil
}

func uninflatable(err error) error {
	reason := "the gzip data is damaged"
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		reason = "the gzip data ends early"
	case errors.Is(err, gzip.ErrHeader):
		reason = "the body is not gzip, or something else follows it"
	case errors.Is(err, gzip.ErrChecksum):
		reason = "the gzip checksum does not match"
	}
	return fmt.Errorf("%w: %s", lms.ErrUnreadable, reason)
}
