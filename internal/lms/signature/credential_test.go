package signature_test

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/lms/signature"
)

// kind is a credential that a request carries itself: how to build its verifier, and the values with which
// a sender that holds a secret sends it, one after the other.
type kind struct {
	verifier func(secrets ...string) (lms.Verifier, error)
	send     func(values ...string) lms.Request
	value    func(secret string) string
}

func plain(secret string) string { return secret }

func inHeader(name string) func(values ...string) lms.Request {
	return func(values ...string) lms.Request {
		r := request()
		for _, value := range values {
			r.Header.Add(name, value)
		}
		return r
	}
}

func kinds() map[string]kind {
	return map[string]kind{
		"api key R33": {
			func(secrets ...string) (lms.Verifier, error) { return signature.NewAPIKey(secrets, "apikey") },
			inHeader("ApiKey"), plain,
		},
		"api key in Authorization R33": {
			func(secrets ...string) (lms.Verifier, error) { return signature.NewAPIKey(secrets, "Authorization") },
			inHeader("Authorization"), plain,
		},
		"authorization R43": {
			func(secrets ...string) (lms.Verifier, error) { return signature.NewAuthorization(secrets) },
			inHeader("Authorization"), plain,
		},
		"bearer R34": {
			func(secrets ...string) (lms.Verifier, error) { return signature.NewBearer(secrets) },
			inHeader("Authorization"), func(secret string) string { return "Bearer " + secret },
		},
		"basic R38": {
			func(secrets ...string) (lms.Verifier, error) { return signature.NewBasic("activate-svc", secrets) },
			inHeader("Authorization"), func(secret string) string { return basic("activate-svc:" + secret) },
		},
		"query token": {
			func(secrets ...string) (lms.Verifier, error) { return signature.NewQueryToken(secrets, "auth_secret") },
			func(values ...string) lms.Request {
				r := request()
				r.Query = url.Values{"auth_secret": values, "other": {"1"}}.Encode()
				return r
			}, plain,
		},
		"path token": {
			func(secrets ...string) (lms.Verifier, error) { return signature.NewPathToken(secrets) },
			func(values ...string) lms.Request {
				r := request()
				r.PathToken = strings.Join(values, "/") // the ingress gives one segment, so this is worse than can be
				return r
			}, plain,
		},
		"token in a JSON body": {
			func(secrets ...string) (lms.Verifier, error) { return signature.NewBodyToken(secrets, "auth_secret") },
			func(values ...string) lms.Request {
				r := request("Content-Type", "application/json; charset=utf-8")
				members := []string{`"event":"x"`, `"user":{"auth_secret":"s3cret-activate"}`}
				for _, value := range values {
					text, err := json.Marshal(value)
					if err != nil {
						panic(err)
					}
					members = append(members, `"auth_secret":`+string(text))
				}
				r.Body = []byte("{" + strings.Join(members, ",") + "}")
				return r
			}, plain,
		},
		"token in a form": {
			func(secrets ...string) (lms.Verifier, error) { return signature.NewBodyToken(secrets, "auth_secret") },
			func(values ...string) lms.Request {
				r := request("Content-Type", "application/x-www-form-urlencoded")
				r.Body = []byte(url.Values{"auth_secret": values, "event": {"s3cret-activate"}}.Encode())
				return r
			}, plain,
		},
	}
}

func basic(pair string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(pair)) }

func TestCredentials_R25_R208(t *testing.T) {
	const secret = "s3cret-activate" // of the recorded deliveries
	for name, k := range kinds() {
		t.Run(name, func(t *testing.T) {
			v, err := k.verifier("brand new", secret, "oldest: of them", secret)
			require.NoError(t, err)
			for index, secret := range []string{"brand new", secret, "oldest: of them"} {
				got, err := v.Verify(k.send(k.value(secret)))
				require.NoError(t, err)
				require.Equal(t, index, got, "the use of an old secret is made visible")
			}
			good := k.value(secret)
			for _, values := range [][]string{
				nil, {""}, {" "}, {"\x00"}, {k.value("")}, {k.value("x")}, {k.value(secret + "x")}, {k.value(secret[1:])}, {k.value(" " + secret)},
				{k.value(secret + " ")}, {k.value(strings.ToUpper(secret))}, {good + "x"}, {good + " "}, {" " + good}, {good[1:]},
				{good[:len(good)-1]}, {good + good}, {good + "," + good}, {good + ", " + good}, {strings.Repeat("é", 64)},
				{strings.Repeat("f", 1<<16)}, {"Bearer"}, {"Basic"}, {"Bearer " + good}, {"Basic " + good},
				{good, good}, {good, k.value("x")}, {k.value("x"), good}, {good, ""}, {"", good},
			} {
				_, err := v.Verify(k.send(values...))
				require.ErrorIs(t, err, lms.ErrUnauthenticated, "%q", values)
				require.NotContains(t, err.Error(), secret, "a refusal never shows the secret (law 7)")
			}
			for _, secrets := range [][]string{nil, {}, {""}, {secret, ""}} {
				_, err := k.verifier(secrets...)
				require.Error(t, err, "it would accept anybody")
			}
		})
	}
}

