package main

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
)

// addresses are all places this process listens at.
type addresses struct {
	frontendPort int
	// frontend is where clients, and the server's own services, reach it.
	frontend                  string
	uiPort                    int
	ui                        string
	history, matching, worker int // ports on loopback
}

func (a addresses) uiURL() string { return "http://" + a.ui }

// claimAddresses finds out, before anything is started, whether the wanted ports
// are free: the server and the UI both answer a port in use by ending the
// process from within. All listeners are open together so that no port is given
// out twice. Between closing them and the server's own listening another process
// may take one; the official development server lives with that as well.
func claimAddresses(opts options) (addresses, error) {
	var a addresses
	var listeners []net.Listener
	defer func() {
		for _, l := range listeners {
			l.Close()
		}
	}()
	claim := func(what string, ip netip.Addr, port int) (int, error) {
		l, err := net.Listen("tcp", netip.AddrPortFrom(ip, uint16(port)).String())
		if err != nil {
			return 0, fmt.Errorf("%s: %w", what, err)
		}
		listeners = append(listeners, l)
		return int(netip.MustParseAddrPort(l.Addr().String()).Port()), nil
	}

	var err error
	if a.frontendPort, err = claim("frontend", opts.ip, opts.port); err != nil {
		return a, err
	}
	a.frontend = dialAddress(opts.ip, a.frontendPort)
	if !opts.headless {
		if a.uiPort, err = claim("Web UI", opts.uiIP, opts.uiPort); err != nil {
			return a, err
		}
		a.ui = dialAddress(opts.uiIP, a.uiPort)
	}
	for _, port := range []*int{&a.history, &a.matching, &a.worker} {
		if *port, err = claim("internal service", loopback(), 0); err != nil {
			return a, err
		}
	}
	return a, nil
}

func loopback() netip.Addr { return netip.AddrFrom4([4]byte{127, 0, 0, 1}) }

// dialAddress is where to reach a listener; 0.0.0.0 can only be listened at.
func dialAddress(ip netip.Addr, port int) string {
	switch {
	case ip.IsUnspecified() && ip.Is6():
		ip = netip.IPv6Loopback()
	case ip.IsUnspecified():
		ip = loopback()
	}
	return net.JoinHostPort(ip.String(), strconv.Itoa(port))
}
