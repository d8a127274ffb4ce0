package settings

import (
	"net"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"countersign/internal/training"
)

// tenantReader reads the tenants and remembers what must be unique across them.
type tenantReader struct {
	known   Known
	ids     seen
	domains seen
	secrets seen
}

func (r *tenantReader) tenants(root entry) []Tenant {
	top, ok := root.fields()
	if !ok {
		root.required()
		return nil
	}
	items := top.get("tenants").required().list()
	if len(items) == 0 && top.get("tenants").present() {
		top.get("tenants").mistake("must name at least one tenant")
	}
	tenants := make([]Tenant, len(items))
	for i, item := range items {
		tenants[i] = r.tenant(item)
	}
	top.done()
	return tenants
}

func (r *tenantReader) tenant(e entry) Tenant {
	f, ok := e.fields()
	if !ok {
		e.required()
		return Tenant{}
	}
	t := Tenant{
		ID:   identifier(f.get("id"), r.ids),
		Name: f.get("name").required().text(),
	}
	admins := f.get("admins").required()
	for _, item := range admins.list() {
		t.Admins = append(t.Admins, address(item))
	}
	if admins.present() && len(t.Admins) == 0 {
		admins.mistake("must name at least one training admin, or nobody would hear of failures")
	}
	t.QMS = r.qms(f.get("qms").required())
	t.LRS = lrs(f.get("lrs"))
	t.Certificate = certificate(f.get("certificate"), t.Name)
	t.EmployeeID = learnerField(f.get("employee_id"), t.QMS.employeeField())
	t.UnmappedCourses = oneOf(f.get("unmapped_courses"), "choice", UnmappedReview, UnmappedSameCode)
	t.Policy, t.EscalateTo = policy(f.get("policy"), t.QMS.ArenaV1 != nil)
	t.Notices = r.notices(f.get("notices"))
	t.Sources = r.sources(f.get("sources").required(), t.EmployeeID)
	t.Courses = courses(f.get("courses"), t)
	t.Reconciliation = reconciliation(f.get("reconciliation"), t.Sources)
	f.done()
	return t
}

var identifierPattern = regexp.MustCompile(`^[a-z0-9-]{1,63}$`)

// identifier reads a name that is part of URLs, queues and labels.
func identifier(e entry, taken seen) string {
	id := e.required().text()
	if id == "" {
		return ""
	}
	if !identifierPattern.MatchString(id) {
		e.mistake("must be 1 to 63 of the characters a-z, 0-9 and -")
		return ""
	}
	if before, ok := taken.first(id, e); !ok {
		e.mistake("%q is taken by %s in line %d", id, before.key, before.line)
	}
	return id
}

// address reads an e-mail address. It is personal data: the mistake does not repeat it.
func address(e entry) string {
	text := e.required().text()
	if text == "" {
		return ""
	}
	if parsed, err := mail.ParseAddress(text); err != nil || parsed.Address != text {
		e.mistake("must be an e-mail address such as training@acme.example")
		return ""
	}
	return text
}

