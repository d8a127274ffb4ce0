package settings

import (
	"crypto/tls"
	"os"
)

// tls checks our own listener, and the header in which a proxy passes certificates on.
func (c *checker) tls(p Process) {
	switch {
	case p.TLSListen == "" && p.TLSCert == "" && p.TLSKey == "":
	case p.TLSListen == "" || p.TLSCert == "" || p.TLSKey == "":
		c.wrong("TLS_LISTEN", "%[1]s_TLS_LISTEN, %[1]s_TLS_CERT and %[1]s_TLS_KEY belong together", prefix)
	default:
		c.address("TLS_LISTEN", p.TLSListen)
		if p.TLSListen == p.Listen {
			c.wrong("TLS_LISTEN", "is the address of %s_LISTEN", prefix)
		}
		if _, err := tls.LoadX509KeyPair(p.TLSCert, p.TLSKey); err != nil { // it holds nothing of the key
			c.wrong("TLS_CERT", "%w", err)
		}
	}
	if p.ClientCertHeader == "" {
		return
	}
	if !headerPattern.MatchString(p.ClientCertHeader) {
		c.wrong("CLIENT_CERT_HEADER", "must be the name of an HTTP header")
	}
	if len(p.TrustedProxies) == 0 {
		c.wrong("CLIENT_CERT_HEADER", "is believed from %s_TRUSTED_PROXIES only, and there are none", prefix)
	}
}

// folder checks that a folder is there.
func (c *checker) folder(name, path string) {
	if path == "" {
		return
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		c.wrong(name, "%w", err)
	case !info.IsDir():
		c.wrong(name, "must be a folder")
	case info.Mode().Perm()&0o002 != 0:
		c.wrong(name, "can be written by everybody on this machine, who could then make keys good (mode %04o)", info.Mode().Perm())
	}
}
