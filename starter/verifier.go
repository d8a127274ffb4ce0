package main

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"countersign/internal/issuer"
	"countersign/internal/lms"
	"countersign/internal/lms/jwks"
	"countersign/internal/lms/learnupon"
	"countersign/internal/lms/platform"
	"countersign/internal/lms/signature"
	"countersign/internal/settings"
)

// verifiers builds what deliveries must satisfy. The zero value keeps no keys over a restart and
// logs nothing.
type verifiers struct {
	// keyCache is the folder for issuers' public keys, "" for none.
	keyCache string
	log      *slog.Logger
}

// of builds every kind that a source's auth names. The networks come first and the keys of a third
// party last; signature.All says why.
func (b verifiers) of(tenant string, source settings.Source) (lms.Verifier, error) {
	var all []lms.Verifier
	var problems []error
	use := func(v lms.Verifier, err error) {
		all, problems = append(all, v), append(problems, err)
	}
	auth := source.Auth
	if auth.None {
		if source.Mode != settings.ModeTest {
			return nil, errors.New("auth: none is for mode: test only")
		}
		use(signature.NewNone(), nil)
	}
	if from, _ := platform.Find(source.Platform); from.AccountClaim != "" && onlyTheVendorsWord(auth) && auth.JWT.Claims[from.AccountClaim] == "" {
		return nil, fmt.Errorf("auth.jwt.claims: %s is required: %s signs for all its customers with the same keys, "+
			"and only that claim says whose delivery it is", from.AccountClaim, source.Platform)
	}
	if len(auth.IPAllow) > 0 {
		use(signature.NewIPAllow(auth.IPAllow))
	}
	if m := auth.MTLS; m != nil {
		use(newCertificate(*m))
	}
	if t := auth.TokenIn; t != nil {
		use(newTokenIn(*t))
	}
	if k := auth.APIKey; k != nil {
		use(signature.NewAPIKey(reveal(k.Secrets), k.Header))
	}
	if b := auth.Bearer; b != nil {
		use(signature.NewBearer(reveal(b.Secrets)))
	}
	if a := auth.Authorization; a != nil {
		use(signature.NewAuthorization(reveal(a.Secrets)))
	}
	if b := auth.Basic; b != nil {
		use(signature.NewBasic(b.Username, reveal(b.Secrets)))
	}
	for _, account := range accounts(tenant, source) {
		use(issuer.NewVerifier(account, time.Now))
	}
	if auth.HMACSHA256 != nil || auth.LearnUponV1 != nil {
		use(newSigned(auth, source.Platform))
	}
	if j := auth.JWT; j != nil {
		use(b.newJWT(*j))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return signature.All(all...)
}

// onlyTheVendorsWord reports whether a JWT is all that a source asks for besides addresses, which are the
// vendor's too: no secret of the tenant's own.
func onlyTheVendorsWord(a settings.Auth) bool {
	return a.JWT != nil && a.TokenIn == nil && a.MTLS == nil && a.APIKey == nil && a.Basic == nil && a.Authorization == nil &&
		a.Bearer == nil && a.OAuth2 == nil && a.Login == nil && a.HMACSHA256 == nil
}

// accounts are what the issuer of tokens has to know of a source: one at most.
func accounts(tenant string, source settings.Source) []issuer.Account {
	var all []issuer.Account
	if o := source.Auth.OAuth2; o != nil {
		all = append(all, issuer.Account{
			Kind: issuer.ClientCredentials, Tenant: tenant, Source: source.ID, Name: o.ClientID, Secrets: reveal(o.Secrets), Lifetime: o.Lifetime,
		})
	}
	if l := source.Auth.Login; l != nil {
		all = append(all, issuer.Account{
			Kind: issuer.Login, Tenant: tenant, Source: source.ID, Name: l.Username, Secrets: reveal(l.Secrets), Lifetime: l.Lifetime,
			AsObject: l.Answer == settings.AnswerObject,
		})
	}
	return all
}

func newTokenIn(t settings.TokenIn) (lms.Verifier, error) {
	switch {
	case t.Path:
		return signature.NewPathToken(reveal(t.Secrets))
	case t.Body != "":
		return signature.NewBodyToken(reveal(t.Secrets), t.Body)
	default:
		return signature.NewQueryToken(reveal(t.Secrets), t.Query)
	}
}

func newCertificate(m settings.MTLS) (lms.Verifier, error) {
	if len(m.Authorities) > 0 {
		return signature.NewIssuedCertificate(m.Authorities, m.Subject, time.Now)
	}
	return signature.NewPinnedCertificate(m.Fingerprints, time.Now)
}

func (b verifiers) newJWT(j settings.JWT) (lms.Verifier, error) {
	keys, err := jwks.New(jwks.Config{URL: j.KeysURL, File: j.KeysFile, Cache: b.keyCache, Log: b.log})
	if err != nil {
		return nil, err
	}
	return signature.NewJWT(signature.JWTConfig{
		Keys: keys, Algorithms: j.Algorithms, Issuer: j.Issuer, Audience: j.Audience, Claims: j.Claims,
		InBody: j.In == settings.JWTInBody, Tolerance: j.Tolerance, Now: time.Now,
	})
}

// newSigned takes a signature over the body. LearnUpon's two versions may come to one URL: version 2
// has a header, and a delivery without it is held against version 1.
func newSigned(auth settings.Auth, name string) (lms.Verifier, error) {
	if auth.LearnUponV1 == nil {
		return newHMAC(*auth.HMACSHA256, name)
	}
	first, err := learnupon.NewBodySignature(reveal(auth.LearnUponV1.Secrets))
	if err != nil || auth.HMACSHA256 == nil {
		return first, err
	}
	second, err := newHMAC(*auth.HMACSHA256, name)
	if err != nil {
		return nil, err
	}
	headers, err := signatureHeaders(*auth.HMACSHA256, name)
	if err != nil {
		return nil, err
	}
	return signature.NewChoice(headers, second, first)
}

func newHMAC(h settings.HMACSHA256, name string) (lms.Verifier, error) {
	if h.Signed == settings.SignedStandard {
		return signature.NewStandard(reveal(h.Secrets), h.Tolerance, time.Now)
	}
	headers, err := signatureHeaders(h, name)
	if err != nil {
		return nil, err
	}
	format := signature.Format{Prefix: h.Prefix, Base64: h.Encoding == settings.EncodingBase64}
	return signature.NewHMACIn(format, reveal(h.Secrets), headers...)
}

func signatureHeaders(h settings.HMACSHA256, name string) ([]string, error) {
	headers := h.Headers
	if h.Signed == settings.SignedStandard {
		headers = []string{signature.StandardHeader}
	}
	if len(headers) == 0 {
		headers = platform.SignatureHeaders(name)
	}
	if len(headers) == 0 {
		return nil, fmt.Errorf("auth.hmac_sha256.headers is required: %s has no signature header of its own", name)
	}
	return headers, nil
}

func reveal(secrets []settings.Secret) []string {
	values := make([]string, len(secrets))
	for i, secret := range secrets {
		values[i] = secret.Reveal()
	}
	return values
}
