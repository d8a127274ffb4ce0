package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"countersign/internal/lms/platform"
	"countersign/internal/process"
	"countersign/internal/settings"
	"countersign/internal/setup"
)

const (
	// sendPatience is how long an answer may take: a rehearsal asks the QMS.
	sendPatience = 15 * time.Second
	// longestAnswer bounds what is read of an answer, in bytes.
	longestAnswer = 1 << 20
)

// send posts a sample of a source's platform to a running instance, with the source's own credential
// (R194, R195).
func send(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("starter send", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, "usage: starter send [-to URL] [-sample NAME] [-test] TENANT SOURCE\n       starter send -list TENANT SOURCE\n")
		flags.PrintDefaults()
	}
	to := flags.String("to", "", "where the starter is reached (default COUNTERSIGN_PUBLIC_URL, else this machine)")
	name := flags.String("sample", "", "which `sample` (default the platform's first)")
	test := flags.Bool("test", false, "rehearse it: show what would happen, and write nothing")
	list := flags.Bool("list", false, "list the platform's samples")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 2 {
		flags.Usage()
		return errors.New("send: want a tenant and a source")
	}
	own, tenants, err := process.Load()
	if err != nil {
		return err
	}
	source, page, err := findPage(tenants, flags.Arg(0), flags.Arg(1))
	if err != nil {
		return err
	}
	if *list {
		return listSamples(stdout, page)
	}
	sample, ok := page.Sample(cmp.Or(*name, page.Samples[0].Name))
	if !ok {
		return fmt.Errorf("send: %s has no sample %q; see starter send -list", page.Title, *name)
	}
	base := strings.TrimRight(cmp.Or(*to, own.PublicURL, local(own.Listen)), "/")
	from, _ := platform.Find(source.Platform)
	s := signer{
		base: base, tenant: flags.Arg(0), source: source, client: &http.Client{Timeout: sendPatience},
		now: time.Now, signatureNames: from.SignatureHeaders,
	}
	out := &outgoing{header: sample.Header(), body: sample.Body()}
	if out.url, err = url.Parse(base + "/webhooks/lms/" + flags.Arg(0) + "/" + source.ID); err != nil {
		return fmt.Errorf("send: -to: %w", err)
	}
	if err := s.sign(ctx, out); err != nil {
		return err
	}
	if *test {
		out.url = out.url.JoinPath("test")
	}
	if sample.Path != "" {
		out.url = out.url.JoinPath(sample.Path)
	}
	return deliver(ctx, s.client, out, stdout)
}

func findPage(tenants *settings.Settings, tenantID, sourceID string) (settings.Source, setup.Page, error) {
	tenant, ok := tenants.Tenant(tenantID)
	if !ok {
		return settings.Source{}, setup.Page{}, fmt.Errorf("send: the settings have no tenant %s", tenantID)
	}
	source, ok := tenant.Source(sourceID)
	if !ok {
		return settings.Source{}, setup.Page{}, fmt.Errorf("send: tenant %s has no source %s", tenantID, sourceID)
	}
	book, err := setup.New()
	if err != nil {
		return settings.Source{}, setup.Page{}, err
	}
	page, ok := book.Find(source.Platform)
	if !ok {
		return settings.Source{}, setup.Page{}, fmt.Errorf("send: no samples of %s", source.Platform)
	}
	return source, page, nil
}

func listSamples(stdout io.Writer, page setup.Page) error {
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	for _, sample := range page.Samples {
		fmt.Fprintf(table, "%s\t%s\t%s\n", sample.Name, sample.Kind, sample.Says)
	}
	return table.Flush()
}

// local is the starter on this machine, given what it listens on.
func local(listen string) string {
	if strings.HasPrefix(listen, ":") {
		listen = "localhost" + listen
	}
	return "http://" + listen
}

// deliver sends out and prints the answer. Anything but 200 is an error, for scripts.
func deliver(ctx context.Context, client *http.Client, out *outgoing, stdout io.Writer) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, out.url.String(), bytes.NewReader(out.body))
	if err != nil {
		return errors.New("send: the URL cannot be used") // it may hold the token
	}
	request.Header = out.header
	response, err := client.Do(request)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err // without the URL, which may hold the token
		}
		return fmt.Errorf("send: %w", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, longestAnswer))
	if err != nil {
		return fmt.Errorf("send: read the answer: %w", err)
	}
	if _, err := fmt.Fprintf(stdout, "%s\n%s\n", response.Status, bytes.TrimSpace(answer)); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("send: answered %s", response.Status)
	}
	return nil
}
