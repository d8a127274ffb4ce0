package issuer_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/stretchr/testify/require"

	"countersign/internal/issuer"
	"countersign/internal/lms"
)

func TestTokensOfOneSourceOpenNoOther_R163_R164(t *testing.T) {
	accounts := []issuer.Account{client("s3cret"), user("s3cret")}
	for _, change := range []func(a *issuer.Account){
		func(a *issuer.Account) { a.Tenant = "globex" },
		func(a *issuer.Account) { a.Source = "other" },
		func(a *issuer.Account) { a.Tenant, a.Source = "ac", "me-sap" },
		func(a *issuer.Account) { a.Name, a.Source = "someone-else", "third" },
	} {
		for _, a := range []issuer.Account{client("s3cret"), user("s3cret")} { // the same secret, which settings refuse
			change(&a)
			accounts = append(accounts, a)
		}
	}
	e := serve(t, accounts...)
	for _, issued := range accounts {
		token := e.fetch(t, issued, "s3cret")
		for _, used := range accounts {
			_, err := verifier(t, used, e.clock).Verify(bearing(token))
			if used.Kind == issued.Kind && used.Tenant == issued.Tenant && used.Source == issued.Source {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, lms.ErrUnauthenticated, "%v at %v", issued, used)
			}
		}
	}
}

func TestRotationEndsTheTokensOfASecret_R208(t *testing.T) {
	e := serve(t, client("new", "old"))
	fromNew, fromOld := e.fetch(t, client(), "new"), e.fetch(t, client(), "old")
	both := verifier(t, client("new", "old"), e.clock)
	secret, err := both.Verify(bearing(fromNew))
	require.NoError(t, err)
	require.Zero(t, secret)
	secret, err = both.Verify(bearing(fromOld))
	require.NoError(t, err)
	require.Equal(t, 1, secret, "the use of an old secret is made visible")
	_, err = verifier(t, client("new"), e.clock).Verify(bearing(fromOld))
	require.ErrorIs(t, err, lms.ErrUnauthenticated)
	_, err = verifier(t, client("new"), e.clock).Verify(bearing(fromNew))
	require.NoError(t, err, "another starter agrees")
}

func TestTokensLiveShortly_R36(t *testing.T) {
	e := serve(t, user("s3cret"))
	v := verifier(t, user("s3cret"), e.clock)
	token := e.fetch(t, user(), "s3cret")
	e.clock.forward(10*time.Minute + 30*time.Second)
	_, err := v.Verify(bearing(token))
	require.NoError(t, err, "the clocks of two starters may differ a little")
	e.clock.forward(time.Second)
	_, err = v.Verify(bearing(token))
	require.ErrorIs(t, err, lms.ErrUnauthenticated)
	require.ErrorContains(t, err, "has expired: fetch a new one")
}

func TestForgedTokensAreRefused_R25(t *testing.T) {
	e := serve(t, user("s3cret"))
	v := verifier(t, user("s3cret"), e.clock)
	good := e.fetch(t, user(), "s3cret")
	parts := strings.Split(good, ".")
	raw := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: []byte("s3cret-s3cret-s3cret-s3cret-s3cret")}, nil)
	require.NoError(t, err)
	forged, err := jwt.Signed(signer).Claims(jwt.Claims{Issuer: "countersign", Subject: "activate-svc", Audience: jwt.Audience{"acme/activate"}}).Serialize()
	require.NoError(t, err)
	for name, r := range map[string]lms.Request{
		"none at all":         bearing(),
		"two":                 bearing(good, good),
		"empty":               bearing(""),
		"basic":               {Header: http.Header{"Authorization": {"Basic " + good}}},
		"alg none":            bearing(raw(`{"alg":"none"}`) + "." + parts[1] + "."),
		"alg HS512":           bearing(raw(`{"alg":"HS512","typ":"JWT"}`) + "." + parts[1] + "." + parts[2]),
		"alg RS256":           bearing(raw(`{"alg":"RS256","typ":"JWT"}`) + "." + parts[1] + "." + parts[2]),
		"other claims":        bearing(parts[0] + "." + raw(`{"iss":"countersign","sub":"activate-svc","aud":"acme/activate","exp":9999999999}`) + "." + parts[2]),
		"no signature":        bearing(parts[0] + "." + parts[1] + "."),
		"under another key":   bearing(forged),
		"the secret itself":   bearing("s3cret"),
		"something endless":   bearing(strings.Repeat("a", 9000)),
		"a token and a space": bearing(good + " "),
	} {
		_, err := v.Verify(r)
		require.ErrorIs(t, err, lms.ErrUnauthenticated, name)
		require.NotContains(t, err.Error(), parts[1], name)
	}
	challenger, ok := lms.Verifier(v).(lms.Challenger)
	require.True(t, ok)
	require.Equal(t, "Bearer", challenger.Challenge())
}
