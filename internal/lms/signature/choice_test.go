package signature_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/lms/signature"
)

// A sender of two generations: signed in a header, or with a token in the body.
func TestChoiceIsByTheHeader(t *testing.T) {
	token, err := signature.NewPathToken([]string{"token"})
	require.NoError(t, err)
	v, err := signature.NewChoice([]string{"absorb-signature"}, verifier(t, "new", "old"), token)
	require.NoError(t, err)

	secret, err := v.Verify(request("Absorb-Signature", sign("old", body)))
	require.NoError(t, err)
	require.Equal(t, 1, secret)

	unsigned := request()
	unsigned.PathToken = "token"
	_, err = v.Verify(unsigned)
	require.NoError(t, err)

	for _, value := range []string{"", "x", sign("other", body)} { // the header, once there, decides
		both := request("absorb-signature", value)
		both.PathToken = "token"
		_, err = v.Verify(both)
		require.ErrorIs(t, err, lms.ErrUnauthenticated, value)
	}
	_, err = v.Verify(request())
	require.ErrorIs(t, err, lms.ErrUnauthenticated)
	require.ErrorContains(t, err, "no header absorb-signature")
}

func TestNewChoiceRefusesHalfOfOne(t *testing.T) {
	whole := verifier(t, "new")
	_, err := signature.NewChoice(nil, whole, whole)
	require.Error(t, err)
	_, err = signature.NewChoice([]string{""}, whole, whole)
	require.Error(t, err)
	_, err = signature.NewChoice([]string{"h"}, nil, whole)
	require.Error(t, err)
	_, err = signature.NewChoice([]string{"h"}, whole, nil)
	require.Error(t, err)
}

// WWW-Authenticate names what would help, and each only once.
func TestChallenges_R26(t *testing.T) {
	secrets := []string{"s3cret"}
	must := func(v lms.Verifier, err error) lms.Verifier {
		require.NoError(t, err)
		return v
	}
	bearer, hmac := must(signature.NewBearer(secrets)), verifier(t, "new")
	basic := must(signature.NewBasic("u", secrets))
	query := must(signature.NewQueryToken(secrets, "t"))
	jwt := must(signature.NewJWT(config(keySet{})))
	inBody := config(keySet{})
	inBody.InBody = true
	signed := must(signature.NewJWT(inBody))
	for want, verifiers := range map[string][]lms.Verifier{
		"Bearer":                            {bearer},
		`Basic realm="countersign"`:         {basic, query},
		"Signature":                         {hmac, signed, hmac},
		`Signature, Bearer`:                 {query, hmac, jwt},
		"":                                  {query, query},
		`Bearer, Basic realm="countersign"`: {must(signature.NewChoice([]string{"h"}, bearer, basic)), query},
	} {
		v := must(signature.All(verifiers...))
		challenger, ok := v.(lms.Challenger)
		require.True(t, ok)
		require.Equal(t, want, challenger.Challenge())
	}
}

func TestNoneTakesEverything_R41(t *testing.T) {
	secret, err := signature.NewNone().Verify(lms.Request{})
	require.NoError(t, err)
	require.Zero(t, secret)
}
