package main

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/server/common/dynamicconfig"
)

// What testsuite.StartDevServer of the Go SDK v1.50.0 sends with every option set.
func TestParseArgsOfTheSDK(t *testing.T) {
	command, opts, err := parseArgs([]string{
		"server", "start-dev",
		"--ip", "127.0.0.1", "--port", "34567",
		"--namespace", "default",
		"--dynamic-config-value", "frontend.enableServerVersionCheck=false",
		"--log-level", "error", "--log-format", "pretty",
		"--headless",
		"--db-filename", "x.db",
		"--ui-port", "8233",
		"--search-attribute", "TenantId=Keyword",
		"--search-attribute", "DecisionDueAt=Datetime",
	}, io.Discard)
	if err != nil || command != commandServe {
		t.Fatalf("parseArgs = %v, %v", command, err)
	}
	if opts.ip.String() != "127.0.0.1" || opts.port != 34567 || opts.uiPort != 8233 || !opts.headless {
		t.Errorf("addresses: %+v", opts)
	}
	if opts.dbFile != "x.db" || opts.namespace != "default" || opts.retention != 2160*time.Hour || opts.synchronous != "normal" {
		t.Errorf("store: %+v", opts)
	}
	if opts.searchAttributes["TenantId"] != enumspb.INDEXED_VALUE_TYPE_KEYWORD ||
		opts.searchAttributes["DecisionDueAt"] != enumspb.INDEXED_VALUE_TYPE_DATETIME {
		t.Errorf("search attributes: %v", opts.searchAttributes)
	}
	values := opts.dynamicConfig[dynamicconfig.EnableServerVersionCheck.Key()]
	if len(values) != 1 || values[0].Value != false {
		t.Errorf("dynamic config: %v", opts.dynamicConfig)
	}
}

func TestParseArgs(t *testing.T) {
	serve := func(flags ...string) []string { return append([]string{"server", "start-dev"}, flags...) }
	tests := []struct {
		name    string
		args    []string
		command command
		wantErr string // a part of it; empty for none
	}{
		{"defaults", serve(), commandServe, ""},
		{"version", []string{"--version"}, commandVersion, ""},
		{"short version", []string{"-v"}, commandVersion, ""},
		{"help", serve("--help"), commandHelp, ""},
		{"no command", nil, commandServe, "server start-dev"},
		{"other command", []string{"workflow", "list"}, commandServe, "server start-dev"},
		{"unknown flag", serve("--bogus"), commandServe, "-bogus"},
		{"stray word", serve("--headless", "yes"), commandServe, `"yes"`},
		{"ip is a name", serve("--ip", "example.org"), commandServe, "IP address"},
		{"localhost", serve("--ip", "localhost"), commandServe, ""},
		{"port", serve("--port", "70000"), commandServe, "70000"},
		{"retention", serve("--retention", "10m"), commandServe, "minimum"},
		{"attribute without type", serve("--search-attribute", "A"), commandServe, "Name=Type"},
		{"attribute of unknown type", serve("--search-attribute", "A=Blob"), commandServe, `"Blob"`},
		{"attribute of two types", serve("--search-attribute", "A=Int", "--search-attribute", "A=Bool"), commandServe, "Int and as Bool"},
		{"dynamic config without value", serve("--dynamic-config-value", "a.b"), commandServe, "key=value"},
		{"dynamic config not JSON", serve("--dynamic-config-value", "a.b={"), commandServe, "decode"},
		{"pragma", serve("--sqlite-pragma", "cache_size"), commandServe, "name=value"},
		{"synchronous", serve("--sqlite-synchronous", "off"), commandServe, "normal nor full"},
		{"log level", serve("--log-level", "loud"), commandServe, "loud"},
		{"log format", serve("--log-format", "xml"), commandServe, "xml"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			command, _, err := parseArgs(tt.args, io.Discard)
			if tt.wantErr == "" {
				if err != nil || command != tt.command {
					t.Fatalf("parseArgs = %v, %v, want %v", command, err, tt.command)
				}
				return
			}
			if _, ok := errors.AsType[usageError](err); !ok || !strings.Contains(err.Error(), tt.wantErr) {
				t.Fatalf("error %v, want a usage error with %q", err, tt.wantErr)
			}
		})
	}
}

func TestUIPortFollowsFrontendPort(t *testing.T) {
	for port, want := range map[string]int{"7233": 8233, "0": 0, "65000": 0} {
		_, opts, err := parseArgs([]string{"server", "start-dev", "--port", port}, io.Discard)
		if err != nil || opts.uiPort != want {
			t.Errorf("--port %s: UI port %d, %v, want %d", port, opts.uiPort, err, want)
		}
	}
}
