package ingress

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
)

// FuzzAddress: whatever a URL says, no segment leads upwards, no token is written down, and what is
// written down is read again as the same path.
func FuzzAddress(f *testing.F) {
	for _, seed := range []string{"/webhooks/lms/acme/main", "/webhooks/lms/a/b/canary/test/x", "/webhooks/lms/%2E%2E/b/%2F", "/webhooks/lms//", "/%zz"} {
		f.Add(seed)
	}
	source := Source{Tenant: "acme", ID: "main", PathToken: true, Transport: lms.Transport{Paths: []string{"*", "*/*"}}}
	f.Fuzz(func(t *testing.T, escaped string) {
		a, ok := parseAddress(escaped)
		if !ok {
			return
		}
		for _, segment := range append([]string{a.tenant, a.source}, a.tail...) {
			require.NotContains(t, []string{"", ".", ".."}, segment)
		}
		p, ok := source.place(a.tail)
		if !ok {
			return
		}
		require.LessOrEqual(t, strings.Count(p.path, "/"), 1)
		again, ok := parseAddress(source.written(p))
		require.True(t, ok)
		read, ok := source.place(again.tail)
		require.True(t, ok)
		if p.token != "" {
			require.Equal(t, masked, read.token)
			require.Equal(t, p.path, strings.TrimPrefix(strings.Join(again.tail, "/"), masked+"/")[:len(p.path)])
		}
	})
}
