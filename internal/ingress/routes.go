package ingress

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Route is served beside the webhooks, with the same request id, guard against panics, log line and
// bound on the body. Its answers carry Cache-Control: no-store unless it says otherwise.
type Route struct {
	// Method is e.g. POST; nothing is served for another one.
	Method string
	// Pattern is a path in which ":name" is any one segment, e.g. "/oauth/:tenant/:source/token". The handler
	// finds it with http.Request.PathValue. Where both :tenant and :source are in it, an unknown pair is
	// answered 404 like that of a webhook, and the rate limit is per source; else it is one for all. RemoteAddr is
	// the sender's, seen through trusted proxies, with port 0.
	Pattern string
	Handler http.Handler
}

func (i *Ingress) routes(cfg Config) (*gin.Engine, error) {
	gin.SetMode(gin.ReleaseMode) // else gin prints its routes to stdout
	engine := gin.New()
	// A redirect would make senders repeat a POST as a GET, without its body.
	engine.RedirectTrailingSlash = false
	engine.HandleMethodNotAllowed = true
	engine.Use(closeAmbiguous)
	// X-Real-IP is passed on by many proxies as the client wrote it, so it is never believed.
	engine.RemoteIPHeaders = []string{forwardedFor}
	engine.Use(withoutPorts)
	if err := engine.SetTrustedProxies(cfg.TrustedProxies); err != nil {
		return nil, fmt.Errorf("trusted proxies: %w", err)
	}

	for _, bySource := range []string{webhooks + "/:tenant/:source", webhooks + "/:tenant/:source/*tail"} {
		engine.POST(bySource, i.handle(i.deliverBySource))
		engine.GET(bySource, i.handle(i.testConnection))
		engine.OPTIONS(bySource, i.handle(i.testConnection))
	}
	engine.POST(webhooks, i.handle(i.deliverByDomain))
	engine.NoRoute(i.handle(func(*gin.Context, *exchange) *problem { return notFound() }))
	engine.NoMethod(i.handle(func(*gin.Context, *exchange) *problem { return methodNotAllowed() }))

	engine.GET("/healthz", i.healthz)
	engine.GET("/readyz", i.readyz)
	engine.GET("/metrics", gin.WrapH(promhttp.HandlerFor(cfg.Registry, promhttp.HandlerOpts{})))
	for _, route := range cfg.Routes {
		if err := i.mount(engine, route); err != nil {
			return nil, fmt.Errorf("mount %s %s: %w", route.Method, route.Pattern, err)
		}
	}
	return engine, nil
}

// mount adds a route. Gin panics where two patterns clash; that is a mistake of whoever wires, and
// told as one.
func (i *Ingress) mount(engine *gin.Engine, route Route) (err error) {
	if route.Method == "" || !strings.HasPrefix(route.Pattern, "/") || route.Handler == nil {
		return errors.New("method, a pattern that begins with a slash, and handler are required")
	}
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("the pattern clashes with another: %v", cause)
		}
	}()
	engine.Handle(route.Method, route.Pattern, i.handle(func(c *gin.Context, x *exchange) *problem {
		x.mounted = route.Pattern
		return i.serve(c, x, route.Handler)
	}))
	return nil
}

func (i *Ingress) serve(c *gin.Context, x *exchange, handler http.Handler) *problem {
	tenant, id := c.Param("tenant"), c.Param("source")
	if tenant != "" && id != "" {
		source, ok := i.sources.Source(tenant, id)
		if !ok {
			return notFound()
		}
		x.source = source
	}
	if p := i.limits.takeMounted(x.source, x.known(), i.now()); p != nil {
		return p
	}
	for _, param := range c.Params {
		c.Request.SetPathValue(param.Key, param.Value)
	}
	if p := i.readAll(c, x); p != nil {
		return p
	}
	c.Request.Body = io.NopCloser(bytes.NewReader(x.body))
	x.body = nil // it is the handler's; no part of our log or journal
	c.Request.RemoteAddr = net.JoinHostPort(c.ClientIP(), "0")
	handler.ServeHTTP(c.Writer, c.Request)
	return nil
}

// closeAmbiguous ends the connection after a request in whose end a proxy may see another one begin: one in
// chunks, because it may have had a Content-Length too, and one of HTTP/1.0, because it may have had chunks.
// net/http removes the header that would tell. RFC 9112 §6.1 wants the connection closed in both cases, so
// that nothing is smuggled; those who send so without any guile just connect again.
func closeAmbiguous(c *gin.Context) {
	if len(c.Request.TransferEncoding) > 0 || !c.Request.ProtoAtLeast(1, 1) {
		c.Header("Connection", "close")
	}
}

const forwardedFor = "X-Forwarded-For"

// withoutPorts takes the ports out of X-Forwarded-For, which some proxies write (Azure: "203.0.113.7:51432"):
// with one the address would not be read, and the proxy's own would count.
func withoutPorts(c *gin.Context) {
	values := c.Request.Header.Values(forwardedFor)
	for i, value := range values {
		hops := strings.Split(value, ",")
		for j, hop := range hops {
			if both, err := netip.ParseAddrPort(strings.TrimSpace(hop)); err == nil {
				hops[j] = both.Addr().String()
			}
		}
		values[i] = strings.Join(hops, ",")
	}
}

// peerCertificate is the certificate that the sender has shown on its connection, nil without one.
func peerCertificate(r *http.Request) *x509.Certificate {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return nil
	}
	return r.TLS.PeerCertificates[0]
}
