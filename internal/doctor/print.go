package doctor

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
)

// marks are how levels stand at the beginning of a line: what needs somebody is in capitals.
var marks = map[Level]string{OK: "ok", Note: "note", Warning: "WARN", Error: "FAIL"}

// Print writes the report for people, tenant by tenant. With quiet it leaves out what is fine and what is only
// worth knowing.
func (r Report) Print(w io.Writer, quiet bool) error {
	var page strings.Builder
	fmt.Fprintf(&page, "Countersign doctor, %s, took %.1f s; nothing was written\n", r.At.Format("2006-01-02 15:04 MST"),
		(time.Duration(r.TookMS) * time.Millisecond).Seconds())
	r.group(&page, "installation", "", quiet)
	for _, t := range r.Tenants {
		r.group(&page, fmt.Sprintf("tenant %s (%s)", t.ID, t.Name), t.ID, quiet)
	}
	fmt.Fprintf(&page, "\n%s, %s, %s, %d ok\n", plural(r.Counts[Error], "failure"), plural(r.Counts[Warning], "warning"), plural(r.Counts[Note], "note"), r.Counts[OK])
	_, err := io.WriteString(w, page.String())
	return err
}

func (r Report) group(page *strings.Builder, title, tenant string, quiet bool) {
	shown := r.merged(tenant, quiet)
	width := 0
	for _, f := range shown {
		width = max(width, len(f.Check))
	}
	if len(shown) == 0 && quiet {
		return
	}
	fmt.Fprintf(page, "\n%s\n", title)
	for _, f := range shown {
		text := f.Text
		if f.Subject != "" {
			text = f.Subject + ": " + text
		}
		fmt.Fprintf(page, "  %-4s  %-*s  %s\n", marks[f.Level], width, f.Check, oneLine(text))
		if f.Fix != "" {
			fmt.Fprintf(page, "  %-4s  %-*s  → %s\n", "", width, "", oneLine(f.Fix))
		}
	}
}

// merged are a tenant's findings; what is said of several subjects stands there once, with all of them.
func (r Report) merged(tenant string, quiet bool) []Finding {
	var shown []Finding
	for _, f := range r.Findings {
		if f.Tenant != tenant || quiet && f.Level != Warning && f.Level != Error {
			continue
		}
		same := slices.IndexFunc(shown, func(s Finding) bool {
			return s.Check == f.Check && s.Level == f.Level && s.Text == f.Text && s.Fix == f.Fix && s.Subject != "" && f.Subject != ""
		})
		if same >= 0 {
			shown[same].Subject += ", " + f.Subject
			continue
		}
		shown = append(shown, f)
	}
	return shown
}

// oneLine keeps what other systems have said from writing over the terminal.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}

// plural counts: "1 note", "2 notes". What makes no plural with an s is given both.
func plural(n int, one string, more ...string) string {
	switch {
	case n == 1:
		return "1 " + one
	case len(more) > 0:
		return fmt.Sprint(n, " ", more[0])
	default:
		return fmt.Sprint(n, " ", one, "s")
	}
}
