package clientcert

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// lookAgain is how long a certificate is used before its files are looked at again.
const lookAgain = 10 * time.Second

// TLSConfig is for a listener of our own: TLS 1.2 and later, with the certificate and key of two PEM
// files. A client is asked for its certificate and need not send one; the handshake proves that it has
// the key, and verifiers do the rest. The files are read again when they have changed, at most
// ten seconds later; while they do not fit together the old certificate stays, and the log says
// so. nil for log discards it, nil for now is time.Now.
func TLSConfig(certFile, keyFile string, log *slog.Logger, now func() time.Time) (*tls.Config, error) {
	p := &pair{certFile: certFile, keyFile: keyFile, log: cmp.Or(log, slog.New(slog.DiscardHandler)), now: now}
	if p.now == nil {
		p.now = time.Now
	}
	if err := p.read(); err != nil {
		return nil, err
	}
	p.looked = p.now()
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		ClientAuth:     tls.RequestClientCert,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return p.current(), nil },
	}, nil
}

// pair is the certificate of a listener and what is known of its files.
type pair struct {
	certFile, keyFile string
	log               *slog.Logger
	now               func() time.Time

	mu          sync.Mutex
	certificate *tls.Certificate
	state       [2]fileState
	looked      time.Time
}

// fileState changes when a file does; secrets mounted by Kubernetes change by a symbolic link.
type fileState struct {
	modified time.Time
	size     int64
}

func (p *pair) current() *tls.Certificate {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if since := now.Sub(p.looked); since >= 0 && since < lookAgain {
		return p.certificate
	}
	p.looked = now
	if state, err := p.stat(); err == nil && state == p.state {
		return p.certificate
	}
	if err := p.read(); err != nil {
		p.log.Error("TLS: the changed certificate is not used, the old one stays", "error", err)
	} else {
		p.log.Info("TLS: the certificate was read again")
	}
	return p.certificate
}

// read looks at the files first: what changes while they are read is read again the next time.
func (p *pair) read() error {
	state, err := p.stat()
	if err != nil {
		return fmt.Errorf("read TLS certificate: %w", err)
	}
	certificate, err := tls.LoadX509KeyPair(p.certFile, p.keyFile)
	if err != nil { // it names a file or what does not fit, and holds nothing of the key
		return fmt.Errorf("read TLS certificate: %w", err)
	}
	p.certificate, p.state = &certificate, state
	return nil
}

func (p *pair) stat() (state [2]fileState, err error) {
	for i, file := range []string{p.certFile, p.keyFile} {
		info, err := os.Stat(file)
		if err != nil {
			return state, err
		}
		state[i] = fileState{info.ModTime(), info.Size()}
	}
	return state, nil
}
