// Package settings reads what Countersign runs with: the process from environment variables
// (Process) and the tenants with their sources from one YAML file (Settings). Every mistake of
// the file is reported at once, each with its line and column. Secrets stand in neither place:
// both name where a secret is kept (Secret).
//
// The connection to Temporal is not read here but by go.temporal.io/sdk/contrib/envconfig.
package settings

import (
	"slices"
	"strings"

	"countersign/internal/lms/mapping"
	"countersign/internal/training"
)

// Settings are the tenants of one file, checked. They are read only.
type Settings struct {
	Tenants []Tenant
	// Warnings are doubtful but usable entries, one line each, for the log and `starter check`.
	Warnings []string
}

// Tenant returns the tenant with this id.
func (s *Settings) Tenant(id string) (Tenant, bool) {
	for _, t := range s.Tenants {
		if t.ID == id {
			return t, true
		}
	}
	return Tenant{}, false
}

// SourceForDomain returns the source that deliveries with this original_domain belong to
// (R162), and its tenant. Case does not matter; a domain belongs to one source at most.
func (s *Settings) SourceForDomain(domain string) (Tenant, Source, bool) {
	domain = strings.ToLower(domain)
	for _, t := range s.Tenants {
		for _, source := range t.Sources {
			if slices.Contains(source.Domains, domain) {
				return t, source, true
			}
		}
	}
	return Tenant{}, Source{}, false
}

// Tenant is a customer organisation.
type Tenant struct {
	// ID names the tenant in URLs, workflow input and logs (R165): [a-z0-9-]{1,63}.
	ID   string
	Name string
	// Admins are the e-mail addresses of the training admins, at least one.
	Admins []string
	QMS    QMS
	// LRS is nil when the tenant has none: then no statement is sent.
	LRS         *LRS
	Certificate Certificate
	// EmployeeID says which of the learner's fields holds the QMS employee id (C14).
	EmployeeID LearnerField
	Courses    []Course
	// UnmappedCourses says what becomes of a course that Courses does not name.
	UnmappedCourses Unmapped
	Policy          training.Policy
	// EscalateTo are the e-mail addresses that hear of an approval nobody has decided about; with none
	// the training admins hear of it again.
	EscalateTo []string
	Notices    Notices
	Sources    []Source
	// Reconciliation is when and how LMS, QMS and LRS are compared.
	Reconciliation Reconciliation
}

// Source returns the tenant's source with this id.
func (t Tenant) Source(id string) (Source, bool) {
	for _, s := range t.Sources {
		if s.ID == id {
			return s, true
		}
	}
	return Source{}, false
}

// QMS is the tenant's access to its quality system, with a dedicated service account (R112, R209).
type QMS struct {
	// Type is the adapter, e.g. "arena".
	Type         string
	URL          string
	ClientID     string
	ClientSecret Secret
	Scopes       []string
	TokenMode    TokenMode
	// Budget is how much may be asked of it.
	Budget Budget
	// ArenaV1 is set where Type is QMSArenaV1; then what stands between URL and it is empty.
	ArenaV1 *ArenaV1
}

// TokenMode says when a token is asked for (C1).
type TokenMode string

const (
	// TokenCached keeps a token until it nears its expiry (R116, R117).
	TokenCached TokenMode = "cached"
	// TokenPerCall asks for a new token before each call.
	TokenPerCall TokenMode = "per_call"
)

// LRS is the tenant's learning record store.
type LRS struct {
	URL      string
	Username string
	Password Secret
	Actor    Actor
	// HomePage is the system that the account name belongs to; set when Actor is ActorAccount.
	HomePage string
	// CourseURL identifies a course in statements (R152); "{id}" in it is replaced by the
	// LMS's course id. A change makes every course a new one.
	CourseURL string
	// Version is sent as X-Experience-API-Version.
	Version string
}

// Actor is how a statement identifies the learner.
type Actor string

// The ways to identify a learner.
const (
	ActorAccount Actor = "account"
	ActorMbox    Actor = "mbox"
)

// Certificate is what a certificate says about its issuer.
type Certificate struct {
	Issuer string
	// VerifyURL is the public page that checks a certificate, "" when there is none.
	VerifyURL string
}

// Source is one LMS connection of a tenant.
type Source struct {
	ID       string
	Platform string
	// Domains are the original_domain values that lead here, in lower case.
	Domains []string
	Mode    Mode
	Auth    Auth
	Rate    Rate
	// Mapping is the tenant's own, put over the platform's; nil where that holds as it is (R61).
	Mapping *mapping.Definition
	// EmployeeID is the tenant's EmployeeID, unless this source says otherwise.
	EmployeeID LearnerField
	// API is where what deliveries lack is looked up, nil where nothing is (R15).
	API *API
}

// Mode says what becomes of a source's deliveries.
type Mode string

const (
	// ModeLive processes them.
	ModeLive Mode = "live"
	// ModeTest reads and shows them, and processes none (R41, R192).
	ModeTest Mode = "test"
)

// Rate bounds how fast a source may deliver.
type Rate struct {
	PerSecond float64
	// Burst is how many requests may come at once.
	Burst int
}
