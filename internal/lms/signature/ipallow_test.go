package signature_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/lms/signature"
)

func from(address string) lms.Request {
	r := request()
	r.RemoteAddr = address
	return r
}

func ipAllow(t *testing.T, networks ...string) *signature.IPAllow {
	t.Helper()
	prefixes := make([]netip.Prefix, len(networks))
	for i, network := range networks {
		prefixes[i] = netip.MustParsePrefix(network)
	}
	v, err := signature.NewIPAllow(prefixes)
	require.NoError(t, err)
	return v
}

func TestIPAllow_R45_R47(t *testing.T) {
	v := ipAllow(t, "203.0.113.0/25", "198.51.100.7/32", "2001:db8:1::/48")
	for address, accepted := range map[string]bool{
		"203.0.113.0": true, "203.0.113.127": true, "203.0.113.128": false, "203.0.112.255": false,
		"198.51.100.7": true, "198.51.100.8": false,
		"::ffff:203.0.113.9": true, "::ffff:203.0.113.200": false, "::203.0.113.9": false,
		"2001:db8:1::1": true, "2001:db8:1::1%eth0": true, "2001:db8:2::1": false,
		"127.0.0.1": false, "::1": false,
		"": false, "203.0.113.9:443": false, "[2001:db8:1::1]": false, "203.0.113.9, 1.2.3.4": false, "203.0.113": false,
		"203.0.113.09": false, "lms.example.com": false, " 203.0.113.9": false,
	} {
		index, err := v.Verify(from(address))
		require.Zero(t, index)
		if accepted {
			require.NoError(t, err, address)
			continue
		}
		require.ErrorIs(t, err, lms.ErrUnauthenticated, address)
		require.NotContains(t, err.Error(), "203.0.113", "neither an address nor the list is shown")
	}
}

func TestIPAllowDoesNotBelieveHeaders(t *testing.T) {
	r := from("192.0.2.1")
	for _, header := range []string{"X-Forwarded-For", "X-Real-Ip", "Forwarded", "Client-Ip"} {
		r.Header.Set(header, "203.0.113.9")
	}
	_, err := ipAllow(t, "203.0.113.0/24").Verify(r)
	require.ErrorIs(t, err, lms.ErrUnauthenticated)
}

func TestNewIPAllowRefusesWhatMatchesNobody(t *testing.T) {
	for _, networks := range [][]netip.Prefix{nil, {{}}, {netip.MustParsePrefix("::ffff:203.0.113.0/120")}} {
		_, err := signature.NewIPAllow(networks)
		require.Error(t, err)
	}
}
