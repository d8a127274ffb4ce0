package setup

import (
	"fmt"
	"strings"
)

// regenerated stands on top of every file in docs/lms.
const regenerated = "<!-- Made from internal/setup by: go test ./internal/setup -run TestDocuments -update -->\n\n"

// Markdown draws the page of a platform as it stands in docs/lms.
func (b *Book) Markdown(p Page, o Options) string {
	v := b.newView(p, o, "", "")
	w := &markdown{sources: map[string]Source{}}
	for _, s := range p.Sources {
		w.sources[s.ID] = s
	}
	w.WriteString(regenerated)
	w.head(v)
	w.setUp(v)
	w.try(v)
	w.content(v)
	w.down(v)
	w.sure(v)
	return strings.TrimRight(w.String(), "\n") + "\n"
}

// markdown writes the parts of a page.
type markdown struct {
	strings.Builder

	sources map[string]Source
}

func (w *markdown) line(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

func (w *markdown) section(title string) { w.line("## %s\n", title) }

func (w *markdown) fenced(language, text string) {
	w.line("```%s\n%s\n```\n", language, strings.TrimRight(text, "\n"))
}

// fact is a statement with its mark, and the mark leads to where it was read. What is ours needs none.
func (w *markdown) fact(f Fact) string {
	text := toMarkdown(f.Text)
	if f.Mark == Ours {
		return text
	}
	mark := string(f.Mark)
	if source, known := w.sources[f.Source]; known && source.Address != "" {
		mark = "[" + mark + "](" + source.Address + ")"
	}
	return strings.TrimSpace(text + " <sub>" + mark + "</sub>")
}

func (w *markdown) bullets(facts []Fact) {
	for _, f := range facts {
		w.line("- %s", w.fact(f))
	}
	w.line("")
}

func (w *markdown) numbers(facts []Fact) {
	for i, f := range facts {
		w.line("%d. %s", i+1, w.fact(f))
	}
	w.line("")
}

func (w *markdown) table(heads ...string) {
	w.line("| %s |", strings.Join(heads, " | "))
	w.line("|%s", strings.Repeat("---|", len(heads)))
}

func (w *markdown) row(cells ...string) { w.line("| %s |", strings.Join(cells, " | ")) }

func (w *markdown) head(v view) {
	w.line("# %s\n", markdownEscaper.Replace(v.Title))
	w.line("%s\n", toMarkdown(v.Summary))
	w.line("%s\n", w.fact(v.Verified))
	w.table("At a glance", "")
	w.row("URL to paste", code(v.URL))
	w.row("Rehearsal URL", code(v.Rehearse)+" (writes nothing)")
	w.row("Method", "POST; GET and OPTIONS are the connection test")
	w.row("Answer", "`200`: stored on disk")
	w.row("It sends", toMarkdown(v.Matrix.Transport))
	w.row("Credential, first choice", toMarkdown(v.Page.Credentials[0].Title))
	w.row("Sends again", toMarkdown(v.Matrix.Retries))
	w.row("Countersign may be down", toMarkdown(v.Matrix.Down))
	w.row("Platform in the tenants' file", code(v.Platform))
	w.line("\n%s\n", "`{tenant}` and `{source}` are the ids in the tenants' file; `{token}` is a secret of your own. "+
		"Marks: **documented**: the vendor says so; **observed**: seen in deliveries or working code; **assumed**: to be confirmed by "+
		"your first delivery; **unknown**: looked for and not found. What has no mark is Countersign's own doing.")
}

func (w *markdown) setUp(v view) {
	w.section("Before you begin")
	w.bullets(v.Before)
	w.section("In the LMS, step by step")
	for _, group := range v.Steps {
		if group.Title != "" {
			w.line("### %s\n", toMarkdown(group.Title))
		}
		w.numbers(group.Do)
	}
	if len(v.Pasted) > 0 {
		w.table("URL", "For")
		for _, u := range v.Pasted {
			w.row(code(u.Path), toMarkdown(u.Use))
		}
		w.line("")
	}
	if len(v.URLNotes) > 0 {
		w.bullets(v.URLNotes)
	}
	w.section("The credential")
	w.line("%s\n", "First choice first. The lines belong into the tenants' file, under your tenant; `env:NAME` names the environment variable "+
		"that holds the secret ([configuration](../configuration.md)).")
	for i, c := range v.Credentials {
		w.line("### %d. %s\n", i+1, toMarkdown(c.Title))
		w.line("%s\n", w.fact(c.Sends))
		w.bullets(c.Enter)
		if c.Pasted != v.URL {
			w.line("URL with this credential: %s\n", code(c.Pasted))
		}
		w.fenced("yaml", c.Lines)
	}
}

func (w *markdown) try(v view) {
	w.section("Test it")
	w.line("**Test connection**\n")
	w.bullets(v.Tests.Connection)
	w.line("**Test with a user**\n")
	w.bullets(v.Tests.User)
	if v.Commands.Connection != "" {
		w.line("### From a shell\n")
		if v.Commands.Why != "" {
			w.line("%s\n", toMarkdown(v.Commands.Why))
		}
		w.line("For macOS, Linux, and Git Bash or WSL on Windows, with credential *%s*. First the secret, by itself: it is read "+
			"without being shown.\n", toMarkdown(v.Commands.Title))
		w.fenced("sh", v.Commands.Secret)
		w.line("Connection test: nothing is stored. `HTTP 200` and verdict `test` say that URL and credential are right.\n")
		w.fenced("sh", v.Commands.Connection)
		w.line("Rehearsal of the sample %s: the answer shows what was read and what would be done; nothing is written.\n", code(v.Commands.Sample))
		w.fenced("sh", v.Commands.Rehearsal)
		w.line("<details><summary>The same for real: the completion is stored and goes its way. On a live source send real people only.</summary>\n")
		w.fenced("sh", v.Commands.Delivery)
		w.line("</details>\n")
	}
	w.section("When it fails")
	w.table("Answer", "What it means", "What to do")
	for _, a := range v.Answers {
		w.row(toMarkdown(a.Code), toMarkdown(a.Says), toMarkdown(a.Fix))
	}
	w.line("\nEvery answer but 200 has `detail`, a sentence that says what to mend, and `requestId`, by which the operator finds the line in the log.\n")
}

func (w *markdown) content(v view) {
	w.section("What is sent")
	w.bullets(v.Sending)
	w.section("Which events count")
	w.table("Event", "Completion?", "")
	for _, e := range v.Events.Completions {
		w.row(code(e.Name), "**yes**", w.fact(e.Says))
	}
	for _, e := range v.Events.Ignored {
		w.row(code(e.Name), "no", w.fact(e.Says))
	}
	w.line("\nWhat is no completion is stored, answered 200 and ignored with a reason.\n")
	w.section("Fields")
	w.table("Countersign's field", "Where it stands", "Needed", "Type", "")
	for _, f := range v.Fields {
		w.row(code(f.Target), code(f.At), string(f.Need), toMarkdown(f.Type), w.fact(f.Note))
	}
	w.line("\n*One of these*: of the learner's fields one is needed, and of the course's. Any field can be read from another place: by the source's mapping.\n")
	if v.Own != nil {
		w.line("### The mapping\n")
		w.line("%s\n", w.fact(v.Own.Why))
		w.fenced("yaml", indented(v.Own.Lines))
	}
	if len(v.Mapping) > 0 {
		w.line("### Default mapping\n")
		w.table("Field", "JSONPath", "Transform")
		for _, m := range v.Mapping {
			transform := ""
			if m.Transform != "" {
				transform = code(m.Transform)
			}
			w.row(code(m.Target), code(m.Path), transform)
		}
		w.line("")
	}
	if len(v.Lacking) > 0 {
		w.line("**Not in a delivery**\n")
		for _, l := range v.Lacking {
			w.line("- %s: %s", toMarkdown(l.What), toMarkdown(l.Instead))
		}
		w.line("")
	}
	if v.LookUp != "" {
		w.line("With an `api` in the source's settings Countersign [looks up](../look-up.md) at the platform's REST API: %s.\n", toMarkdown(v.LookUp))
	}
}

func (w *markdown) down(v view) {
	w.section("When Countersign is down")
	w.line("**How long it may be:** %s\n", w.fact(v.Outage.Down))
	w.table("", "")
	for _, f := range v.Success {
		w.row("Counts as delivered", w.fact(f))
	}
	w.row("Waits for an answer", w.fact(v.Outage.Timeout))
	w.row("Sends again", w.fact(v.Outage.Retries))
	w.row("Gives up", w.fact(v.Outage.GivesUp))
	w.line("\n**Afterwards**\n")
	w.numbers(v.Outage.After)
	w.section("Addresses")
	w.bullets(v.Addresses)
	w.section("Known traps")
	w.bullets(v.Traps)
}

func (w *markdown) sure(v view) {
	w.section("How sure this page is")
	for _, group := range v.Marks {
		for _, f := range group.Facts {
			w.line("- **%s**: %s", f.Mark, toMarkdown(f.Text))
		}
	}
	w.line("")
	w.section("Samples")
	for _, s := range v.Drawn {
		w.line("<details><summary>%s: %s, %s</summary>\n", htmlEscaper.Replace(s.Name), string(s.Kind), htmlEscaper.Replace(s.ContentType))
		w.line("%s Sent with: %s.\n", toMarkdown(s.Says), toMarkdown(s.Sends))
		for name, value := range s.sorted() {
			w.line("- header %s", code(name+": "+value))
		}
		if s.Path != "" {
			w.line("- path behind the source: %s", code(s.Path))
		}
		w.line("")
		w.fenced("json", s.Readable)
		w.line("</details>\n")
	}
	w.section("Sources")
	for _, s := range v.Sources {
		if s.Address == "" {
			w.line("- %s", toMarkdown(s.Title))
			continue
		}
		w.line("- [%s](%s)", toMarkdown(s.Title), s.Address)
	}
}

// htmlEscaper is for the few HTML elements in a page.
var htmlEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")
