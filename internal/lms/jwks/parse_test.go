package jwks

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"
)

func TestParseLeavesOutWhatCannotVerify(t *testing.T) {
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	long, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	var all []json.RawMessage
	for _, key := range []jose.JSONWebKey{
		{Key: oneKey().Public(), KeyID: "good"}, {Key: long.Public(), KeyID: "good too", Use: "sig"}, {Key: &short.PublicKey, KeyID: "short"},
		{Key: oneKey(), KeyID: "private"}, {Key: []byte("a secret of thirty-two bytes, ok"), KeyID: "secret"}, {Key: long.Public(), KeyID: "encryption", Use: "enc"},
	} {
		raw, err := json.Marshal(key)
		require.NoError(t, err)
		all = append(all, raw)
	}
	all = append(all, json.RawMessage(`{"kty":"new"}`), json.RawMessage(`7`), json.RawMessage(`null`))
	content, err := json.Marshal(map[string]any{"keys": all})
	require.NoError(t, err)
	keys, err := parse(content)
	require.NoError(t, err)
	require.Len(t, keys, 2)
	require.Equal(t, "good", keys[0].KeyID)

	many := set(strings.Split(strings.Repeat("k ", mostKeys), " ")...)
	for _, bad := range []string{"", "[]", "{}", `{"keys":{}}`, `{"keys":[]}`, `{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}`, string(many)} {
		_, err := parse([]byte(bad))
		require.Error(t, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range [][]byte{set("k"), []byte(`{"keys":[{"kty":"RSA","n":"AQ","e":"AQAB"}]}`), []byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":""}]}`), []byte(`{}`)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		keys, err := parse(content)
		require.Equal(t, err == nil, len(keys) > 0)
		for _, key := range keys {
			require.True(t, key.Valid())
			require.True(t, key.IsPublic())
		}
	})
}
