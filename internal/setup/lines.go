package setup

import "strings"

// lines are a credential's lines of the tenants' file, as they stand under a tenant. The id of the
// source is the platform's name while the reader has not said another.
func lines(platform, source string, c Credential) string {
	if source == "" {
		source = platform
	}
	var out strings.Builder
	out.WriteString("sources:\n  - id: " + source + "\n    platform: " + platform + "\n")
	out.WriteString(indented(c.Settings))
	return out.String()
}

// indented are lines of a source where they stand in the tenants' file.
func indented(lines string) string {
	var out strings.Builder
	for line := range strings.SplitSeq(strings.TrimRight(lines, "\n"), "\n") {
		out.WriteString("    " + line + "\n")
	}
	return out.String()
}
