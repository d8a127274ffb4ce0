package setup

import "strings"

// segment is a piece of a text of the files, which know two things besides plain text: `code` and
// **what a button or a field is called**.
type segment struct {
	Text         string
	Code, Strong bool
}

// prose cuts a text into its pieces. A mark without its other half stands for itself.
func prose(text string) []segment {
	var all []segment
	add := func(s segment) {
		if s.Text != "" {
			all = append(all, s)
		}
	}
	plain := 0
	for i := 0; i < len(text); {
		var mark string
		switch {
		case text[i] == '`':
			mark = "`"
		case strings.HasPrefix(text[i:], "**"):
			mark = "**"
		default:
			i++
			continue
		}
		inner, _, closed := strings.Cut(text[i+len(mark):], mark)
		if !closed || inner == "" {
			i += len(mark)
			continue
		}
		add(segment{Text: text[plain:i]})
		add(segment{Text: inner, Code: mark == "`", Strong: mark == "**"})
		i += len(inner) + 2*len(mark)
		plain = i
	}
	add(segment{Text: text[plain:]})
	return all
}

// markdownEscaper keeps plain text from being read as Markdown or HTML.
var markdownEscaper = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "|", `\|`, "#", `\#`,
)

// toMarkdown writes a text of the files as Markdown, safe in a table's cell too.
func toMarkdown(text string) string {
	var out strings.Builder
	for _, s := range prose(text) {
		switch {
		case s.Code:
			out.WriteString(code(s.Text))
		case s.Strong:
			out.WriteString("**" + markdownEscaper.Replace(s.Text) + "**")
		default:
			out.WriteString(markdownEscaper.Replace(s.Text))
		}
	}
	return out.String()
}

// code writes a text as a code span. In one, a table still ends its cell at a bar, and GitHub takes
// the backslash before it away again.
func code(text string) string { return "`" + strings.ReplaceAll(text, "|", `\|`) + "`" }
