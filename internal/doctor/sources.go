package doctor

import (
	"context"
	"fmt"
	"time"

	"countersign/internal/settings"
)

// sources checks what a tenant's sources ask of their senders.
type sources struct {
	tenant settings.Tenant
	dialer Dialer
	now    func() time.Time
}

func (s sources) run(ctx context.Context) []Finding {
	var found []Finding
	for _, source := range s.tenant.Sources {
		for _, f := range s.of(ctx, source) {
			found = append(found, f.about(source.ID))
		}
	}
	return found
}

func (s sources) of(ctx context.Context, source settings.Source) []Finding {
	var found []Finding
	a := source.Auth
	if source.Mode == settings.ModeTest {
		found = append(found, unfit(Warning, "sources.mode", "test mode: deliveries are read and shown, and not processed", "set mode: live once what it shows is right"))
	}
	switch {
	case a.None:
		found = append(found, unfit(Warning, "sources.auth", "it asks for no proof: anybody can send", "give it the credentials of its platform's page in docs/lms"))
	case onlyAddresses(a):
		found = append(found, unfit(Warning, "sources.auth", "it asks for nothing but an address: anybody there can send", "add a secret, if the LMS can send one"))
	case a.TokenIn != nil && a.TokenIn.Body == "":
		found = append(found, unfit(Note, "sources.auth", "its token stands in the URL, where proxies and logs see it", "prefer another credential, if the LMS has one; keep URLs out of the proxy's log"))
	case a.LearnUponV1 != nil && a.HMACSHA256 == nil:
		found = append(found, unfit(Note, "sources.auth", "its proof is the MD5 of LearnUpon's version 1", "choose version 2 in LearnUpon, which signs with HMAC-SHA256"))
	default:
		found = append(found, fine("sources.auth", "its senders prove who they are"))
	}
	if a.JWT != nil && a.JWT.KeysURL != "" {
		found = append(found, connection(ctx, s.dialer, s.now(), "sources.keys", "the issuer of keys", a.JWT.KeysURL))
	}
	if a.MTLS != nil {
		for _, authority := range a.MTLS.Authorities {
			found = append(found, expiry("sources.authority", "clients' certificates are of an authority of our own choice", authority.NotAfter, s.now()))
		}
	}
	return found
}

// onlyAddresses reports whether nothing secret is asked for.
func onlyAddresses(a settings.Auth) bool {
	return a.HMACSHA256 == nil && a.APIKey == nil && a.Bearer == nil && a.Authorization == nil && a.Basic == nil && a.TokenIn == nil &&
		a.JWT == nil && a.OAuth2 == nil && a.Login == nil && a.MTLS == nil && a.LearnUponV1 == nil
}

// rotation is how old credentials should get (R208).
const rotation = 183 * 24 * time.Hour

// secretAge checks how long ago the tenant's secrets were changed, as far as files tell; of a variable nobody knows.
type secretAge struct {
	tenant   settings.Tenant
	modified func(reference string) (time.Time, bool)
	now      func() time.Time
}

func (s secretAge) run(context.Context) []Finding {
	const check = "secrets.age"
	const fix = "give the source a second secret, change it in the LMS, then take the first away (docs/connect-an-lms.md)"
	var found []Finding
	known, unknown := 0, 0
	for _, secret := range secretsOf(s.tenant) {
		at, ok := s.modified(secret.Reference())
		switch age := s.now().Sub(at); {
		case !ok:
			unknown++
		case age > rotation:
			found = append(found, unfit(Note, check, "it has not been changed for "+days(age), fix).about(secret.Reference()))
		default:
			known++
		}
	}
	if unknown > 0 {
		found = append(found, unfit(Note, check, fmt.Sprintf("how old %s nobody here knows; change them about every six months", plural(unknown, "secret is", "secrets are")), ""))
	}
	if known > 0 {
		found = append(found, fine(check, "%s changed in the last six months", plural(known, "secret was", "secrets were")))
	}
	return found
}

// secretsOf are the tenant's secrets, each reference once.
func secretsOf(t settings.Tenant) []settings.Secret {
	var all []settings.Secret
	seen := map[string]bool{}
	add := func(secrets ...settings.Secret) {
		for _, secret := range secrets {
			if reference := secret.Reference(); reference != "" && !seen[reference] {
				seen[reference] = true
				all = append(all, secret)
			}
		}
	}
	add(t.QMS.ClientSecret)
	if t.LRS != nil {
		add(t.LRS.Password)
	}
	for _, c := range t.Notices.Channels {
		add(c.URL)
		add(c.Secrets...)
	}
	for _, s := range t.Sources {
		add(s.Auth.Secrets()...)
		if s.API != nil {
			for _, credential := range s.API.Credentials {
				add(credential.Secret)
			}
		}
	}
	return all
}
