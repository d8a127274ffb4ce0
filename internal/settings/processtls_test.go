package settings_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/settings"
)

// tlsPair writes a certificate and its key.
func tlsPair(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	cert, key = filepath.Join(t.TempDir(), "tls.crt"), filepath.Join(t.TempDir(), "tls.key")
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600))
	return cert, key
}

func TestProcessTLS_R40(t *testing.T) {
	cert, key := tlsPair(t)
	_, otherKey := tlsPair(t)
	private, shared := t.TempDir(), t.TempDir()
	require.NoError(t, os.Chmod(shared, 0o777))
	for name, test := range map[string]struct {
		env  map[string]string
		want string // "" is accepted
	}{
		"nothing":             {nil, ""},
		"all":                 {map[string]string{"TLS_LISTEN": ":8443", "TLS_CERT": cert, "TLS_KEY": key, "JWKS_CACHE": private}, ""},
		"certificate only":    {map[string]string{"TLS_CERT": cert}, "COUNTERSIGN_TLS_LISTEN: COUNTERSIGN_TLS_LISTEN, COUNTERSIGN_TLS_CERT and COUNTERSIGN_TLS_KEY belong together"},
		"no key":              {map[string]string{"TLS_LISTEN": ":8443", "TLS_CERT": cert}, "belong together"},
		"another key":         {map[string]string{"TLS_LISTEN": ":8443", "TLS_CERT": cert, "TLS_KEY": otherKey}, "COUNTERSIGN_TLS_CERT: tls: private key does not match"},
		"no file":             {map[string]string{"TLS_LISTEN": ":8443", "TLS_CERT": cert + "x", "TLS_KEY": key}, "COUNTERSIGN_TLS_CERT: open"},
		"no address":          {map[string]string{"TLS_LISTEN": "8443", "TLS_CERT": cert, "TLS_KEY": key}, "COUNTERSIGN_TLS_LISTEN: must be an address"},
		"one address for two": {map[string]string{"TLS_LISTEN": ":8080", "TLS_CERT": cert, "TLS_KEY": key}, "is the address of COUNTERSIGN_LISTEN"},
		"header":              {map[string]string{"CLIENT_CERT_HEADER": "X-Client-Cert", "TRUSTED_PROXIES": "10.0.0.0/8"}, ""},
		"header of anybody":   {map[string]string{"CLIENT_CERT_HEADER": "X-Client-Cert"}, "COUNTERSIGN_CLIENT_CERT_HEADER: is believed from COUNTERSIGN_TRUSTED_PROXIES only"},
		"no header":           {map[string]string{"CLIENT_CERT_HEADER": "X Client", "TRUSTED_PROXIES": "10.0.0.0/8"}, "must be the name of an HTTP header"},
		"no folder":           {map[string]string{"JWKS_CACHE": filepath.Join(private, "none")}, "COUNTERSIGN_JWKS_CACHE: stat"},
		"a file":              {map[string]string{"JWKS_CACHE": cert}, "COUNTERSIGN_JWKS_CACHE: must be a folder"},
		"everybody's folder":  {map[string]string{"JWKS_CACHE": shared}, "COUNTERSIGN_JWKS_CACHE: can be written by everybody"},
	} {
		t.Run(name, func(t *testing.T) {
			clearEnv(t)
			for key, value := range test.env {
				t.Setenv("COUNTERSIGN_"+key, value)
			}
			p, err := settings.ProcessFromEnv()
			if test.want != "" {
				require.ErrorContains(t, err, test.want)
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.env["TLS_LISTEN"], p.TLSListen)
			require.Equal(t, test.env["TLS_CERT"], p.TLSCert)
			require.Equal(t, test.env["TLS_KEY"], p.TLSKey)
			require.Equal(t, test.env["CLIENT_CERT_HEADER"], p.ClientCertHeader)
			require.Equal(t, test.env["JWKS_CACHE"], p.JWKSCache)
		})
	}
}
