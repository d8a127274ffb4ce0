package settings

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"countersign/internal/training"
)

// QMSArenaV1 is the QMS.Type of the vendor's documented API, in which the trainee's own signature completes
// a training record and nothing else does.
const QMSArenaV1 = "arena-v1"

// ArenaV1 is what that API needs besides QMS.URL. Either Email and Password are set or ClientID and the
// fields that belong to it.
type ArenaV1 struct {
	// Email and Password open a session. Another login of the same user ends it.
	Email    string
	Password Secret
	// ClientID and ClientSecret are an OAuth application's, TokenURL is where its tokens come from.
	ClientID     string
	ClientSecret Secret
	TokenURL     string
	// WorkspaceID may be "" for a session.
	WorkspaceID string
	EmployeeKey EmployeeKey
	// Reserve is how many requests of the workspace's day are left to others.
	Reserve     int
	UsageReason string
	// Cache is how long a plan's records are taken as read.
	Cache time.Duration
	// AnyRevision lets a signature of any revision count.
	AnyRevision bool
	// DueDays is when an enrollment is due, 0 for no date.
	DueDays int
	// FileCategory is the GUID of the category of uploaded documents, "" for none.
	FileCategory string
}

// EmployeeKey is what an employee id is in Arena.
type EmployeeKey string

// The keys; EmployeeByEmail is the default.
const (
	EmployeeByEmail EmployeeKey = "email"
	EmployeeByGUID  EmployeeKey = "guid"
)

// arenaGUID is a GUID of Arena: capitals and digits.
var arenaGUID = regexp.MustCompile(`^[A-Z0-9]{8,40}$`)

// arenaV1 reads the keys of this profile; the caller has read type and url.
func (r *tenantReader) arenaV1(e entry, f *fields, url string) *ArenaV1 {
	if url != "" && !strings.HasSuffix(url, "/v1") {
		f.get("url").mistake("must end in /v1, such as https://api.arenasolutions.com/v1")
	}
	a := &ArenaV1{
		EmployeeKey: oneOf(f.get("employee_key"), "key", EmployeeByEmail, EmployeeByGUID),
		Reserve:     f.get("reserve").integer(50, 0, 1_000_000),
		UsageReason: f.get("usage_reason").textOr("Countersign"),
		Cache:       f.get("cache").duration(10*time.Minute, 0, time.Hour),
		AnyRevision: oneOf(f.get("revision"), "choice", "current", "any") == "any",
		DueDays:     f.get("due_days").integer(14, 0, 3650),
		WorkspaceID: f.get("workspace_id").textOr(""),
	}
	if strings.ContainsFunc(a.UsageReason, func(r rune) bool { return r < ' ' || r > '~' }) {
		f.get("usage_reason").mistake("must be of ASCII, to stand in a header")
	}
	if category := f.get("file_category"); category.present() {
		if a.FileCategory = category.text(); a.FileCategory != "" && !arenaGUID.MatchString(a.FileCategory) {
			category.mistake("must be the GUID of a file category, of capitals and digits")
		}
	}
	session, oauth := f.get("session"), f.get("oauth")
	switch {
	case session.present() == oauth.present():
		e.mistake("must have either session (email and password) or oauth (client_id, client_secret and token_url)")
	case session.present():
		r.arenaSession(session, url, a)
		if a.WorkspaceID == "" {
			e.warn("names no workspace_id: a login lands in the workspace that the user was in last, where plans of the same number may be others")
		}
	default:
		f.get("workspace_id").required()
		r.arenaOAuth(oauth, url, a)
	}
	return a
}

func (r *tenantReader) arenaSession(e entry, url string, a *ArenaV1) {
	f, ok := e.fields()
	if !ok {
		return
	}
	a.Email, a.Password = address(f.get("email")), f.get("password").required().secret()
	f.done()
	if a.Email != "" {
		r.unshared(f.get("email"), "arena-v1 "+url+" "+strings.ToLower(a.Email), "user")
	}
	e.warn("is ended by every other login of the same user: by a second worker, by the starter's test of a delivery; use oauth where it can be had")
}

