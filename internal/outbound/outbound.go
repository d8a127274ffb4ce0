// Package outbound is what our clients of other systems share: where they may connect to, how long
// they wait, how much they read, what silence and Retry-After mean, and tokens that are kept until shortly
// before their end. What an answer means is the client's own to say. It knows no system.
package outbound

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// Root reads the address that a client's paths are appended to, without a slash at its end. Plain http is for
// loopback addresses only, unless allowHTTP is set (R3). Its errors hold none of the address, which may hold
// a password.
func Root(base string, allowHTTP bool) (*url.URL, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, errors.New("is not a URL")
	}
	switch {
	case u.Hostname() == "" || u.Opaque != "":
		return nil, errors.New("must be https://host")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("must not hold a user, a query or a fragment")
	case u.Scheme == "http" && !allowHTTP && !loopback(u.Hostname()):
		return nil, errors.New("must be https: plain http is for loopback addresses")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("must begin with https://")
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimRight(u.Path, "/")}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// HTTP bounds every phase of a call, so that a system that hangs costs seconds and not a worker. Redirects
// are never followed: a credential goes to the configured host only. A given client is copied, not changed.
func HTTP(given *http.Client) *http.Client {
	client := http.Client{}
	if given != nil {
		client = *given
	} else {
		client.Transport = &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			TLSHandshakeTimeout:   5 * time.Second,
			ResponseHeaderTimeout: 10 * time.Second,
			IdleConnTimeout:       90 * time.Second,
			MaxIdleConns:          64,
			MaxIdleConnsPerHost:   32, // the completions in flight at once
			ForceAttemptHTTP2:     true,
		}
	}
	if client.Timeout == 0 {
		client.Timeout = 10 * time.Second
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client
}

// HeaderText reports whether text can be a header value of 1 to limit visible ASCII characters.
func HeaderText(text string, limit int) bool {
	for _, b := range []byte(text) {
		if b <= ' ' || b > '~' {
			return false
		}
	}
	return text != "" && len(text) <= limit
}

// Segment reports whether id can stand alone in a path. "", "." and ".." would name another resource: an id of
// ".." must not be answered by whatever lives one level up.
func Segment(id string) bool {
	return id != "" && id != "." && id != ".." && utf8.ValidString(id)
}
