package setup

import "strings"

// Overview draws all platforms in one table, as it stands in docs/lms/README.md.
func (b *Book) Overview() string {
	w := &markdown{}
	w.WriteString(regenerated)
	w.line("# Connect your LMS\n")
	w.line("%s\n", "One page per platform: what to click, which URL and credential to enter, which fields are needed, how to test it, and what to do "+
		"when it fails. A running Countersign serves the same pages under `/setup/`, with its own address filled in.")
	w.table("Platform", "It sends", "Credential, first choice", "Sends again", "Countersign may be down", "Not in a delivery")
	for _, p := range b.pages {
		w.row("["+toMarkdown(p.Title)+"]("+p.Platform+".md)", toMarkdown(p.Matrix.Transport), toMarkdown(p.Credentials[0].Title),
			toMarkdown(p.Matrix.Retries), toMarkdown(p.Matrix.Down), toMarkdown(p.lacks()))
	}
	w.line("")
	w.line("Not on the list? An LMS that can shape its webhooks: [canonical](canonical.md). One that cannot: [generic](generic.md).\n")
	w.section("What every page means")
	w.line("%s", strings.Join([]string{
		"- `https://YOUR-HOST` is where the LMS reaches Countersign; `{tenant}` and `{source}` are the ids in the tenants' file.",
		"- **documented**: the vendor's own text says so. **observed**: seen in captured deliveries or in public code that works. **assumed**: " +
			"to be confirmed by your first delivery. **unknown**: looked for and not found; it stays configurable.",
		"- *May be down*: for how long the platform keeps what Countersign did not take. After that somebody has to compare and send again.",
		"- Whatever happens: an authenticated delivery is stored before it is answered 200, repeats do no harm, and content alone is never answered 4xx " +
			"(but on the rehearsal URL).",
	}, "\n"))
	return w.String()
}

// lacks names what deliveries never have.
func (p Page) lacks() string {
	var all []string
	for _, l := range p.Lacking {
		all = append(all, l.What)
	}
	return strings.Join(all, "; ")
}
