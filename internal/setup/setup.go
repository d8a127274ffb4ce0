// Package setup holds the setup page of every platform: what an LMS administrator clicks, pastes and
// types, what the platform sends, how long Countersign may be down, and commands that try it (R21,
// R176 to R182, R189 to R195).
//
// One YAML file per platform in platforms/ is the only source. From it come the Markdown pages in
// docs/lms and the HTML pages under /setup/, so the two cannot differ.
//
// Every statement about a platform carries a Mark that says how sure it is. What is UNKNOWN about a
// platform is said on its page and stays configurable in its source.
package setup

// Page is the setup page of one platform.
type Page struct {
	// Platform is the name in settings and URLs, as the platform's adapter has it.
	Platform string `yaml:"platform"`
	// Title is what the vendor calls it.
	Title   string `yaml:"title"`
	Summary string `yaml:"summary"`
	// Verified says whether real traffic of the platform was compared with the page.
	Verified Fact   `yaml:"verified"`
	Matrix   Matrix `yaml:"matrix"`
	// Before is what must be at hand before the first click.
	Before  []Fact `yaml:"before"`
	Sending []Fact `yaml:"sending"`
	// URLs are the ends of the URL where the platform has several; none for the source's own URL.
	URLs     []URL       `yaml:"urls,omitempty"`
	URLNotes []Fact      `yaml:"url_notes,omitempty"`
	Steps    []StepGroup `yaml:"steps"`
	// Credentials are what the platform can prove itself with, the first choice first.
	Credentials []Credential `yaml:"credentials"`
	Fields      []Field      `yaml:"fields"`
	// Own is an example of a mapping where the platform cannot do without the tenant's own, else nil.
	Own *OwnMapping `yaml:"mapping,omitempty"`
	// Lacking is what a delivery never has.
	Lacking []Lack `yaml:"lacking"`
	// LookUp is what of it the platform's REST API knows, "" where nothing can be looked up (R15).
	LookUp  string `yaml:"look_up,omitempty"`
	Events  Events `yaml:"events"`
	Success []Fact `yaml:"success"`
	Outage  Outage `yaml:"outage"`
	// Addresses is what is known of the addresses the platform sends from (R47).
	Addresses []Fact   `yaml:"addresses"`
	Tests     Tests    `yaml:"tests"`
	Traps     []Fact   `yaml:"traps"`
	Certainty []Fact   `yaml:"certainty"`
	Samples   []Sample `yaml:"samples"`
	Sources   []Source `yaml:"sources"`
}

// Matrix is the page in one row of the overview.
type Matrix struct {
	Transport string `yaml:"transport"`
	Retries   string `yaml:"retries"`
	// Down is how long Countersign may be down without a loss.
	Down string `yaml:"down"`
}

// URL is one of several URLs of a source.
type URL struct {
	// Path follows the source, or its token, in the URL.
	Path string `yaml:"path"`
	Use  string `yaml:"use"`
}

// StepGroup is a numbered list; a platform with one way to send has one, without a title.
type StepGroup struct {
	Title string `yaml:"title,omitempty"`
	Do    []Fact `yaml:"do"`
}

// Field is where something that Countersign needs stands in a delivery.
type Field struct {
	// Target is our name, e.g. "learner.id".
	Target string `yaml:"target"`
	// At is where it stands: a path in the body, or a header.
	At   string `yaml:"at"`
	Need Need   `yaml:"need"`
	Type string `yaml:"type"`
	Note Fact   `yaml:"note"`
}

// OwnMapping is an example of a source's mapping.
type OwnMapping struct {
	Why Fact `yaml:"why"`
	// Lines are lines of the source in the tenants' file.
	Lines string `yaml:"lines"`
}

// Need says whether a completion can do without a field.
type Need string

// The needs. Of the learner's fields one is needed, and so of the course's.
const (
	Required   Need = "required"
	OneOfThese Need = "one of these"
	Optional   Need = "optional"
)

// Lack is something a delivery never has, and what becomes of it.
type Lack struct {
	What    string `yaml:"what"`
	Instead string `yaml:"instead"`
}

// Events says which events are completions; every other one is stored and ignored with its reason.
type Events struct {
	Completions []Event `yaml:"completions"`
	Ignored     []Event `yaml:"ignored"`
}

// Event is an event as the platform names it.
type Event struct {
	Name string `yaml:"name"`
	Says Fact   `yaml:"says"`
}

// Outage is what the platform does when Countersign does not answer.
type Outage struct {
	Timeout Fact `yaml:"timeout"`
	Retries Fact `yaml:"retries"`
	GivesUp Fact `yaml:"gives_up"`
	// Down is how long Countersign may be down, in plain words, derived from the rest.
	Down  Fact   `yaml:"down"`
	After []Fact `yaml:"after"`
}

// Tests are the platform's own tests: what to press and what is seen (R189, R190).
type Tests struct {
	Connection []Fact `yaml:"connection"`
	User       []Fact `yaml:"user"`
}

// Source is where statements were read.
type Source struct {
	ID    string `yaml:"id"`
	Title string `yaml:"title"`
	// Address is empty where there is none to open.
	Address string `yaml:"url,omitempty"`
}
