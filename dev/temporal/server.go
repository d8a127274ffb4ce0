package main

import (
	"fmt"

	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/membership/static"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/temporal"
)

// newServer assembles the four services of a Temporal cluster of one node.
func newServer(opts options, addrs addresses, db *config.SQL) (temporal.Server, error) {
	cfg := serverConfig(opts, addrs, db)
	logger := log.NewZapLogger(log.BuildZapLogger(log.Config{Level: opts.logLevel, Format: opts.logFormat}))
	claims := func(*config.Config) authorization.ClaimMapper { return authorization.NewNoopClaimMapper() }
	internal := func(port int) static.Hosts { return static.SingleLocalHost(dialAddress(loopback(), port)) }

	server, err := temporal.NewServer(
		temporal.WithConfig(cfg),
		temporal.ForServices(temporal.DefaultServices),
		// Fixed hosts spare the gossip between members that all live here.
		temporal.WithStaticHosts(map[primitives.ServiceName]static.Hosts{
			primitives.FrontendService: static.SingleLocalHost(addrs.frontend),
			primitives.HistoryService:  internal(addrs.history),
			primitives.MatchingService: internal(addrs.matching),
			primitives.WorkerService:   internal(addrs.worker),
		}),
		temporal.WithLogger(logger),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithClaimMapper(claims),
		temporal.WithDynamicConfigClient(dynamicConfig(opts.dynamicConfig)),
	)
	if err != nil {
		return nil, fmt.Errorf("assemble the server: %w", err)
	}
	return server, nil
}

func serverConfig(opts options, addrs addresses, db *config.SQL) *config.Config {
	listen := func(ip string, port int) config.Service {
		return config.Service{RPC: config.RPC{GRPCPort: port, BindOnIP: ip}}
	}
	local := loopback().String()
	return &config.Config{
		Persistence: config.Persistence{
			DefaultStore:     sqliteplugin.PluginName,
			VisibilityStore:  sqliteplugin.PluginName,
			NumHistoryShards: 1,
			DataStores:       map[string]config.DataStore{sqliteplugin.PluginName: {SQL: db}},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        clusterName,
			CurrentClusterName:       clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{
				clusterName: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: addrs.frontend},
			},
		},
		Services: map[string]config.Service{
			string(primitives.FrontendService): listen(opts.ip.String(), addrs.frontendPort),
			string(primitives.HistoryService):  listen(local, addrs.history),
			string(primitives.MatchingService): listen(local, addrs.matching),
			string(primitives.WorkerService):   listen(local, addrs.worker),
		},
		PublicClient:        config.PublicClient{HostPort: addrs.frontend},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		Archival: config.Archival{
			History:    config.HistoryArchival{State: config.ArchivalDisabled},
			Visibility: config.VisibilityArchival{State: config.ArchivalDisabled},
		},
		NamespaceDefaults: config.NamespaceDefaults{Archival: config.ArchivalNamespaceDefaults{
			History:    config.HistoryArchivalNamespaceDefaults{State: config.ArchivalDisabled},
			Visibility: config.VisibilityArchivalNamespaceDefaults{State: config.ArchivalDisabled},
		}},
	}
}

// dynamicConfig holds our defaults, then what the command line says.
func dynamicConfig(overrides dynamicconfig.ConfigValueMap) dynamicconfig.StaticClient {
	values := dynamicconfig.StaticClient{
		// Fairness between tenants only sorts what is queued after it is on,
		// so it has to be on from the first task.
		dynamicconfig.MatchingEnableFairness.Key(): true,
		// One node gains nothing from several partitions: each costs pollers
		// and timers, and order and fairness hold within a partition only.
		dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():  1,
		dynamicconfig.MatchingNumTaskqueueWritePartitions.Key(): 1,
		// The queue between history and matching is read at most 20 times a
		// second per shard. All runs share one shard here, so a few runs one
		// after another would wait 50 ms for each of their steps.
		dynamicconfig.TransferProcessorMaxPollRPS.Key(): 1000,
		// No request to the vendor about newer versions.
		dynamicconfig.EnableServerVersionCheck.Key(): false,
	}
	for key, value := range overrides {
		values[key] = value
	}
	return values
}
