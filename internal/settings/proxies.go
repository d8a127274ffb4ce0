package settings

import "net/netip"

// ProxyNetworks are the trusted proxies as networks; an address is a network of one.
func (p Process) ProxyNetworks() []netip.Prefix {
	var all []netip.Prefix
	for _, text := range p.TrustedProxies {
		if network, err := netip.ParsePrefix(text); err == nil {
			all = append(all, network.Masked())
		} else if address, err := netip.ParseAddr(text); err == nil {
			all = append(all, netip.PrefixFrom(address, address.BitLen()))
		} // anything else was refused when the settings were read
	}
	return all
}