// webAddress reads the address of another system. Plain HTTP is for this machine only (R3): it would carry secrets
// and personal data in the clear.
func webAddress(e entry) string {
	text := e.text()
	if text == "" {
		return ""
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "":
		e.mistake("must be an address such as https://qms.acme.example")
	case u.User != nil:
		e.mistake("must not carry a user or password; they have keys of their own")
	case u.RawQuery != "" || u.Fragment != "":
		e.mistake("must not have a query or a fragment")
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return strings.TrimRight(text, "/")
	case u.Scheme == "http":
		e.mistake("must begin with https://; plain http is for this machine only")
	default:
		e.mistake("must begin with https://")
	}
	return ""
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (r *tenantReader) qms(e entry) QMS {
	f, ok := e.fields()
	if !ok {
		return QMS{}
	}
	q := QMS{
		Type:   oneOf(f.get("type"), "QMS", r.known.QMS...),
		URL:    webAddress(f.get("url").required()),
		Budget: budget(f.get("budget")),
	}
	if q.Type == QMSArenaV1 {
		q.ArenaV1 = r.arenaV1(e, f, q.URL)
		f.done()
		return q
	}
	q.ClientID = f.get("client_id").required().text()
	q.ClientSecret = f.get("client_secret").required().secret()
	q.TokenMode = oneOf(f.get("token_mode"), "token mode", TokenCached, TokenPerCall)
	scopes := f.get("scopes")
	for _, item := range scopes.list() {
		q.Scopes = append(q.Scopes, item.required().text())
	}
	if !scopes.present() { // R113
		q.Scopes = []string{"training.records.write", "training.status.update", "user.read"}
	}
	f.done()
	return q
}

func lrs(e entry) *LRS {
	f, ok := e.fields()
	if !ok {
		return nil
	}
	l := &LRS{
		URL:      webAddress(f.get("url").required()),
		Username: f.get("username").required().text(),
		Password: f.get("password").required().secret(),
		Actor:    oneOf(f.get("actor"), "actor", ActorAccount, ActorMbox),
		Version:  oneOf(f.get("version"), "xAPI version", "1.0.3", "2.0.0"),
	}
	home := f.get("home_page")
	switch {
	case l.Actor == ActorAccount:
		l.HomePage = webAddress(home.required())
	case home.present():
		home.mistake("belongs to actor: account")
	}
	courses := f.get("course_url")
	switch {
	case courses.present():
		l.CourseURL = webAddress(courses)
	case l.HomePage != "":
		l.CourseURL = strings.TrimRight(l.HomePage, "/") + "/courses/{id}"
	default:
		courses.required()
	}
	f.done()
	return l
}

func certificate(e entry, tenant string) Certificate {
	f, ok := e.fields()
	if !ok {
		return Certificate{Issuer: tenant}
	}
	c := Certificate{Issuer: f.get("issuer").textOr(tenant)}
	if verify := f.get("verify_url"); verify.textOr("") != "" {
		c.VerifyURL = webAddress(verify)
	}
	f.done()
	return c
}

// policy reads what differs from training.DefaultPolicy, and whom an escalation goes to. The addresses
// are personal data, so they are no part of the policy that travels with a completion (law 7).
func policy(e entry, signs bool) (p training.Policy, escalateTo []string) {
	p = training.DefaultPolicy()
	f, ok := e.fields()
	p.Signing = signingPolicy(f.get("signing"), signs)
	if !ok {
		return p, nil
	}
	p.HoldFailed = f.get("hold_failed").flag(p.HoldFailed)
	p.MissingRecord = oneOf(f.get("missing_record"), "choice", training.MissingReview, training.MissingCreate)
	p.Enrollments = oneOf(f.get("enrollments"), "choice", training.EnrollmentsIgnore, training.EnrollmentsCreate)
	p.DigestEvery = f.get("digest_every").duration(p.DigestEvery, time.Second, 7*24*time.Hour)
	p.DigestLongest = f.get("digest_longest").duration(max(p.DigestLongest, p.DigestEvery), p.DigestEvery, 7*24*time.Hour)
	if retry, ok := f.get("retry").fields(); ok {
		before := len(e.report.mistakes)
		p.Retry = training.Retry{
			Initial:     retry.get("initial").duration(p.Retry.Initial, 10*time.Millisecond, 24*time.Hour),
			Coefficient: retry.get("coefficient").number(p.Retry.Coefficient, 1, 100),
			Maximum:     retry.get("maximum").duration(p.Retry.Maximum, 10*time.Millisecond, 30*24*time.Hour),
			Attempts:    retry.get("attempts").integer(p.Retry.Attempts, 1, 100),
			Jitter:      retry.get("jitter").number(p.Retry.Jitter, 0, 1),
		}
		retry.done()
		// What the numbers mean together is only asked when each of them was read.
		if err := p.Retry.Validate(); err != nil && len(e.report.mistakes) == before {
			f.get("retry").mistake("%s", strings.TrimPrefix(err.Error(), "retry: "))
		}
	}
	p.Approval, p.Review = approvalPolicy(f.get("approval")), reviewPolicy(f.get("review"))
	p.Outage = outagePolicy(f.get("outage"))
	escalateTo = addresses(f.get("escalate_to"))
	f.done()
	return p, escalateTo
}

func courses(e entry, t Tenant) []Course {
	var all []Course
	taken := seen{}
	for _, item := range e.list() {
		f, ok := item.fields()
		if !ok {
			item.required()
			continue
		}
		c := Course{
			Code:     f.get("code").text(),
			ID:       f.get("id").text(),
			Title:    f.get("title").text(),
			Source:   f.get("source").text(),
			Training: f.get("training").required().text(),
			Item:     f.get("item").text(),
			Approval: f.get("approval").flag(false),
		}
		c.plan(f, t.QMS)
		f.done()
		keys := slices.DeleteFunc([]string{"code", "id", "title"}, func(k string) bool { return !f.get(k).present() })
		if len(keys) != 1 {
			item.mistake("must have exactly one of code, id and title")
			continue
		}
		if _, known := t.Source(c.Source); c.Source != "" && !known {
			f.get("source").mistake("the tenant has no source %.60q", c.Source)
		}
		if before, ok := taken.first(c.Source+"\x00"+keys[0]+"\x00"+c.Code+c.ID+c.Title, item); !ok {
			item.mistake("the same course is mapped by %s in line %d", before.key, before.line)
		}
		all = append(all, c)
	}
	return all
}
