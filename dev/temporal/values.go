package main

import (
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/server/common/dynamicconfig"
)

// minRetention is the server's own lower limit for a local namespace; it
// enforces it on changes only, so a lower one would fail at the second start.
const minRetention = time.Hour

// complete turns the raw flags into options, and checks all of them.
func (o *options) complete(raw rawFlags, warnings io.Writer) error {
	var err error
	if o.ip, err = parseIP("ip", raw.ip); err != nil {
		return err
	}
	if o.uiIP, err = parseIP("ui-ip", cmp.Or(raw.uiIP, raw.ip)); err != nil {
		return err
	}
	if o.port < 0 || o.port > 65535 {
		return usagef("--port %d is not a port number", o.port)
	}
	if o.uiPort, err = uiPort(raw.uiPort, o.port); err != nil {
		return err
	}
	if o.namespace == "" {
		return usagef("--namespace is empty")
	}
	if o.retention < minRetention {
		return usagef("--retention %s is below the server's minimum of %s", o.retention, minRetention)
	}
	if o.searchAttributes, err = parseSearchAttributes(raw.attributes); err != nil {
		return err
	}
	if o.pragmas, err = parsePragmas(raw.pragmas); err != nil {
		return err
	}
	if o.synchronous = strings.ToLower(o.synchronous); o.synchronous != "normal" && o.synchronous != "full" {
		return usagef("--sqlite-synchronous %q is neither normal nor full", o.synchronous)
	}
	if o.dynamicConfig, err = parseDynamicConfig(raw.dynamic, warnings); err != nil {
		return err
	}
	return o.completeLog()
}

// uiPort derives the default: 8233 for 7233, and any free port where the sum is
// no port, which happens with a frontend on a port the system chose.
func uiPort(given, frontend int) (int, error) {
	switch {
	case given == -1 && (frontend == 0 || frontend+1000 > 65535):
		return 0, nil
	case given == -1:
		return frontend + 1000, nil
	case given < 0 || given > 65535:
		return 0, usagef("--ui-port %d is not a port number", given)
	}
	return given, nil
}

func (o *options) completeLog() error {
	switch o.logLevel = strings.ToLower(o.logLevel); o.logLevel {
	case "debug", "info", "warn", "error", "fatal":
	case "never":
		// Not the server's silent logger: the server ends itself through
		// Fatal, and with that one it would carry on half started.
		o.logLevel = "fatal"
	default:
		return usagef("--log-level %q is none of debug, info, warn, error, never", o.logLevel)
	}
	switch o.logFormat {
	case "text", "pretty":
		o.logFormat = "console" // the server's name for it
	case "json":
	default:
		return usagef("--log-format %q is neither text nor json", o.logFormat)
	}
	return nil
}

func parseIP(name, s string) (netip.Addr, error) {
	if s == "localhost" { // the server binds to addresses, not to names
		s = "127.0.0.1"
	}
	ip, err := netip.ParseAddr(s)
	if err != nil {
		return ip, usagef("--%s %q is not an IP address", name, s)
	}
	return ip, nil
}

func parseSearchAttributes(list []string) (map[string]enumspb.IndexedValueType, error) {
	attributes := make(map[string]enumspb.IndexedValueType, len(list))
	for _, item := range list {
		name, typeName, ok := strings.Cut(item, "=")
		if !ok || name == "" {
			return nil, usagef("--search-attribute %q is not Name=Type", item)
		}
		valueType, err := enumspb.IndexedValueTypeFromString(typeName)
		if err != nil || valueType == enumspb.INDEXED_VALUE_TYPE_UNSPECIFIED {
			return nil, usagef("--search-attribute %s: %q is none of Keyword, KeywordList, Text, Int, Double, Bool, Datetime", name, typeName)
		}
		if before, seen := attributes[name]; seen && before != valueType {
			return nil, usagef("--search-attribute %s is given as %s and as %s", name, before, valueType)
		}
		attributes[name] = valueType
	}
	return attributes, nil
}

func parsePragmas(list []string) (map[string]string, error) {
	pragmas := make(map[string]string, len(list))
	for _, item := range list {
		name, value, ok := strings.Cut(item, "=")
		if !ok || name == "" || value == "" {
			return nil, usagef("--sqlite-pragma %q is not name=value", item)
		}
		pragmas[strings.ToLower(name)] = value
	}
	return pragmas, nil
}

// parseDynamicConfig uses the loader of the server's own configuration files,
// because it knows all keys and the types of their values. It only warns about
// an unknown key, so we do: the next SDK may send one this server lacks.
func parseDynamicConfig(list []string, warnings io.Writer) (dynamicconfig.ConfigValueMap, error) {
	var loader dynamicconfig.YamlLoader
	for _, item := range list {
		key, value, ok := strings.Cut(item, "=")
		if !ok || key == "" || value == "" {
			return nil, usagef("--dynamic-config-value %q is not key=value", item)
		}
		// A file holds a list of values with constraints; JSON is YAML too.
		loader.LoadValue(dynamicconfig.MakeKey(key), []byte("- value: "+value))
	}
	if err := loader.Err(); err != nil {
		return nil, usagef("--dynamic-config-value: %w", err)
	}
	for _, warning := range loader.Warnings {
		fmt.Fprintf(warnings, "%s: --dynamic-config-value: %v\n", program, warning)
	}
	return loader.Map, nil
}
