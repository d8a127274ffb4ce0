package clientcert

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net/url"
	"strings"
)

// longestHeader bounds what is read of a header, in bytes; a certificate has about 2,000.
const longestHeader = 64 << 10

// FromHeader reads the certificate that a proxy put into a header, in any of these forms, which
// cannot be taken for one another:
//
//	-----BEGIN%20CERTIFICATE-----%0A...      PEM, percent-encoded: nginx $ssl_client_escaped_cert, AWS ALB
//	By=...;Cert="-----BEGIN%20...";Subject=...   Envoy's x-forwarded-client-cert, one hop
//	:MIIB...:                                DER in base64 between colons: Client-Cert of RFC 9440
//	MIIB...                                  the same without colons: HAProxy ssl_c_der,base64, Traefik
//
// In a PEM text the client's certificate is the first one. Two hops of Envoy are an error: which
// of them is the client cannot be told from outside. The error never holds the value.
func FromHeader(value string) (*x509.Certificate, error) {
	if len(value) > longestHeader {
		return nil, errors.New("read client certificate: the header is too long")
	}
	der, err := derOf(strings.TrimSpace(value))
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil { // its text may repeat a part of it
		return nil, errors.New("read client certificate: the header holds something else than a certificate")
	}
	return certificate, nil
}

func derOf(value string) ([]byte, error) {
	switch {
	case value == "":
		return nil, errors.New("read client certificate: the header is empty")
	case strings.HasPrefix(value, "-----BEGIN"):
		return derOfPEM(value)
	case len(value) > 2 && value[0] == ':' && value[len(value)-1] == ':':
		return derOfBase64(value[1 : len(value)-1])
	case strings.Contains(value, ";") || strings.Contains(value, `="`) || strings.HasPrefix(strings.ToLower(value), "cert="):
		return derOfEnvoy(value)
	default:
		return derOfBase64(value)
	}
}

func derOfBase64(text string) ([]byte, error) {
	der, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return nil, errors.New("read client certificate: the header is not in a form that is known")
	}
	return der, nil
}

// derOfPEM reads percent-encoded PEM. A plus stays one: base64 has them, and forms are not meant.
func derOfPEM(escaped string) ([]byte, error) {
	text, err := url.PathUnescape(escaped)
	if err != nil {
		return nil, errors.New("read client certificate: the percent-encoding of the header is broken")
	}
	var first *pem.Block
	for rest := []byte(text); len(strings.TrimSpace(string(rest))) > 0; {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil || block.Type != "CERTIFICATE" {
			return nil, errors.New("read client certificate: the header is not PEM of certificates")
		}
		if first == nil {
			first = block
		}
	}
	if first == nil {
		return nil, errors.New("read client certificate: the header holds no certificate")
	}
	return first.Bytes, nil
}

// derOfEnvoy reads x-forwarded-client-cert: pairs of key and value with semicolons between them, one
// such list per hop with commas between those; what holds one of them is in quotes.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers#x-forwarded-client-cert
func derOfEnvoy(value string) ([]byte, error) {
	hops, err := split(value, ',')
	if err != nil || len(hops) != 1 {
		return nil, errors.New("read client certificate: the header is not of one hop")
	}
	pairs, err := split(hops[0], ';')
	if err != nil {
		return nil, err
	}
	found := ""
	for _, pair := range pairs {
		key, text, _ := strings.Cut(pair, "=")
		if !strings.EqualFold(strings.TrimSpace(key), "Cert") {
			continue
		}
		if found != "" {
			return nil, errors.New("read client certificate: the header has two Cert")
		}
		found = strings.Trim(text, `"`)
	}
	if !strings.HasPrefix(found, "-----BEGIN") {
		return nil, errors.New("read client certificate: the header has no Cert of the client")
	}
	return derOfPEM(found)
}

// split cuts at separators outside of quotes; a backslash in quotes takes the next character as it is.
func split(text string, separator byte) ([]string, error) {
	var parts []string
	quoted, begin := false, 0
	for i := 0; i < len(text); i++ {
		switch {
		case quoted && text[i] == '\\':
			i++
		case text[i] == '"':
			quoted = !quoted
		case !quoted && text[i] == separator:
			parts = append(parts, text[begin:i])
			begin = i + 1
		}
	}
	if quoted {
		return nil, errors.New("read client certificate: a quote in the header is not closed")
	}
	return append(parts, text[begin:]), nil
}
