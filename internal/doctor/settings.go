package doctor

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"countersign/internal/settings"
)

// files checks what the processes read when they start: environment, tenants' file, secrets.
type files struct {
	file string // the tenants' file, shown
	// environment and tenants are what reading them gave, nil where it went well.
	environment, tenants error
	warnings             []string
	all                  []settings.Tenant
}

func (f files) run(context.Context) []Finding {
	const check = "settings.file"
	var found []Finding
	for _, wrong := range mistakes(f.environment) {
		found = append(found, unfit(Error, "settings.environment", wrong, "correct it; nothing starts until then"))
	}
	for _, wrong := range mistakes(f.tenants) {
		found = append(found, unfit(Error, check, wrong, "correct it; nothing starts until then"))
	}
	if len(found) == 0 {
		sources := 0
		for _, t := range f.all {
			sources += len(t.Sources)
		}
		found = append(found, fine(check, "%s: %s, %s; every secret is there", f.file, plural(len(f.all), "tenant"), plural(sources, "source")))
	}
	for _, doubt := range f.warnings {
		warning := unfit(Warning, "settings.doubt", doubt, "")
		warning.Tenant = f.tenantOf(doubt)
		found = append(found, warning)
	}
	return found
}

// mistakes takes an error of the settings apart: each has its own line.
func mistakes(err error) []string {
	var list settings.Mistakes
	switch {
	case err == nil:
		return nil
	case errors.As(err, &list):
		all := make([]string, len(list))
		for i, m := range list {
			all[i] = m.String()
		}
		return all
	}
	return lines(err)
}

// lines are the errors that were joined into one.
func lines(err error) []string {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		joined, ok := inner.(interface{ Unwrap() []error })
		if !ok {
			continue
		}
		var all []string
		for _, one := range joined.Unwrap() {
			all = append(all, one.Error())
		}
		return all
	}
	return []string{fmt.Sprint(err)}
}

var tenantKey = regexp.MustCompile(`: tenants\[(\d+)\]`)

// tenantOf finds whose entry a warning is about; "" for the process's.
func (f files) tenantOf(warning string) string {
	match := tenantKey.FindStringSubmatch(warning)
	if match == nil {
		return ""
	}
	i, err := strconv.Atoi(match[1])
	if err != nil || i >= len(f.all) {
		return ""
	}
	return f.all[i].ID
}
