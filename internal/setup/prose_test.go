package setup

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestProse(t *testing.T) {
	for text, want := range map[string][]segment{
		"":                  nil,
		"plain":             {{Text: "plain"}},
		"press **Save**.":   {{Text: "press "}, {Text: "Save", Strong: true}, {Text: "."}},
		"`a` and `b`":       {{Text: "a", Code: true}, {Text: " and "}, {Text: "b", Code: true}},
		"`**a**`":           {{Text: "**a**", Code: true}},
		"an open ` stays":   {{Text: "an open ` stays"}},
		"an open ** stays":  {{Text: "an open ** stays"}},
		"`` and **** too":   {{Text: "`` and **** too"}},
		"**a** `b` ** `c`":  {{Text: "a", Strong: true}, {Text: " "}, {Text: "b", Code: true}, {Text: " ** "}, {Text: "c", Code: true}},
		"2 * 3 and snake_x": {{Text: "2 * 3 and snake_x"}},
	} {
		require.Equal(t, want, prose(text), text)
	}
}

func TestMarkdownIsEscaped(t *testing.T) {
	require.Equal(t, `a \| b &lt;i&gt; \[x\](y) snake\_x`, toMarkdown("a | b <i> [x](y) snake_x"))
	require.Equal(t, "`a \\| <i>`", toMarkdown("`a | <i>`"))
}

// Nothing of a text gets lost or is doubled, whatever stands in it.
func FuzzProse(f *testing.F) {
	f.Add("press **Save**, `x`")
	f.Add("`` ** ` **a**")
	f.Fuzz(func(t *testing.T, text string) {
		var all strings.Builder
		for _, s := range prose(text) {
			require.NotEmpty(t, s.Text)
			mark := ""
			switch {
			case s.Code:
				mark = "`"
			case s.Strong:
				mark = "**"
			}
			all.WriteString(mark + s.Text + mark)
		}
		require.Equal(t, text, all.String())
	})
}
