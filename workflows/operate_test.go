package workflows

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"countersign/internal/training"

	"github.com/stretchr/testify/require"
)

// The table in docs/operate.md has a command for every cause, and what it sends would be taken.
func TestOperatorsHaveACommandForEveryCause_R139(t *testing.T) {
	text, err := os.ReadFile("../docs/operate.md")
	require.NoError(t, err)
	class, pasted := regexp.MustCompile("`\"([a-z_]+)\"`"), regexp.MustCompile("`(\\{.*?\\})`")
	failed := map[training.Action]training.EffectKind{
		training.ActionSkipCertificate: training.EffectCertificate, training.ActionSkipStatement: training.EffectStatement,
		training.ActionSkipEvidence: training.EffectEvidence,
	}
	seen := map[training.FailureClass]bool{}
	for row := range strings.Lines(string(text)) {
		if !strings.HasPrefix(row, "| `\"") {
			continue
		}
		var a answer
		require.NoError(t, json.Unmarshal([]byte(pasted.FindStringSubmatch(row)[1]), &a), row)
		require.Empty(t, a.problem, row)
		for _, match := range class.FindAllStringSubmatch(strings.Split(row, "|")[1], -1) {
			c := training.FailureClass(match[1])
			seen[c] = true
			kind, verified := failed[a.Action]
			if !verified {
				kind = training.EffectRecord
			}
			allowed := training.ReviewActions(training.Reviewed{Class: c, Failed: kind, Verified: verified})
			require.NoError(t, a.Validate(allowed), row)
		}
	}
	for _, c := range training.FailureClasses() {
		ends := c == training.FailureHeld || c == training.FailureEnrollmentsOff // by themselves: nobody is asked
		require.True(t, seen[c] || ends, "no command for %s", c)
	}
}
