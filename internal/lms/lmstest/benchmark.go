package lmstest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Benchmark measures what the first valid delivery costs: decode, and verify with two active secrets, the
// delivery being signed with the older one.
func Benchmark(b *testing.B, s Spec) {
	b.Helper()
	s.prepare(b)
	first := s.Valid[0]
	b.Run("decode", func(b *testing.B) {
		r := first.Request()
		b.SetBytes(int64(len(r.Body)))
		b.ReportAllocs()
		for b.Loop() {
			decoded, err := s.adapter.Decode(r)
			if err != nil || len(decoded.Completions) == 0 {
				b.Fatal("the delivery was not read")
			}
		}
	})
	b.Run("verify", func(b *testing.B) {
		v, err := s.Verifier("a-secret-of-tomorrow", s.Secret)
		require.NoError(b, err)
		r := s.send(s.document(first.Recorded), s.Secret)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := v.Verify(r); err != nil {
				b.Fatal("the delivery was refused")
			}
		}
	})
}
