package main

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	uioptions "github.com/temporalio/ui-server/v2/server/server_options"
)

// newUI is the Web UI with all its actions: signalling, resetting and
// terminating runs by hand is what a development server is for.
func newUI(opts options, addrs addresses) *uiserver.Server {
	return uiserver.NewServer(uioptions.WithConfigProvider(&uiconfig.Config{
		TemporalGRPCAddress: addrs.frontend,
		Host:                uiHost(opts.uiIP),
		Port:                addrs.uiPort,
		EnableUI:            true,
		DefaultNamespace:    opts.namespace,
		Codec:               uiconfig.Codec{Endpoint: opts.uiCodecEndpoint},
		// It is served over plain HTTP, where some browsers drop a secure
		// cookie, and without that cookie every write action is refused.
		CORS:             uiconfig.CORS{CookieInsecure: true},
		DisableNewsFetch: true,
		HideLogs:         true,
	}))
}

// uiHost is the address as the UI pastes it before its port.
func uiHost(ip netip.Addr) string {
	if ip.Is6() {
		return "[" + ip.String() + "]"
	}
	return ip.String()
}

// waitForUI waits until the UI answers requests.
func waitForUI(ctx context.Context, url string) error {
	for {
		err := probe(ctx, url+"/healthz")
		if err == nil {
			return nil
		}
		if sleep(ctx, pollEvery) != nil {
			return fmt.Errorf("wait for the Web UI: %w", err)
		}
	}
}

func probe(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", url, resp.Status)
	}
	return nil
}
