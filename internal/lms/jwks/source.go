package jwks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
)

// mostRedirects is as far as an issuer may send us.
const mostRedirects = 3

// file is a set's path.
type file string

func (f file) read(context.Context) ([]byte, error) {
	content, err := os.Open(string(f))
	if err != nil {
		return nil, fmt.Errorf("read JWK set: %w", err)
	}
	defer content.Close()
	if info, err := content.Stat(); err != nil || !info.Mode().IsRegular() { // a pipe would block for ever
		return nil, fmt.Errorf("read JWK set: %s is not a regular file", string(f))
	}
	return bounded(content)
}

// issuer is a set's address.
type issuer struct {
	url, host string
	client    *http.Client
}

func newIssuer(address string) (*issuer, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || !private(u) {
		return nil, errors.New("new JWK set: the URL must begin with https://, or with http:// on this machine")
	}
	return &issuer{url: address, host: u.Host, client: &http.Client{
		// Keys are asked for every few hours: no connection is worth keeping.
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, TLSHandshakeTimeout: patience, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(r *http.Request, before []*http.Request) error {
			// From the network back to this machine is the way into what only listens here.
			if !private(r.URL) || r.URL.Scheme != before[0].URL.Scheme || len(before) > mostRedirects {
				return errors.New("the issuer redirects to where we do not follow")
			}
			return nil
		},
	}}, nil
}

// private reports whether nobody on the way can exchange the keys.
func private(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}

func (i *issuer) read(ctx context.Context) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, i.url, nil)
	if err != nil {
		return nil, fmt.Errorf("ask %s for its JWK set: the URL cannot be used", i.host)
	}
	request.Header.Set("Accept", "application/jwk-set+json, application/json")
	response, err := i.client.Do(request)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) { // without the address, whose query may hold a key
			err = u.Err
		}
		return nil, fmt.Errorf("ask %s for its JWK set: %w", i.host, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask %s for its JWK set: status %d", i.host, response.StatusCode)
	}
	content, err := bounded(response.Body)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", i.host, err)
	}
	return content, nil
}

func bounded(r io.Reader) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(r, longestSet+1))
	if err != nil {
		return nil, fmt.Errorf("read JWK set: %w", err)
	}
	if len(content) > longestSet {
		return nil, fmt.Errorf("read JWK set: longer than %d bytes", longestSet)
	}
	return content, nil
}
