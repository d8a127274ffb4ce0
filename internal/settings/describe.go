package settings

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"countersign/internal/training"
)

// Describe writes the process's settings, one variable per line, secrets masked.
func (p Process) Describe(w io.Writer) error {
	_, err := io.WriteString(w, usage(&p, "{{range .}}{{.Key}}={{.Field}}\n{{end}}"))
	return err
}

// Describe writes what would run, tenant by tenant, for `starter check`. Secrets are masked and
// named by where they are kept; addresses of people are shortened, because such output is
// pasted into tickets.
func (s *Settings) Describe(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, t := range s.Tenants {
		t.describe(out)
	}
	for _, warning := range s.Warnings {
		fmt.Fprintf(out, "warning: %s\n", warning)
	}
	return out.Flush() // tabwriter keeps every write error for Flush
}

func (t Tenant) describe(w io.Writer) {
	fmt.Fprintf(w, "tenant %s (%s)\n", t.ID, t.Name)
	admins := make([]string, len(t.Admins))
	for i, admin := range t.Admins {
		admins[i] = shortened(admin)
	}
	line(w, "training admins", "%s", strings.Join(admins, ", "))
	if t.QMS.ArenaV1 != nil {
		t.QMS.ArenaV1.describe(w, t.QMS.URL)
	} else {
		line(w, "QMS", "%s at %s as %s, secret %s, token %s, scopes %s",
			t.QMS.Type, t.QMS.URL, t.QMS.ClientID, shown(t.QMS.ClientSecret), t.QMS.TokenMode, strings.Join(t.QMS.Scopes, " "))
	}
	if t.LRS == nil {
		line(w, "LRS", "none: no statement is sent")
	} else {
		line(w, "LRS", "%s as %s, password %s, xAPI %s, actor %s %s",
			t.LRS.URL, t.LRS.Username, shown(t.LRS.Password), t.LRS.Version, t.LRS.Actor, t.LRS.HomePage)
	}
	line(w, "certificate", "issued by %s %s", t.Certificate.Issuer, t.Certificate.VerifyURL)
	line(w, "employee id", "the learner's %s", t.EmployeeID)
	line(w, "courses", "%d mapped; the others: %s", len(t.Courses), t.UnmappedCourses)
	r := t.Policy.Retry
	line(w, "retries", "%d attempts, first gap %s, times %v up to %s, jitter %v",
		r.Attempts, r.Initial, r.Coefficient, r.Maximum, r.Jitter)
	failed := "written all the same"
	if t.Policy.HoldFailed {
		failed = "held for review"
	}
	line(w, "failed courses", "%s", failed)
	missing := "review"
	if t.Policy.MissingRecord == training.MissingCreate {
		missing = "created where the employee has none of the course"
	}
	line(w, "missing records", "%s", missing)
	enrollments := "ignored"
	if t.Policy.Enrollments == training.EnrollmentsCreate {
		enrollments = "their training records are found or created, and linked"
	}
	line(w, "enrollments", "%s", enrollments)
	t.describePatience(w)
	t.describeSigning(w)
	t.describeOutage(w)
	line(w, "notices", "the first of a cause at once, then gathered for %s, growing to %s", t.Policy.DigestEvery, t.Policy.DigestLongest)
	t.describeReconciliation(w)
	for _, s := range t.Sources {
		line(w, "source "+s.ID, "%s at /webhooks/lms/%s/%s", s.Platform, t.ID, s.ID)
		if len(s.Domains) > 0 {
			line(w, "", "and at /webhooks/lms for %s", strings.Join(s.Domains, ", "))
		}
		if s.Mode == ModeTest {
			line(w, "", "TEST MODE: deliveries are read and shown, and not processed")
		}
		s.Auth.describe(w, t.ID+"/"+s.ID)
		if s.Mapping != nil {
			line(w, "", "own mapping %s of %s", s.Mapping.Version, strings.Join(mapped(*s.Mapping), ", "))
		}
		if s.EmployeeID != t.EmployeeID {
			line(w, "", "employee id: the learner's %s", s.EmployeeID)
		}
		if s.API != nil {
			s.API.describe(w)
		}
		line(w, "", "at most %v a second, %d at once", s.Rate.PerSecond, s.Rate.Burst)
	}
}

func line(w io.Writer, what, format string, args ...any) {
	fmt.Fprintf(w, "  %s\t%s\n", what, strings.TrimSpace(fmt.Sprintf(format, args...)))
}

func shown(s Secret) string { return s.String() + " (" + s.Reference() + ")" }

// shortened is an e-mail address whose domain can be checked and whose owner cannot be read.
func shortened(address string) string {
	name, domain, _ := strings.Cut(address, "@")
	return name[:min(1, len(name))] + "•••@" + domain
}
