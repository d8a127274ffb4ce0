package signature_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/lms/signature"
)

// agree holds that a verifier accepts exactly what an independent reading of the rule accepts.
func agree(t *testing.T, accepted bool, err error) {
	t.Helper()
	if accepted {
		require.NoError(t, err)
		return
	}
	if !errors.Is(err, lms.ErrUnauthenticated) {
		t.Fatalf("want a refusal, got %v", err)
	}
}

func FuzzHMACHeader(f *testing.F) {
	digits := sign("new", body)
	for _, seed := range []string{digits, "sha256=" + digits, "sha256=", "=", strings.ToUpper(digits), digits + digits, "é"} {
		f.Add(seed)
	}
	raw, err := hex.DecodeString(digits)
	require.NoError(f, err)
	encoded := base64.StdEncoding.EncodeToString(raw)
	f.Add(encoded)
	asHex, err := signature.NewHMAC([]string{"new"}, "X-Signature")
	require.NoError(f, err)
	asBase64, err := signature.NewHMACIn(signature.Format{Base64: true}, []string{"new"}, "X-Signature")
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, value string) {
		bare := strings.TrimPrefix(value, "sha256=")
		_, err := asHex.Verify(request("X-Signature", value))
		agree(t, strings.ToLower(bare) == digits && len(bare) == len(digits), err)
		_, err = asBase64.Verify(request("X-Signature", value))
		agree(t, bare == encoded, err)
	})
}

func FuzzStandardHeaders(f *testing.F) {
	now := strconv.FormatInt(sentAt().Unix(), 10)
	good := standardEntry(f, "key", messageID, now, body)
	for _, id := range []string{messageID, "a.b", ""} {
		for _, timestamp := range []string{now, "-1", "0", "99999999999999999999"} {
			for _, entries := range []string{good, "v1a,x " + good, "v1,", " ", ","} {
				f.Add(id, timestamp, entries)
			}
		}
	}
	v := standard(f, sentAt(), whsec("key"))
	f.Fuzz(func(t *testing.T, id, timestamp, entries string) {
		_, err := v.Verify(request("webhook-id", id, "webhook-timestamp", timestamp, "webhook-signature", entries))
		if err != nil {
			require.ErrorIs(t, err, lms.ErrUnauthenticated)
			return
		}
		require.NotContains(t, id, ".")
		require.Contains(t, strings.Split(entries, " "), standardEntry(t, "key", id, timestamp, body))
	})
}

func FuzzAuthorization(f *testing.F) {
	for _, seed := range []string{"Bearer s3cret", "bearer  s3cret", "Basic " + base64.StdEncoding.EncodeToString([]byte("u:s3cret")), "Basic", " ", "s3cret", "é"} {
		f.Add(seed)
	}
	bearer, err := signature.NewBearer([]string{"s3cret"})
	require.NoError(f, err)
	basic, err := signature.NewBasic("u", []string{"s3cret"})
	require.NoError(f, err)
	typed, err := signature.NewAuthorization([]string{"s3cret"})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, value string) {
		r := request("Authorization", value)
		_, err := bearer.Verify(r)
		agree(t, len(value) == len("Bearer s3cret") && strings.EqualFold(value[:6], "bearer") && value[6:] == " s3cret", err)
		_, err = typed.Verify(r)
		agree(t, value == "s3cret", err)
		if _, err = basic.Verify(r); err == nil {
			r := lms.Request{Header: r.Header}
			pair, decodeErr := base64.StdEncoding.DecodeString(r.Header.Get("Authorization")[len("Basic "):])
			require.NoError(t, decodeErr)
			require.Equal(t, "u:s3cret", string(pair))
		} else {
			require.ErrorIs(t, err, lms.ErrUnauthenticated)
		}
	})
}

func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"token=s3cret", "token=s3cret&token=x", "%74oken=s3cret", "token=%zz", ";", "=&=", "token"} {
		f.Add(seed)
	}
	v, err := signature.NewQueryToken([]string{"s3cret"}, "token")
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, query string) {
		r := request()
		r.Query = query
		_, err := v.Verify(r)
		values, parseErr := url.ParseQuery(query)
		agree(t, parseErr == nil && len(values["token"]) == 1 && values.Get("token") == "s3cret", err)
	})
}

func FuzzBodyToken(f *testing.F) {
	for _, seed := range []string{
		`{"auth_secret":"s3cret-axis"}`, `{"auth_secret":"s3cret-axis"} `, `{"a":[{}],"auth_secret":"x"}`, `[]`, `{"auth_secret":1}`, `{`, "auth_secret=s3cret-axis",
	} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	v := bodyToken(f)
	f.Fuzz(func(t *testing.T, body string, asForm bool) {
		r := request("Content-Type", "application/json")
		if asForm {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		r.Body = []byte(body)
		_, err := v.Verify(r)
		if asForm && !strings.HasPrefix(strings.TrimSpace(body), "{") {
			values, parseErr := url.ParseQuery(body)
			agree(t, parseErr == nil && len(values["auth_secret"]) == 1 && values.Get("auth_secret") == "s3cret-axis", err)
			return
		}
		if err != nil {
			require.ErrorIs(t, err, lms.ErrUnauthenticated)
			return
		}
		var members map[string]any
		require.NoError(t, json.Unmarshal([]byte(body), &members))
		require.Equal(t, "s3cret-axis", members["auth_secret"])
	})
}

func FuzzJWT(f *testing.F) {
	key := rsaKeys()[0]
	good := jws(f, jose.RS256, key, kid("k"), `{"exp":1775659000}`)
	parts := strings.Split(good, ".")
	for _, seed := range []string{good, good + "\n", parts[0] + "..", "..", parts[0] + "." + parts[1] + "." + parts[0], "{}", ""} {
		f.Add(seed)
	}
	c := config(keySet{publicKey("k", key.Public())})
	c.InBody = true
	v, err := signature.NewJWT(c)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, body string) {
		r := request()
		r.Body = []byte(body)
		if _, err := v.Verify(r); err != nil {
			require.ErrorIs(t, err, lms.ErrUnauthenticated)
			return
		}
		payload, err := signature.Payload(r.Body)
		require.NoError(t, err, "what was verified can be read")
		require.JSONEq(t, `{"exp":1775659000}`, string(payload))
	})
}
