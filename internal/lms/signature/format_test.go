package signature_test

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/lms/signature"
)

func base64Of(t *testing.T, digits string) string {
	t.Helper()
	raw, err := hex.DecodeString(digits)
	require.NoError(t, err)
	return base64.StdEncoding.EncodeToString(raw)
}

func TestFormats_R24_R31(t *testing.T) {
	digits := sign("new", body)
	encoded := base64Of(t, digits)
	for name, test := range map[string]struct {
		format signature.Format
		value  string
		want   string // "" is accepted
	}{
		"hex, own prefix":            {signature.Format{Prefix: "HMAC "}, "HMAC " + digits, ""},
		"hex, own prefix left out":   {signature.Format{Prefix: "HMAC "}, digits, ""},
		"hex, the usual prefix":      {signature.Format{Prefix: "v1="}, "sha256=" + digits, "another algorithm"},
		"base64":                     {signature.Format{Base64: true}, encoded, ""},
		"base64, usual prefix":       {signature.Format{Base64: true}, "sha256=" + encoded, ""},
		"a prefix of digits":         {signature.Format{Prefix: digits[:2]}, digits, ""},
		"a prefix of digits, twice":  {signature.Format{Prefix: digits[:2]}, digits[:2] + digits, ""},
		"hex where base64 is due":    {signature.Format{Base64: true}, digits, "has 64 characters, want 44 of base64"},
		"base64 where hex is due":    {signature.Format{}, encoded, "not hexadecimal"},
		"base64 without padding":     {signature.Format{Base64: true}, strings.TrimRight(encoded, "="), "has 43 characters"},
		"base64 for URLs":            {signature.Format{Base64: true}, strings.Repeat("_", 43) + "=", "is not base64 of 32 bytes"},
		"base64 of 33 bytes":         {signature.Format{Base64: true}, base64.StdEncoding.EncodeToString(make([]byte, 33)), "is not base64 of 32 bytes"},
		"base64 with a line end":     {signature.Format{Base64: true}, encoded[:43] + "\n", "is not base64 of 32 bytes"},
		"base64 with stray bits set": {signature.Format{Base64: true}, strings.Repeat("A", 42) + "B=", "is not base64 of 32 bytes"},
		"another body":               {signature.Format{Base64: true}, base64Of(t, sign("new", body+" ")), "does not match"},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := signature.NewHMACIn(test.format, []string{"new"}, "X-Signature")
			require.NoError(t, err)
			_, err = v.Verify(request("X-Signature", test.value))
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, lms.ErrUnauthenticated)
			require.ErrorContains(t, err, test.want)
		})
	}
}
