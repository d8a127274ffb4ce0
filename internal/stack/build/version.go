package build

import (
	"cmp"
	"fmt"
	"strings"
)

// Version is the version of a Temporal server.
type Version struct{ Major, Minor, Patch int }

// String is the version as it is written: 1.32.1.
func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch) }

// Less orders versions.
func (v Version) Less(w Version) bool {
	return cmp.Or(cmp.Compare(v.Major, w.Major), cmp.Compare(v.Minor, w.Minor), cmp.Compare(v.Patch, w.Patch)) < 0
}

// oldest is the first server with all we use: fair task queues among it.
func oldest() Version { return Version{1, 29, 0} }

const ourName = "countersign-temporald "

// parseVersion reads what --version prints: "temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)"
// from the official command, "countersign-temporald server 1.32.1 ui 2.55.0" from ours.
func parseVersion(output string) (v Version, ours bool, err error) {
	words := strings.Fields(strings.ToLower(output))
	for i, word := range words[:max(0, len(words)-1)] {
		if strings.TrimPrefix(word, "(") != "server" {
			continue
		}
		number := strings.TrimPrefix(strings.TrimRight(words[i+1], ",)"), "v")
		if n, err := fmt.Sscanf(number, "%d.%d.%d", &v.Major, &v.Minor, &v.Patch); n == 3 && err == nil {
			return v, strings.HasPrefix(output, ourName), nil
		}
	}
	return Version{}, false, fmt.Errorf("says %.80q, which names no server version", strings.TrimSpace(output))
}