func (r *tenantReader) arenaOAuth(e entry, url string, a *ArenaV1) {
	f, ok := e.fields()
	if !ok {
		return
	}
	a.ClientID = f.get("client_id").required().text()
	a.ClientSecret = f.get("client_secret").required().secret()
	a.TokenURL = webAddress(f.get("token_url").required())
	f.done()
	if a.ClientID != "" && a.WorkspaceID != "" {
		r.unshared(f.get("client_id"), "arena-v1 "+url+" "+a.WorkspaceID+" "+a.ClientID, "application in the same workspace")
	}
}

// signingPolicy reads what differs from training.DefaultSigning; nil for a QMS that the bridge completes.
func signingPolicy(e entry, signs bool) *training.Signing {
	if !signs {
		if e.present() {
			e.mistake("belongs to qms.type: %s", QMSArenaV1)
		}
		return nil
	}
	s := training.DefaultSigning()
	f, ok := e.fields()
	if !ok {
		return &s
	}
	before := len(e.report.mistakes)
	if poll, ok := f.get("poll").fields(); ok {
		// Each read counts in the workspace's budget of the day.
		s.Poll.First = poll.get("first").duration(s.Poll.First, time.Second, day)
		s.Poll.Maximum = poll.get("maximum").duration(max(s.Poll.Maximum, s.Poll.First), time.Second, day)
		poll.done()
	}
	s.Remind = f.get("remind").duration(s.Remind, time.Second, 30*day)
	s.Escalate = f.get("escalate").duration(s.Escalate, time.Second, 90*day)
	s.Grace = f.get("grace").duration(s.Grace, 0, 30*day)
	s.Evidence = f.get("evidence").flag(s.Evidence)
	f.done()
	// What they mean together is only asked when each of them was read.
	if err := s.Validate(); err != nil && len(e.report.mistakes) == before {
		e.mistake("%s", strings.TrimPrefix(err.Error(), "signing: "))
	}
	return &s
}

// plan checks a course of a tenant whose QMS is this one, or that it asks for nothing that only this one has.
func (c Course) plan(f *fields, q QMS) {
	switch {
	case q.ArenaV1 == nil:
		if c.Item != "" {
			f.get("item").mistake("belongs to qms.type: %s", QMSArenaV1)
		}
	case strings.ContainsAny(c.Training, "/@"):
		f.get("training").mistake("must be the number or the GUID of a training plan; an item of it is named by item")
	case c.Approval:
		f.get("approval").mistake("has no meaning with qms.type: %s, where the trainee signs", QMSArenaV1)
	}
}

// describe says whom the bridge is there, and what it never does.
func (a ArenaV1) describe(w io.Writer, url string) {
	as := fmt.Sprintf("session as %s, password %s", shortened(a.Email), shown(a.Password))
	if a.ClientID != "" {
		as = fmt.Sprintf("OAuth as %s of workspace %s, secret %s, token from %s", a.ClientID, a.WorkspaceID, shown(a.ClientSecret), a.TokenURL)
	}
	line(w, "QMS", "%s at %s, %s", QMSArenaV1, url, as)
	line(w, "", "enrolls, keeps evidence and reads signatures; completes nothing: the trainee signs")
	line(w, "", "employees by %s; %d requests of the day left to others; usage reason %s", a.EmployeeKey, a.Reserve, a.UsageReason)
}

// describeSigning says how long the tenant's completions wait for signatures.
func (t Tenant) describeSigning(w io.Writer) {
	s := t.Policy.Signing
	if s == nil {
		return
	}
	evidence := "none is kept with the plan"
	if s.Evidence {
		evidence = "a report before it and the certificate after it are kept with the plan"
	}
	line(w, "signatures", "reminder after %s, escalation after %s; %s", s.Remind, s.Escalate, evidence)
	line(w, "", "read after %s, then at growing gaps up to %s; one that is older than the completion by more than %s is reviewed",
		s.Poll.First, s.Poll.Maximum, s.Grace)
}

// employeeField is the learner's field that holds the employee id, unless a tenant says otherwise.
func (q QMS) employeeField() LearnerField {
	if q.ArenaV1 != nil && q.ArenaV1.EmployeeKey == EmployeeByEmail {
		return LearnerEmail
	}
	return LearnerExternalID
}

// Employee is an employee id as the QMS spells it: an e-mail address has no case.
func (q QMS) Employee(id string) string {
	if q.ArenaV1 != nil && q.ArenaV1.EmployeeKey == EmployeeByEmail {
		return strings.ToLower(id)
	}
	return id
}
