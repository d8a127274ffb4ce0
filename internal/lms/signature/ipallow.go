package signature

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"countersign/internal/lms"
)

// IPAllow verifies that a request comes from the sender's networks (R47). It is the only check there is
// for a sender that signs nothing and sends no credential (R45), and then a weak one: all customers
// of a hosted LMS share its addresses.
type IPAllow struct {
	networks []netip.Prefix
}

var _ lms.Verifier = (*IPAllow)(nil)

// NewIPAllow takes the networks that are let in.
func NewIPAllow(networks []netip.Prefix) (*IPAllow, error) {
	if len(networks) == 0 {
		return nil, errors.New("new ip allow verifier: no network")
	}
	for _, network := range networks {
		// netip finds no address in an IPv4 network written as IPv6, so it would let nobody in.
		if !network.IsValid() || network.Addr().Is4In6() {
			return nil, fmt.Errorf("new ip allow verifier: %s is no network", network)
		}
	}
	return &IPAllow{networks: slices.Clone(networks)}, nil
}

// Verify implements lms.Verifier. There is no secret, so it returns 0.
func (v *IPAllow) Verify(r lms.Request) (int, error) {
	address, err := netip.ParseAddr(r.RemoteAddr)
	if err != nil {
		return 0, refuse("the sender's address is not known")
	}
	// A socket for both IP versions shows IPv4 peers as ::ffff:192.0.2.1.
	address = address.Unmap().WithZone("")
	for _, network := range v.networks {
		if network.Contains(address) {
			return 0, nil
		}
	}
	return 0, refuse("the sender's address is not among those that this source accepts")
}
