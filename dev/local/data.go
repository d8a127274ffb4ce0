package main

import (
	"bufio"
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// data is the directory that makes a restart go on where it stopped.
type data struct {
	dir     string
	secrets map[string]string // by variable
}

// The secrets of the seeded tenant, as its file refers to them.
const (
	lmsSecret    = "ACME_LMS_SECRET"
	moodleSecret = "ACME_MOODLE_SECRET"
	arenaSecret  = "ACME_ARENA_SECRET"
	lrsPassword  = "ACME_LRS_PASSWORD"
)

// variables are all of them.
func variables() []string {
	all := []string{arenaSecret, lrsPassword}
	for _, s := range sources() {
		if s.secret != "" {
			all = append(all, s.secret)
		}
	}
	return all
}

// openData makes the directory and its secrets when they are missing.
func openData(dir string) (*data, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open data directory: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open data directory: %w", err)
	}
	d := &data{dir: dir}
	if d.secrets, err = readSecrets(d.file("secrets.env")); err != nil {
		return nil, err
	}
	return d, nil
}

func (d *data) file(name ...string) string {
	return filepath.Join(append([]string{d.dir}, name...)...)
}

// readSecrets reads NAME=value lines, a file that a shell can source, and adds what is missing.
func readSecrets(path string) (map[string]string, error) {
	content, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read secrets: %w", err)
	}
	secrets := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(content))
	for lines.Scan() {
		if name, value, found := strings.Cut(strings.TrimSpace(lines.Text()), "="); found && !strings.HasPrefix(name, "#") {
			secrets[name] = value
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read secrets: %w", err)
	}
	added := ""
	for _, name := range variables() {
		if secrets[name] == "" {
			secrets[name] = newSecret(name)
			added += name + "=" + secrets[name] + "\n"
		}
	}
	if added == "" {
		return secrets, nil
	}
	if len(content) == 0 {
		added = "# Made for this installation; starter and worker get them in their environment.\n" + added
	} else if !bytes.HasSuffix(content, []byte("\n")) {
		added = "\n" + added
	}
	if err := os.WriteFile(path, append(content, added...), 0o600); err != nil {
		return nil, fmt.Errorf("write secrets: %w", err)
	}
	return secrets, nil
}

//go:embed countersign.yml
var tenantsTemplate []byte

// simulatorAddress is where tenants reach the simulators, in the template and in a file made of it.
var simulatorAddress = regexp.MustCompile(`http://127\.0\.0\.1:\d+/(arena|lrs|canvas)\b`)

// writeTenants writes the tenants' file. One that is there belongs to the developer: only the
// address of the simulators is brought up to date, because their port may have changed.
func (d *data) writeTenants(simulators string) (changed bool, err error) {
	path := d.file("countersign.yml")
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		content, err = nil, nil
	}
	if err != nil {
		return false, fmt.Errorf("read tenants: %w", err)
	}
	from := content
	if from == nil {
		from = tenantsTemplate
	}
	to := simulatorAddress.ReplaceAll(from, []byte(simulators+"/$1"))
	if bytes.Equal(to, content) {
		return false, nil
	}
	if err := os.WriteFile(path, to, 0o600); err != nil {
		return false, fmt.Errorf("write tenants: %w", err)
	}
	return content != nil, nil
}

// environmentFile is what another terminal sources before it runs the product's commands.
const environmentFile = "environment.env"

// writeEnvironment writes the settings of starter and worker, secrets included, as a shell reads them.
func (d *data) writeEnvironment(settings map[string]string) error {
	var lines strings.Builder
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&lines, "export %s='%s'\n", name, strings.ReplaceAll(settings[name], "'", `'\''`))
	}
	if err := os.WriteFile(d.file(environmentFile), []byte(lines.String()), 0o600); err != nil {
		return fmt.Errorf("write environment: %w", err)
	}
	return nil
}
