package ingress

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
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
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, i.maxBody)
	c.Request.RemoteAddr = net.JoinHostPort(c.ClientIP(), "0")
	handler.ServeHTTP(c.Writer, c.Request)
	return nil
}

// peerCertificate is the certificate that the sender has shown on its connection, nil without one.
func peerCertificate(r *http.Request) *x509.Certificate {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return nil
	}
	return r.TLS.PeerCertificates[0]
}
