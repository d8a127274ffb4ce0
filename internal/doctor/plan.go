package doctor

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"time"

	"countersign/internal/settings"
	"countersign/internal/training"
)

// Installation is what is examined. Whatever could not be built is nil, with its error beside it: the other checks
// are made all the same.
type Installation struct {
	// Own is the process's environment; Environment is why it could not be read, and then there is nothing else.
	Own         settings.Process
	Environment error
	// Tenants is nil where TenantsErr says why.
	Tenants    *settings.Settings
	TenantsErr error

	Journal    Journal
	JournalErr error

	Temporal    Temporal
	TemporalErr error
	Namespace   string

	Mail    Mail
	MailErr error

	// Ports are the tenants', by id.
	Ports  map[string]Ports
	Dialer Dialer
	// SecretModified is when the file of a secret was last written, false for what is no file.
	SecretModified func(reference string) (time.Time, bool)
}

// Ports are the clients of one tenant, as the worker has them.
type Ports struct {
	// Err is why there are none.
	Err error
	QMS QMS
	// LRS is nil where the tenant has none.
	LRS LRS
	// LMS are the REST APIs of the sources that have one, by the source's id.
	LMS map[string]LMS
	// QMSWitness and LRSWitness saw their calls; nil where nobody did.
	QMSWitness, LRSWitness *Witness
}

// Options narrow an examination down.
type Options struct {
	// Tenant examines one tenant and what all share; "" examines all.
	Tenant string
	// Sample is how many employees, and how many mapped trainings, a QMS is asked for at most.
	Sample int
	// Now is time.Now when nil.
	Now func() time.Time
}

// DefaultSample keeps a run within 20 or so calls of a QMS's budget.
const DefaultSample = 10

// Subjects are the tenants that are examined.
func (i Installation) Subjects(o Options) []Subject {
	var all []Subject
	for _, t := range i.tenants(o) {
		all = append(all, Subject{ID: t.ID, Name: t.Name})
	}
	return all
}

func (i Installation) tenants(o Options) []settings.Tenant {
	if i.Tenants == nil {
		return nil
	}
	if o.Tenant == "" {
		return i.Tenants.Tenants
	}
	if t, ok := i.Tenants.Tenant(o.Tenant); ok {
		return []settings.Tenant{t}
	}
	return nil
}

// Checks are all checks of the installation, in the order in which people read them.
func (i Installation) Checks(o Options) []Check {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sample <= 0 {
		o.Sample = DefaultSample
	}
	examined := i.tenants(o)
	all := []Check{{Name: "settings", Run: i.files(examined).run}}
	if i.Environment != nil {
		return all
	}
	all = append(all,
		Check{Name: "journal", Run: database{i.Journal, i.JournalErr, o.Now}.run},
		Check{Name: "temporal", Run: i.engine(o).run},
		Check{Name: "mail", Run: i.post(examined, o).run},
		Check{Name: "listen", Run: door{i.Own, i.Dialer, o.Now}.run},
	)
	for _, t := range examined {
		all = append(all, i.tenant(t, o)...)
	}
	return append(all, Check{Name: "sources.traffic", Run: traffic{i.Journal, examined, o.Now}.run})
}

func (i Installation) files(examined []settings.Tenant) files {
	f := files{file: i.Own.Tenants, environment: i.Environment, tenants: i.TenantsErr, warnings: slices.Clone(i.Own.Warnings)}
	if i.Tenants != nil {
		f.all = i.Tenants.Tenants
		for _, doubt := range i.Tenants.Warnings {
			// Of a tenant that is not examined nobody has asked.
			if id := f.tenantOf(doubt); id == "" || contains(examined, id) {
				f.warnings = append(f.warnings, doubt)
			}
		}
	}
	return f
}

func contains(tenants []settings.Tenant, id string) bool {
	for _, t := range tenants {
		if t.ID == id {
			return true
		}
	}
	return false
}

func (i Installation) engine(o Options) interface {
	run(ctx context.Context) []Finding
} {
	if i.Temporal == nil {
		return broken{"temporal.reach", i.TemporalErr, "correct the TEMPORAL_ variables"}
	}
	return engine{temporal: i.Temporal, namespace: i.Namespace, taskQueue: i.Own.TaskQueue, now: o.Now}
}

func (i Installation) post(examined []settings.Tenant, o Options) post {
	smtp := i.Own.SMTP
	p := post{mail: i.Mail, wrong: i.MailErr, server: net.JoinHostPort(smtp.Host, strconv.Itoa(smtp.Port)), login: smtp.Username != "", now: o.Now}
	for _, t := range examined {
		p.wanted = p.wanted || t.Notices.Mail
	}
	return p
}

// tenant are the checks of one tenant.
func (i Installation) tenant(t settings.Tenant, o Options) []Check {
	ports := i.Ports[t.ID]
	var all []Check
	add := func(name string, run func(context.Context) []Finding) {
		all = append(all, Check{Name: name, Tenant: t.ID, Run: run})
	}
	reached := func(check, whose, address string) func(context.Context) []Finding {
		return func(ctx context.Context) []Finding {
			return []Finding{connection(ctx, i.Dialer, o.Now(), check, whose, address)}
		}
	}
	add("qms.connection", reached("qms.connection", "the QMS", t.QMS.URL))
	if ports.Err != nil {
		add("settings.tenant", broken{"settings.tenant", ports.Err, "correct it; starter and worker do not start so"}.run)
	}
	if ports.QMS != nil {
		add("qms", quality{
			tenant: t.ID, standing: i.standing(t, o), budget: t.QMS.Budget,
			client: ports.QMS, witness: ports.QMSWitness, courses: mappedCourses(t), employees: i.employees(t, o), most: o.Sample,
			signs: t.QMS.ArenaV1 != nil,
		}.run)
	}
	if t.LRS != nil {
		add("lrs.connection", reached("lrs.connection", "the LRS", t.LRS.URL))
	}
	if ports.LRS != nil {
		add("lrs", records{ports.LRS, t.LRS.Version, ports.LRSWitness}.run)
	}
	all = append(all, i.lmsChecks(t, o)...)
	add("certificate.draw", certificates{t, o.Now}.run)
	add("notices", notices{t, i.Own.SMTP.MailEnabled(), i.Dialer, o.Now}.run)
	add("sources", sources{t, i.Dialer, o.Now}.run)
	add("secrets.age", secretAge{t, i.SecretModified, o.Now}.run)
	return all
}

// employees picks learners out of completions that the journal has of the tenant.
func (i Installation) employees(t settings.Tenant, o Options) func(context.Context) (learners, error) {
	return func(ctx context.Context) (learners, error) {
		if i.Journal == nil {
			return learners{}, errNoJournal
		}
		from := training.Fingerprint(fmt.Sprintf("%016x", rand.Uint64()))
		// Several completions are of the same learner.
		sample, err := i.Journal.Sample(ctx, t.ID, from, 5*o.Sample)
		if err != nil {
			return learners{}, err
		}
		return learnersOf(t, sample), nil
	}
}

// broken is a check that cannot be made.
type broken struct {
	check string
	err   error
	fix   string
}

func (b broken) run(context.Context) []Finding {
	return []Finding{unfit(Error, b.check, fmt.Sprint(b.err), b.fix)}
}
