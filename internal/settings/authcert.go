package settings

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"
)

func (r *tenantReader) mtls(e entry) *MTLS {
	f, ok := e.fields()
	if !ok {
		return nil
	}
	m := &MTLS{}
	pins, ca, subject := f.get("fingerprints"), f.get("ca"), f.get("subject")
	switch {
	case pins.present() == ca.present():
		e.mistake("must have either fingerprints, or ca and subject")
	case pins.present():
		for _, item := range pins.list() {
			if pin, ok := fingerprint(item); ok {
				m.Fingerprints = append(m.Fingerprints, pin)
				r.unshared(item, "certificate "+hex.EncodeToString(pin[:]), "certificate")
			}
		}
		if pins.node.Kind == yaml.SequenceNode && len(pins.node.Content) == 0 {
			pins.mistake("must name at least one fingerprint")
		}
		if subject.present() {
			subject.mistake("belongs to ca; a fingerprint names one certificate")
		}
	default:
		m.Authorities, m.Subject = authorities(ca), subject.required().text()
		for _, authority := range m.Authorities {
			r.unshared(e, fmt.Sprintf("subject %q of %x", m.Subject, sha256.Sum256(authority.Raw)), "certificate")
		}
	}
	f.done()
	return m
}

// unshared refuses what another tenant proves its source with, where that is no secret.
func (r *tenantReader) unshared(e entry, value, what string) {
	if before, ok := r.secrets.first("\x00"+value, e); !ok && tenantOf(before.key) != tenantOf(e.key) {
		e.mistake("is the same %s as %s in line %d; tenants must not share it", what, before.key, before.line)
	}
}

// fingerprint reads SHA-256 as openssl, Windows and browsers show it: hexadecimal digits in either
// case, with or without colons or spaces.
func fingerprint(e entry) (pin [sha256.Size]byte, ok bool) {
	text := strings.NewReplacer(":", "", " ", "").Replace(e.required().text())
	if text == "" {
		return pin, false
	}
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != sha256.Size {
		e.mistake("must be the SHA-256 fingerprint of the certificate, 64 hexadecimal digits (openssl x509 -noout -fingerprint -sha256)")
		return pin, false
	}
	return [sha256.Size]byte(raw), true
}

// authorities reads PEM that stands in the file itself, or in a file of its own.
func authorities(e entry) []*x509.Certificate {
	var content string
	if e.node.Kind == yaml.ScalarNode && strings.HasPrefix(e.node.Value, "-----BEGIN") {
		content = e.node.Value
	} else {
		path := regularFile(e)
		if path == "" {
			return nil
		}
		bytes, err := os.ReadFile(path)
		if err != nil {
			return nil // regularFile has said so
		}
		content = string(bytes)
	}
	var all []*x509.Certificate
	for rest := []byte(content); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if block.Type != "CERTIFICATE" || err != nil || !certificate.IsCA {
			e.mistake("must hold the certificates of authorities only, in PEM")
			return nil
		}
		all = append(all, certificate)
	}
	if len(all) == 0 {
		e.mistake("must be PEM, or a file with it: -----BEGIN CERTIFICATE-----")
	}
	return all
}
