// Package clientcert takes the client's certificate of a request from where TLS ends: from our own
// listener (TLSConfig), or from the header of a proxy that we trust (FromRequest). In both cases the
// other side of that TLS has proved that the client holds the private key; whether the
// certificate is the right one, a verifier decides (R40).
package clientcert

import (
	"crypto/x509"
	"net/http"
	"net/netip"
)

// FromRequest returns a function that finds the certificate of a request, nil where there is none.
//
// Requests that come straight from one of the trusted proxies have the client's certificate in the
// header, and only there: the certificate of their connection would be the proxy's own. From
// everybody else the header is not believed, and the connection's certificate counts. header ""
// means that no proxy passes certificates on.
func FromRequest(header string, trusted []netip.Prefix) func(*http.Request) *x509.Certificate {
	return func(r *http.Request) *x509.Certificate {
		if header == "" || !from(r.RemoteAddr, trusted) {
			if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
				return nil
			}
			return r.TLS.PeerCertificates[0]
		}
		values := r.Header.Values(header)
		if len(values) != 1 { // of two, one may be the client's own invention
			return nil
		}
		certificate, err := FromHeader(values[0])
		if err != nil {
			return nil
		}
		return certificate
	}
}

// from reports whether the peer, HOST:PORT as net/http gives it, is in one of the networks.
func from(peer string, networks []netip.Prefix) bool {
	address, err := netip.ParseAddrPort(peer)
	if err != nil {
		return false
	}
	for _, network := range networks {
		if network.Contains(address.Addr().Unmap().WithZone("")) {
			return true
		}
	}
	return false
}
