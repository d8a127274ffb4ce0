package setup

import (
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/lms/platform"
)

func TestEveryAdapterHasItsPage_R166_R182(t *testing.T) {
	require.Equal(t, platform.Names(), platforms())
}

// adapterOf reads with the mapping of the page, where it has one.
func adapterOf(t *testing.T, p Page) lms.Adapter {
	t.Helper()
	known, ok := platform.Find(p.Platform)
	require.True(t, ok, p.Platform)
	own := loadPage(t, p, p.Credentials[0]).Mapping
	require.Equal(t, p.Own != nil, own != nil, p.Platform)
	m, err := known.Mapping(own)
	require.NoError(t, err)
	return known.New(m)
}

// What a page says of a sample is what the platform's adapter makes of it.
func TestSamplesAreWhatTheirPageSays(t *testing.T) {
	for _, p := range book(t).All() {
		adapter := adapterOf(t, p)
		for _, s := range p.Samples {
			decoded, err := adapter.Decode(lms.Request{Header: s.Header(), Body: s.Body(), Path: s.Path})
			require.NoError(t, err, "%s/%s", p.Platform, s.Name)
			completions, ignored, problems := len(decoded.Completions), len(decoded.Ignored), len(decoded.Problems)
			ignored += len(decoded.Enrollments) // where no policy wants them
			at := []any{"%s/%s: %d completions, %d ignored, problems %v", p.Platform, s.Name, completions, ignored, decoded.Problems}
			require.Equal(t, s.Kind == IsCompletion || s.Kind == IsMixed, completions > 0, at...)
			require.Equal(t, s.Kind == IsIgnored || s.Kind == IsMixed, ignored > 0, at...)
			require.Equal(t, s.Kind == IsReview, problems > 0, at...)
		}
	}
}
