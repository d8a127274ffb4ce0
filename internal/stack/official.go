package stack

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	namespacepb "go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"google.golang.org/protobuf/types/known/durationpb"

	"countersign/internal/stack/build"
)

// registryRefresh is how long the server's services may go on with the namespace they have in
// memory, 2 s, and a little more: until then a workflow with a new attribute is refused.
const registryRefresh = 2500 * time.Millisecond

// officialArgs set for the official command what ours has for its default.
func (o TemporalOptions) officialArgs() []string {
	args := []string{"--log-level", "error"}
	for _, value := range []string{
		"matching.enableFairness=true", // between tenants
		"matching.numTaskqueueReadPartitions=1",
		"matching.numTaskqueueWritePartitions=1",
		"history.transferProcessorMaxPollRPS=1000", // or each step of a lonely run waits 50 ms
		// Its default reads the attributes from the database for each run of a list: a batch that finds thousands of runs has
		// used up what the frontend may read, and begins again and again. Those of a namespace are read anew by themselves.
		"system.forceSearchAttributesCacheRefreshOnRead=false",
		"frontend.enableServerVersionCheck=false", // no request to the vendor
	} {
		args = append(args, "--dynamic-config-value", value)
	}
	if o.DBFile != "" {
		args = append(args, "--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL")
	}
	return args
}

// prepareOfficial waits until the namespace answers and brings it to what the options say; the
// official command has no flag for the retention, and adds no attribute to an existing namespace.
func (t *Temporal) prepareOfficial(ctx context.Context) error {
	c, err := client.NewLazyClient(client.Options{HostPort: t.Address(), Namespace: t.options.Namespace, Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	if err != nil {
		return fmt.Errorf("start Temporal: %w", err)
	}
	defer c.Close()
	if err := t.waitForNamespace(ctx, c.WorkflowService()); err != nil {
		return err
	}
	_, err = c.WorkflowService().UpdateNamespace(ctx, &workflowservice.UpdateNamespaceRequest{
		Namespace: t.options.Namespace,
		Config:    &namespacepb.NamespaceConfig{WorkflowExecutionRetentionTtl: durationpb.New(t.options.Retention)},
	})
	if err != nil {
		return fmt.Errorf("start Temporal: set the retention: %w", err)
	}
	if err := t.addSearchAttributes(ctx, c.OperatorService()); err != nil {
		return err
	}
	if t.UIURL() != "" {
		if err := WaitHTTP(ctx, t.UIURL()+"/healthz", t.Process); err != nil {
			return err
		}
	}
	if t.options.DBFile == "" {
		return nil
	}
	if err := os.WriteFile(build.VersionFile(t.options.DBFile), []byte(t.options.Server.Version.String()+"\n"), 0o600); err != nil {
		return fmt.Errorf("start Temporal: note the server version: %w", err)
	}
	return nil
}

func (t *Temporal) waitForNamespace(ctx context.Context, service workflowservice.WorkflowServiceClient) error {
	for {
		_, err := service.DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: t.options.Namespace})
		if err == nil {
			return nil
		}
		select {
		case <-t.Done():
			return cmp.Or(t.Err(), fmt.Errorf("start Temporal: it stopped by itself: %w", err))
		case <-ctx.Done():
			return fmt.Errorf("start Temporal: not ready in time: %w%s", err, t.lastLines())
		case <-time.After(pollEvery):
		}
	}
}

func (t *Temporal) addSearchAttributes(ctx context.Context, service operatorservice.OperatorServiceClient) error {
	listed, err := service.ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: t.options.Namespace})
	if err != nil {
		return fmt.Errorf("start Temporal: list search attributes: %w", err)
	}
	missing := maps.Clone(t.options.SearchAttributes)
	maps.DeleteFunc(missing, func(name string, _ enumspb.IndexedValueType) bool {
		_, present := listed.GetCustomAttributes()[name]
		return present
	})
	if len(missing) == 0 {
		return nil
	}
	_, err = service.AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace: t.options.Namespace, SearchAttributes: missing,
	})
	if err != nil {
		return fmt.Errorf("start Temporal: add search attributes: %w", err)
	}
	select {
	case <-time.After(registryRefresh):
		return nil
	case <-ctx.Done():
		return fmt.Errorf("start Temporal: %w", ctx.Err())
	}
}
