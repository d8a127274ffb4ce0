package signature_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/lms/signature"
)

func TestAllMustPass_R47(t *testing.T) {
	key, err := signature.NewAPIKey([]string{"new", "old"}, "X-API-Key")
	require.NoError(t, err)
	all, err := signature.All(ipAllow(t, "203.0.113.0/24"), key, verifier(t, "new", "old", "older"))
	require.NoError(t, err)

	ask := func(address, key, secret string) (int, error) {
		r := request("X-API-Key", key, "absorb-signature", sign(secret, body))
		r.RemoteAddr = address
		return all.Verify(r)
	}
	for want, secrets := range map[int][2]string{0: {"new", "new"}, 1: {"old", "new"}, 2: {"old", "older"}} {
		index, err := ask("203.0.113.9", secrets[0], secrets[1])
		require.NoError(t, err)
		require.Equal(t, want, index, "the oldest one used is the one to tell about")
	}
	for name, test := range map[string]struct{ address, key, secret, want string }{
		"elsewhere, all else right": {"192.0.2.1", "new", "new", "address"},
		"elsewhere, all wrong":      {"192.0.2.1", "x", "x", "address"},
		"another key":               {"203.0.113.9", "x", "new", "X-API-Key"},
		"another signature":         {"203.0.113.9", "new", "x", "signature"},
	} {
		_, err := ask(test.address, test.key, test.secret)
		require.ErrorIs(t, err, lms.ErrUnauthenticated, name)
		require.ErrorContains(t, err, test.want, name)
	}
}

func TestAllOfNothingAcceptsNobody_R41(t *testing.T) {
	_, err := signature.All()
	require.Error(t, err)
	_, err = signature.All(verifier(t, "new"), nil)
	require.Error(t, err)
	alone, err := signature.All(verifier(t, "new"))
	require.NoError(t, err)
	_, err = alone.Verify(request())
	require.ErrorIs(t, err, lms.ErrUnauthenticated)
}

func ExampleAll() {
	networks, err := signature.NewIPAllow([]netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")})
	if err != nil {
		fmt.Println(err)
		return
	}
	key, err := signature.NewAPIKey([]string{"new key", "old key"}, "X-API-Key")
	if err != nil {
		fmt.Println(err)
		return
	}
	both, err := signature.All(networks, key)
	if err != nil {
		fmt.Println(err)
		return
	}
	header := http.Header{}
	header.Set("X-API-Key", "old key")
	fmt.Println(both.Verify(lms.Request{Method: http.MethodPost, Header: header, RemoteAddr: "203.0.113.9"}))
	fmt.Println(both.Verify(lms.Request{Method: http.MethodPost, Header: header, RemoteAddr: "192.0.2.1"}))
	// Output:
	// 1 <nil>
	// 0 not authenticated: the sender's address is not among those that this source accepts
}
