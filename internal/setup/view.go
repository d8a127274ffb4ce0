package setup

// Options say what is known when a page is drawn.
type Options struct {
	// BaseURL is where the LMS reaches Countersign, e.g. https://hooks.acme.example; "" leaves the
	// placeholder https://YOUR-HOST.
	BaseURL string
	// Mapping gives a platform's default mapping; nil leaves the section out.
	Mapping func(platform string) []MappingRow
}

// view is a page with everything worked out: what both renderers draw.
type view struct {
	Page

	URL string
	// Rehearse is the URL that writes nothing (R192).
	Rehearse    string
	Pasted      []URL
	Credentials []credentialView
	Commands    commandsView
	Marks       []markView
	Drawn       []sampleView
	Mapping     []MappingRow
	Answers     []Answer
	// Tenant and SourceID are what the reader gave to be filled in; "" while unknown.
	Tenant, SourceID string
}

// credentialView is a credential with its lines of the tenants' file.
type credentialView struct {
	Credential

	Pasted string
	Lines  string
}

// commandsView are the commands of a page, for the first credential that a shell can send.
type commandsView struct {
	// Why says why it is not the first choice; "" where it is.
	Why                             string
	Title                           string
	Secret                          string
	Sample                          string
	Connection, Rehearsal, Delivery string
}

// markView are the statements of one degree of certainty.
type markView struct {
	Mark  Mark
	Facts []Fact
}

type sampleView struct {
	Sample

	Sends    string
	Readable string
}

// newView works a page out.
func (b *Book) newView(p Page, o Options, tenant, source string) view {
	at := newAddress(o.BaseURL, tenant, source)
	first := p.Credentials[0]
	v := view{Page: p, Answers: b.answers, URL: at.paste(first, ""), Rehearse: at.paste(first, "test")}
	if at.tenant != anyTenant {
		v.Tenant = at.tenant
	}
	if at.source != anySource {
		v.SourceID = at.source
	}
	for _, u := range p.URLs {
		v.Pasted = append(v.Pasted, URL{Path: at.paste(first, u.Path), Use: u.Use})
	}
	v.URLNotes = at.filled(p.URLNotes)
	v.Steps = nil
	for _, group := range p.Steps {
		v.Steps = append(v.Steps, StepGroup{Title: group.Title, Do: at.filled(group.Do)})
	}
	for _, c := range p.Credentials {
		c.Enter = at.filled(c.Enter)
		v.Credentials = append(v.Credentials, credentialView{
			Credential: c, Pasted: at.paste(c, ""), Lines: lines(p.Platform, v.SourceID, c),
		})
	}
	v.Commands = commands(p, at)
	for _, mark := range marks() {
		group := markView{Mark: mark}
		for _, f := range p.Certainty {
			if f.Mark == mark {
				group.Facts = append(group.Facts, f)
			}
		}
		if len(group.Facts) > 0 {
			v.Marks = append(v.Marks, group)
		}
	}
	for _, s := range p.Samples {
		c, _ := p.credential(s.Credential)
		v.Drawn = append(v.Drawn, sampleView{Sample: s, Sends: c.Title, Readable: s.Readable()})
	}
	if o.Mapping != nil {
		v.Mapping = o.Mapping(p.Platform)
	}
	return v
}

// commands chooses credential and sample, and writes the commands.
func commands(p Page, at address) commandsView {
	credential, sample, ok := p.tryable()
	if !ok {
		return commandsView{}
	}
	v := commandsView{
		Title: credential.Title, Secret: readSecret, Sample: sample.Name,
		Connection: command(connection, credential, sample, at),
		Rehearsal:  command(rehearsal, credential, sample, at),
		Delivery:   command(delivery, credential, sample, at),
	}
	if first := p.Credentials[0]; first.ID != credential.ID {
		v.Why = first.Title + " cannot be tried from a shell: only the vendor has the key it is signed with. " +
			"The commands use another credential, so try them on a source of your own in test mode that has it."
	}
	return v
}

// tryable are the first credential that a shell can send, and the sample to send with it: one made
// for it, else the page's first.
func (p Page) tryable() (Credential, Sample, bool) {
	for _, c := range p.Credentials {
		if !c.curlable() {
			continue
		}
		for _, s := range p.Samples {
			if made, _ := p.credential(s.Credential); made.ID == c.ID {
				return c, s, true
			}
		}
		return c, p.Samples[0], true
	}
	return Credential{}, Sample{}, false
}
