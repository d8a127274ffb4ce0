package journal

import (
	"database/sql"
	"strings"
	"time"
	"unicode/utf8"
)

// micros is how both databases keep an instant: Unix microseconds.
func micros(t time.Time) int64 { return t.UnixMicro() }

func instant(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

// nullable is t as a column value: NULL when it is zero.
func nullable(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: micros(t), Valid: !t.IsZero()}
}

// checkText reports ErrUnstorable for keys and other text that must be kept exactly or not at all.
func checkText(texts ...string) error {
	for _, text := range texts {
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			return ErrUnstorable
		}
	}
	return nil
}

// readable makes text for people storable: what no database can keep becomes U+FFFD.
func readable(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}
