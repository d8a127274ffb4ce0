// Package platform lists the LMS adapters of this build, by the names that settings use.
package platform

import (
	"maps"
	"slices"

	"countersign/internal/lms"
	"countersign/internal/lms/canonical"
)

func adapters() map[string]lms.Adapter {
	return map[string]lms.Adapter{
		canonical.Platform: canonical.New(),
	}
}

// Names lists the platforms in alphabetical order.
func Names() []string { return slices.Sorted(maps.Keys(adapters())) }

// Adapter returns the adapter of a platform.
func Adapter(name string) (lms.Adapter, bool) {
	a, ok := adapters()[name]
	return a, ok
}
