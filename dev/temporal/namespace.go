package main

import (
	"context"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	namespacepb "go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/schema/sqlite"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/durationpb"
)

const (
	clusterName = "active"
	pollEvery   = 20 * time.Millisecond
	// registryRefresh is how long the server's services may go on with the
	// namespace they have in memory: 2 s, plus the time to read.
	registryRefresh = 2500 * time.Millisecond
)

// createNamespace writes the namespace before the server runs, so the very first
// client finds it with all its search attributes. It leaves an existing one alone.
func createNamespace(opts options, db *config.SQL) error {
	namespace, err := sqlite.NewNamespaceConfig(clusterName, opts.namespace, false, opts.searchAttributes)
	if err != nil {
		return fmt.Errorf("namespace %s: %w", opts.namespace, err)
	}
	namespace.Detail.Config.Retention = durationpb.New(opts.retention)
	if err := sqlite.CreateNamespaces(db, namespace); err != nil {
		return fmt.Errorf("create the namespace: %w", err)
	}
	return nil
}

// prepareNamespace waits until the namespace answers, and brings one that an
// earlier run has created up to this command line.
func prepareNamespace(ctx context.Context, opts options, frontend string) error {
	conn, err := grpc.NewClient(frontend, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("connect to the frontend: %w", err)
	}
	defer conn.Close()
	workflows := workflowservice.NewWorkflowServiceClient(conn)

	described, err := waitForNamespace(ctx, workflows, opts.namespace)
	if err != nil {
		return err
	}
	if described.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration() != opts.retention {
		_, err := workflows.UpdateNamespace(ctx, &workflowservice.UpdateNamespaceRequest{
			Namespace: opts.namespace,
			Config:    &namespacepb.NamespaceConfig{WorkflowExecutionRetentionTtl: durationpb.New(opts.retention)},
		})
		if err != nil {
			return fmt.Errorf("change the retention: %w", err)
		}
	}
	return addSearchAttributes(ctx, opts, operatorservice.NewOperatorServiceClient(conn))
}

func waitForNamespace(ctx context.Context, client workflowservice.WorkflowServiceClient, name string) (*workflowservice.DescribeNamespaceResponse, error) {
	for {
		resp, err := client.DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: name})
		if err == nil {
			return resp, nil
		}
		if sleep(ctx, pollEvery) != nil {
			return nil, fmt.Errorf("wait for namespace %s: %w", name, err)
		}
	}
}

// addSearchAttributes adds what the command line names and the namespace lacks.
// The server takes an existing name for granted whatever its type, so a changed
// type is looked for here.
func addSearchAttributes(ctx context.Context, opts options, client operatorservice.OperatorServiceClient) error {
	listed, err := client.ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: opts.namespace})
	if err != nil {
		return fmt.Errorf("list the search attributes: %w", err)
	}
	missing := map[string]enumspb.IndexedValueType{}
	for name, wanted := range opts.searchAttributes {
		switch present, ok := listed.GetCustomAttributes()[name]; {
		case !ok:
			missing[name] = wanted
		case present != wanted:
			return fmt.Errorf("search attribute %s has type %s in namespace %s, which cannot be changed to %s", name, present, opts.namespace, wanted)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	_, err = client.AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace:        opts.namespace,
		SearchAttributes: missing,
	})
	if err != nil {
		return fmt.Errorf("add search attributes: %w", err)
	}
	// Until all services have read the namespace again, a run that carries the
	// new attribute is refused.
	return sleep(ctx, registryRefresh)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
