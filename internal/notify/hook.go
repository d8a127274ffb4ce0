package notify

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// HookConfig is one incoming webhook of a chat or of the tenant's own.
type HookConfig struct {
	// URL is the whole address: https, or http on this machine. Who knows it can write into the
	// channel, so it is a secret: no error and no log shows any of it.
	URL string
	// TLS adds to the TLS settings, e.g. a private CA; nil for the system's.
	TLS *tls.Config
	// Timeout bounds one request from the connection to the end of the answer; 15 seconds when
	// 0, the least that Standard Webhooks advises.
	Timeout time.Duration
}

// hook posts JSON to an address that is a secret.
type hook struct {
	channel string
	url     string
	client  *http.Client
}

// answer is what the other side said.
type answer struct {
	status int
	header http.Header
	body   string
}

// longestAnswer is how much of an answer is read, in bytes. What is wanted of it is a word.
const longestAnswer = 4 << 10

// newHook checks the address; it makes no request.
func newHook(channel string, cfg HookConfig) (*hook, error) {
	u, err := url.Parse(cfg.URL)
	switch {
	case err != nil: // its text would repeat the address
		return nil, fmt.Errorf("%s: the webhook's address is not a URL", channel)
	case u.Host == "" || u.User != nil || u.Fragment != "":
		return nil, fmt.Errorf("%s: the webhook's address must have a host, and neither user nor fragment", channel)
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return nil, fmt.Errorf("%s: the webhook's address must begin with https://; plain http is for this machine only", channel)
	}
	return &hook{channel: channel, url: cfg.URL, client: &http.Client{
		Timeout: cmp.Or(cfg.Timeout, 15*time.Second),
		// Followed, a redirect would carry the notice to somebody else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: cfg.TLS, ForceAttemptHTTP2: true,
			// Notices are rare: a connection kept open would be dead by the next one.
			DisableKeepAlives: true,
		},
	}}, nil
}

// post sends body once. The error is a *ChannelError, or wraps context.Canceled. That there was no
// answer does not mean that nothing was posted: whoever calls again may say it twice.
func (h *hook) post(ctx context.Context, body []byte, header http.Header) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(body))
	if err != nil {
		return answer{}, &ChannelError{Channel: h.channel, Detail: "no request could be made", Permanent: true}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Countersign")
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := h.client.Do(request)
	if err != nil {
		return answer{}, unanswered(ctx, h.channel, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, longestAnswer))
	if err != nil {
		return answer{}, unanswered(ctx, h.channel, err)
	}
	return answer{status: response.StatusCode, header: response.Header, body: strings.TrimSpace(string(text))}, nil
}

func (a answer) success() bool { return a.status >= 200 && a.status < 300 }

// page reports a document for a browser: a login page or a proxy answers, not the webhook.
func (a answer) page() bool { return strings.HasPrefix(a.body, "<") }

// encode writes JSON as it is read: "<" stays "<".
func encode(value any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimRight(out.Bytes(), "\n"), nil
}

var errTooLong = errors.New("the shortest form is still too long")

// detail is how much of a notice is told: groups, and completions in each.
type detail struct{ groups, items int }

// fitting makes body with the first detail with which it is at most longest bytes long.
func fitting(n Notice, longest int, details []detail, body func(message) (any, error)) ([]byte, error) {
	for _, d := range details {
		m := compose(n, d.items)
		m.limit(d.groups)
		value, err := body(m)
		if err != nil {
			return nil, err
		}
		encoded, err := encode(value)
		if err != nil || len(encoded) <= longest {
			return encoded, err
		}
	}
	return nil, errTooLong
}
