package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"countersign/internal/journal"
	"countersign/internal/process"
	"countersign/internal/settings"
	"countersign/internal/training"
)

// sheet is a table that people edit in a spreadsheet.
type sheet interface {
	export(ctx context.Context, j *journal.Journal, tenant string, to io.Writer) error
	// load reads the file of an import twice: to find every mistake, and to put its rows.
	load(ctx context.Context, j *journal.Journal, tenant settings.Tenant, file io.ReadSeeker, o importOptions) (journal.ImportCounts, error)
}

// sheets are the tables by their names.
func sheets() map[string]sheet {
	return map[string]sheet{"links": linkSheet(), "courses": courseSheet(), "employees": employeeSheet()}
}

// importOptions say what is to be done with what a file holds.
type importOptions struct {
	kind, by, reason string
	dry, replace     bool
}

func csvUsage(stderr io.Writer) func() {
	return func() {
		fmt.Fprint(stderr, "usage: starter csv export [-o FILE] TENANT links|courses|employees\n"+
			"       starter csv import -dry-run [-replace] TENANT links|courses|employees FILE           say what would be done\n"+
			"       starter csv import -by NAME -reason WHY [-replace] TENANT links|courses|employees FILE  do it\n")
	}
}

// csvTables exports and imports links of enrollments, and mappings of courses and employees (R97, R128).
func csvTables(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	switch {
	case len(args) > 0 && args[0] == "export":
		return csvExport(ctx, args[1:], stdout, stderr)
	case len(args) > 0 && args[0] == "import":
		return csvImport(ctx, args[1:], stdout, stderr)
	}
	csvUsage(stderr)()
	if len(args) == 1 && (args[0] == "-h" || args[0] == "-help" || args[0] == "--help") {
		return flag.ErrHelp
	}
	return errors.New("csv: want export or import")
}

// csvExport writes a table. A file is readable for its owner only: it holds personal data.
func csvExport(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("starter csv export", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = csvUsage(stderr)
	name := flags.String("o", "", "write to this `file`, which must not exist yet")
	if err := flags.Parse(args); err != nil {
		return err
	}
	table, ok := sheets()[flags.Arg(1)]
	if flags.NArg() != 2 || !ok {
		flags.Usage()
		return errors.New("csv export: wrong arguments")
	}
	return opened(ctx, stderr, func(p *process.Process) (err error) {
		tenant, err := tenantOf(p, flags.Arg(0))
		if err != nil {
			return fmt.Errorf("csv export: %w", err)
		}
		to := stdout
		if *name != "" {
			file, openErr := os.OpenFile(*name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if openErr != nil {
				return fmt.Errorf("csv export: %w", openErr)
			}
			defer func() { err = errors.Join(err, file.Close()) }()
			to = file
		}
		return table.export(ctx, p.Journal, tenant.ID, to)
	})
}

// csvImport puts what a file holds, all of it or nothing.
func csvImport(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("starter csv import", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = csvUsage(stderr)
	var o importOptions
	flags.BoolVar(&o.dry, "dry-run", false, "write nothing")
	flags.BoolVar(&o.replace, "replace", false, "remove what the file does not name")
	flags.StringVar(&o.by, "by", "", "`name` of the person who imports")
	flags.StringVar(&o.reason, "reason", "", "`why`, kept with the import")
	if err := flags.Parse(args); err != nil {
		return err
	}
	o.kind = flags.Arg(1)
	table, ok := sheets()[o.kind]
	if flags.NArg() != 3 || !ok {
		flags.Usage()
		return errors.New("csv import: wrong arguments")
	}
	if !o.dry {
		// The rules for who decides and why are those of every decision.
		who := training.Decision{Action: training.ActionClose, By: o.by, Reason: o.reason}
		if err := who.Validate([]training.Action{training.ActionClose}); err != nil {
			return fmt.Errorf("csv import: -by and -reason say who imports and why: %w", err)
		}
	}
	file, err := os.Open(flags.Arg(2))
	if err != nil {
		return fmt.Errorf("csv import: %w", err)
	}
	defer file.Close()
	return opened(ctx, stderr, func(p *process.Process) error {
		tenant, err := tenantOf(p, flags.Arg(0))
		if err != nil {
			return fmt.Errorf("csv import: %w", err)
		}
		counts, err := table.load(ctx, p.Journal, tenant, file, o)
		if err != nil {
			return err
		}
		done := "imported"
		if o.dry {
			done = "dry run, nothing written"
		} else {
			p.Log.Info("imported", "tenant", tenant.ID, "table", o.kind,
				"added", counts.Added, "changed", counts.Changed, "unchanged", counts.Unchanged, "removed", counts.Removed)
		}
		_, err = fmt.Fprintf(stdout, "%s: %d added, %d changed, %d unchanged, %d removed\n",
			done, counts.Added, counts.Changed, counts.Unchanged, counts.Removed)
		return err
	})
}

func tenantOf(p *process.Process, id string) (settings.Tenant, error) {
	tenant, ok := p.Tenants.Tenant(id)
	if !ok {
		return settings.Tenant{}, fmt.Errorf("the settings have no tenant %q", id)
	}
	return tenant, nil
}

// oneOf says that a cell is none of the words.
func oneOf(words []string) string {
	return "must be one of " + strings.Join(words, ", ")
}

// knownSource says what is wrong with a source's name, "" for nothing.
func knownSource(tenant settings.Tenant, id string) string {
	if slices.ContainsFunc(tenant.Sources, func(s settings.Source) bool { return s.ID == id }) {
		return ""
	}
	return "the tenant has no such source"
}
