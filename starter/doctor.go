package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"countersign/internal/doctor"
	"countersign/internal/journal"
	"countersign/internal/process"
	"countersign/internal/settings"
	"countersign/internal/tenants"

	"github.com/prometheus/client_golang/prometheus"
)

// sick is the error of an installation that is not well: the report has said why.
type sick struct {
	code int
	what string
}

func (s sick) Error() string { return "doctor: " + s.what }

// ExitCode implements exitCoder.
func (s sick) ExitCode() int { return s.code }

// examine checks every tenant end to end and writes nothing: not in the journal, the QMS, the LRS or a channel (R220).
func examine(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("starter doctor", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, "usage: starter doctor [-tenant TENANT] [-json | -quiet] [-strict] [-sample N] [-timeout D]\n"+
			"exit code: 0 well, 1 something is broken, 2 there are warnings (with -strict)\n")
		flags.PrintDefaults()
	}
	options := doctor.Options{}
	flags.StringVar(&options.Tenant, "tenant", "", "examine this `tenant` only, and what all share")
	flags.IntVar(&options.Sample, "sample", doctor.DefaultSample, "ask each QMS for at most `N` employees and N trainings")
	asJSON := flags.Bool("json", false, "print JSON")
	quiet := flags.Bool("quiet", false, "print warnings and failures only")
	strict := flags.Bool("strict", false, "let warnings count: exit code 2")
	limit := flags.Duration("timeout", 30*time.Second, "how long a check may take")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 0 || *limit <= 0 || options.Sample <= 0 {
		flags.Usage()
		return errors.New("doctor: wrong arguments")
	}
	installation, leave := lookAt(ctx, *limit)
	defer leave()
	if _, known := installation.tenant(options.Tenant); options.Tenant != "" && installation.Tenants != nil && !known {
		return fmt.Errorf("doctor: the settings have no tenant %s", options.Tenant)
	}
	began := time.Now()
	findings := doctor.Examine(ctx, installation.Checks(options), *limit)
	if ctx.Err() != nil {
		return fmt.Errorf("doctor: %w", ctx.Err()) // half a report looks like a whole one
	}
	report := doctor.NewReport(began, time.Since(began), installation.Subjects(options), findings)
	if err := write(report, stdout, *asJSON, *quiet); err != nil {
		return err
	}
	switch code := report.ExitCode(*strict); code {
	case doctor.ExitFine:
		return nil
	case doctor.ExitWarnings:
		return sick{code, "there are warnings"}
	default:
		return sick{code, "something is broken"}
	}
}

func write(report doctor.Report, stdout io.Writer, asJSON, quiet bool) error {
	if asJSON {
		return report.WriteJSON(stdout)
	}
	return report.Print(stdout, quiet)
}

// looked is an installation, and the settings it was found by.
type looked struct{ doctor.Installation }

func (l looked) tenant(id string) (settings.Tenant, bool) {
	if l.Tenants == nil {
		return settings.Tenant{}, false
	}
	return l.Tenants.Tenant(id)
}

// lookAt opens what starter and worker open, as far as it can be opened, and for reading only.
func lookAt(ctx context.Context, limit time.Duration) (l looked, leave func()) {
	leave = func() {}
	l.Dialer = doctor.Dialer{Proxy: http.ProxyFromEnvironment}
	if l.Own, l.Environment = settings.ProcessFromEnv(); l.Environment != nil {
		return l, leave
	}
	_, l.Tenants, l.TenantsErr = process.Load()
	if l.TenantsErr == nil {
		_, l.TenantsErr = newSources(l.Tenants, verifiers{}) // as check does
	}
	l.SecretModified = secretModified(filepath.Dir(l.Own.Tenants))
	// The calls of the checks are no news: what they find is in the report.
	silent := slog.New(slog.DiscardHandler)
	p := &process.Process{Settings: l.Own, Tenants: l.Tenants, Log: silent, Registry: prometheus.NewRegistry()}

	opening, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if opened, err := journal.Examine(opening, l.Own.Journal.Reveal()); err != nil {
		l.JournalErr = err
	} else {
		l.Journal = opened
		leave = func() { _ = opened.Close() } // it was only read
	}
	if c, namespace, err := process.DialTemporal(p.Registry, p.Log); err != nil {
		l.TemporalErr = err
	} else {
		l.Temporal, l.Namespace = c, namespace
		p.Temporal, p.Namespace = c, namespace
		closeJournal := leave
		leave = func() { c.Close(); closeJournal() }
	}
	if l.Own.SMTP.MailEnabled() {
		// The sender stands for the recipients: there will be none.
		if mail, err := tenants.NewMail(p, []string{l.Own.SMTP.From}); err != nil {
			l.MailErr = err
		} else {
			l.Mail = mail
		}
	}
	l.ports(p)
	return l, leave
}

// ports gives every tenant its clients, each with a witness.
func (l *looked) ports(p *process.Process) {
	l.Ports = map[string]doctor.Ports{}
	if l.Tenants == nil {
		return
	}
	for _, t := range l.Tenants.Tenants {
		qms, lrs := doctor.NewWitness(http.DefaultTransport, nil), doctor.NewWitness(http.DefaultTransport, nil)
		wired, err := tenants.Look(p, t, func(target tenants.Target) *http.Client {
			switch target {
			case tenants.TargetQMS:
				return &http.Client{Transport: qms}
			case tenants.TargetLRS:
				return &http.Client{Transport: lrs}
			default:
				return nil
			}
		})
		ports := doctor.Ports{Err: err}
		if err == nil {
			ports.QMS, ports.QMSWitness = wired.QMS, qms
			ports.LMS = map[string]doctor.LMS{}
			for _, source := range t.Sources {
				if client := wired.LMS(source.ID); client != nil {
					ports.LMS[source.ID] = client
				}
			}
			if store, ok := wired.LRS.(doctor.LRS); ok {
				ports.LRS, ports.LRSWitness = store, lrs
			}
		}
		l.Ports[t.ID] = ports
	}
}

// secretModified finds when the file of a secret was last written. Relative paths begin at dir, as the settings'.
func secretModified(dir string) func(reference string) (time.Time, bool) {
	return func(reference string) (time.Time, bool) {
		name, ok := strings.CutPrefix(reference, "file:")
		if !ok {
			return time.Time{}, false
		}
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		info, err := os.Stat(name)
		if err != nil {
			return time.Time{}, false
		}
		return info.ModTime(), true
	}
}
