package main

import (
	"errors"
	"fmt"
	"time"

	"countersign/internal/lms"
	"countersign/internal/lms/platform"
	"countersign/internal/lms/signature"
	"countersign/internal/settings"
)

// newVerifier builds what a source's deliveries must satisfy: every kind its auth names. The
// networks come first; signature.All says why.
func newVerifier(source settings.Source) (lms.Verifier, error) {
	var verifiers []lms.Verifier
	var problems []error
	use := func(v lms.Verifier, err error) {
		verifiers, problems = append(verifiers, v), append(problems, err)
	}
	auth := source.Auth
	if len(auth.IPAllow) > 0 {
		use(signature.NewIPAllow(auth.IPAllow))
	}
	if h := auth.HMACSHA256; h != nil {
		use(newHMAC(*h, source.Platform))
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
	if t := auth.TokenIn; t != nil {
		use(signature.NewQueryToken(reveal(t.Secrets), t.Query))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return signature.All(verifiers...)
}

func newHMAC(h settings.HMACSHA256, name string) (lms.Verifier, error) {
	if h.Signed == settings.SignedStandard {
		return signature.NewStandard(reveal(h.Secrets), h.Tolerance, time.Now)
	}
	headers := h.Headers
	if len(headers) == 0 {
		headers = platform.SignatureHeaders(name)
	}
	if len(headers) == 0 {
		return nil, fmt.Errorf("auth.hmac_sha256.headers is required: %s has no signature header of its own", name)
	}
	format := signature.Format{Prefix: h.Prefix, Base64: h.Encoding == settings.EncodingBase64}
	return signature.NewHMACIn(format, reveal(h.Secrets), headers...)
}

func reveal(secrets []settings.Secret) []string {
	values := make([]string, len(secrets))
	for i, secret := range secrets {
		values[i] = secret.Reveal()
	}
	return values
}