func TestRefusalsSayWhatToCompare_R199(t *testing.T) {
	for name, test := range map[string]struct{ kind, value, want string }{
		"no scheme":          {"bearer R34", "s3cret", "does not begin with Bearer"},
		"other scheme":       {"bearer R34", basic("activate-svc:s3cret"), "does not begin with Bearer"},
		"no token":           {"bearer R34", "Bearer ", "nothing behind Bearer"},
		"other token":        {"bearer R34", "Bearer x", "the bearer token does not match"},
		"bearer for basic":   {"basic R38", "Bearer s3cret", "does not begin with Basic"},
		"not base64":         {"basic R38", "Basic s3cret:", "is not base64"},
		"base64, other bits": {"basic R38", "Basic YWN0aXZhdGUtc3ZjOnMzY3JldB==", "is not base64"},
		"no colon":           {"basic R38", basic("s3cret"), "user name or password does not match"},
		"other user":         {"basic R38", basic("other:s3cret"), "user name or password does not match"},
		"other password":     {"basic R38", basic("activate-svc:x"), "user name or password does not match"},
		"user in capitals":   {"basic R38", basic("Activate-svc:s3cret"), "user name or password does not match"},
		"other key":          {"api key R33", "x", "apikey does not match"},
		"other typed value":  {"authorization R43", "Bearer s3cret", "letter for letter"},
	} {
		t.Run(name, func(t *testing.T) {
			k := kinds()[test.kind]
			v, err := k.verifier("s3cret")
			require.NoError(t, err)
			_, err = v.Verify(k.send(test.value))
			require.ErrorIs(t, err, lms.ErrUnauthenticated)
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestSchemesAreReadInAnyCase(t *testing.T) {
	for name, value := range map[string]string{
		"bearer R34": "bEARER s3cret",
		"basic R38":  "BASIC " + base64.StdEncoding.EncodeToString([]byte("activate-svc:s3cret")),
	} {
		k := kinds()[name]
		v, err := k.verifier("s3cret")
		require.NoError(t, err)
		_, err = v.Verify(k.send(value))
		require.NoError(t, err)
	}
}

// Vectors of the RFCs, independent witnesses.
func TestKnownVectors_RFC6750_RFC7617(t *testing.T) {
	bearer, err := signature.NewBearer([]string{"mF_9.B5f-4.1JqM"})
	require.NoError(t, err)
	_, err = bearer.Verify(request("Authorization", "Bearer mF_9.B5f-4.1JqM"))
	require.NoError(t, err)

	aladdin, err := signature.NewBasic("Aladdin", []string{"open sesame"})
	require.NoError(t, err)
	_, err = aladdin.Verify(request("Authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="))
	require.NoError(t, err)

	utf8, err := signature.NewBasic("test", []string{"123\u00a3"})
	require.NoError(t, err)
	_, err = utf8.Verify(request("Authorization", "Basic dGVzdDoxMjPCow=="))
	require.NoError(t, err)
}

func TestTheBodyDoesNotMatterToACredential(t *testing.T) {
	v, err := signature.NewAPIKey([]string{"s3cret"}, "X-API-Key")
	require.NoError(t, err)
	r := request("x-api-key", "s3cret")
	r.Method, r.Body = "OPTIONS", nil // the connection test, R189
	_, err = v.Verify(r)
	require.NoError(t, err)
}

func TestConstructorsRefuseWhatCannotMatch(t *testing.T) {
	secrets := []string{"s3cret"}
	_, err := signature.NewAPIKey(secrets, "")
	require.Error(t, err)
	_, err = signature.NewQueryToken(secrets, "")
	require.Error(t, err)
	for _, username := range []string{"", "user:name"} {
		_, err = signature.NewBasic(username, secrets)
		require.Error(t, err)
	}
}

func TestUnreadableQueryIsRefused(t *testing.T) {
	v, err := signature.NewQueryToken([]string{"s3cret"}, "token")
	require.NoError(t, err)
	for query, want := range map[string]string{
		"":                          "no parameter token",
		"token":                     "does not match",
		"Token=s3cret":              "no parameter token",
		"token=s3cret&x=%zz":        "cannot be read",
		"token=s3cret;x=1":          "cannot be read",
		"token=s3cret&token=s3cret": "is there 2 times",
		"token=s3cret&%74oken=x":    "is there 2 times",
	} {
		r := request()
		r.Query = query
		_, err := v.Verify(r)
		require.ErrorIs(t, err, lms.ErrUnauthenticated, query)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "s3cret")
	}
}
