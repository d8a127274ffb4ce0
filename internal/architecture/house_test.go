package architecture

// room is a package of this module and what its product code may import of the module. "*" in a
// path stands for one folder: each such package is a room of its own, so two of them never
// import each other.
type room struct {
	path      string
	mayImport []string
}

// product is the house, bottom up. ARCHITECTURE.md draws it.
var product = []room{
	// The language: everybody speaks it, it knows nobody.
	{"internal/training", nil},

	// The inbound world. A platform's adapter decodes; platform lists the adapters of this build.
	{"internal/lms", []string{"internal/training"}},
	{"internal/lms/strictjson", nil},
	{"internal/lms/mapping", []string{"internal/training", "internal/lms/strictjson"}},
	{"internal/lms/signature", []string{"internal/lms"}},
	{"internal/lms/jwks", nil},
	{"internal/clientcert", nil},
	{"internal/lms/*", []string{"internal/training", "internal/lms", "internal/lms/strictjson", "internal/lms/mapping", "internal/lms/signature"}},
	{"internal/lms/platform", []string{"internal/lms", "internal/lms/mapping", "internal/lms/*"}},
	{"internal/lmsapi", []string{"internal/training"}},
	{"internal/lmsapi/rest", []string{"internal/training", "internal/outbound"}},
	{"internal/lmsapi/*", []string{"internal/training", "internal/lms", "internal/lmsapi", "internal/lmsapi/rest"}},
	{"internal/lmsapi/platform", []string{"internal/lmsapi", "internal/lmsapi/rest", "internal/lmsapi/*"}},
	{"internal/issuer", []string{"internal/lms", "internal/lms/signature"}},
	{"internal/setup", []string{"internal/lms/mapping"}},

	// One thing each; none knows another.
	{"internal/outbound", []string{"internal/training"}},
	{"internal/journal", []string{"internal/training"}},
	{"internal/qms", []string{"internal/training"}},
	{"internal/qms/*", []string{"internal/training", "internal/qms", "internal/outbound"}},
	{"internal/budget", []string{"internal/training"}},
	{"internal/breaker", []string{"internal/training", "internal/qms"}},
	{"internal/xapi", []string{"internal/training"}},
	{"internal/certificate", []string{"internal/training"}},
	{"internal/notify", []string{"internal/training"}},
	{"internal/settings", []string{"internal/training", "internal/lms/mapping"}},
	{"internal/telemetry", nil},
	{"internal/reconcile", []string{"internal/training", "internal/csvtable"}},
	{"internal/csvtable", nil},

	// The policy, and the hands it has.
	{"workflows", []string{"internal/training"}},
	{"activities", []string{
		"internal/training", "internal/journal", "internal/qms", "internal/breaker", "internal/xapi", "internal/lmsapi",
		"internal/certificate", "internal/notify", "internal/reconcile", "workflows",
	}},

	// The way in, and on to Temporal. The first knows nothing of the second (law 1).
	{"internal/ingress", []string{"internal/training", "internal/lms", "internal/lms/strictjson", "internal/journal"}},
	{"internal/dispatch", []string{"internal/training", "internal/journal", "workflows"}},

	// What the two processes share as processes.
	{"internal/process", []string{"internal/journal", "internal/settings", "internal/telemetry", "internal/lms/platform", "internal/lms/mapping", "internal/lmsapi/platform"}},
	{"internal/tenants", []string{
		"internal/training", "internal/settings", "internal/process", "activities", "internal/qms", "internal/qms/*", "internal/breaker", "internal/budget", "internal/xapi", "internal/notify",
		"internal/lmsapi", "internal/lmsapi/rest", "internal/lmsapi/platform",
	}},
	{"internal/doctor", []string{"internal/training", "internal/settings", "internal/journal", "internal/certificate", "workflows"}},
}

// mains wire the product's rooms together. They may import all of them, and nobody imports them.
var mains = []string{"starter", "worker"}

// workshop is what builds, runs and tests the product. The product never imports it.
var workshop = []room{
	// The suites every adapter passes, and a database to test on.
	{"internal/lms/lmstest", []string{"internal/training", "internal/lms", "internal/lms/mapping", "internal/lms/strictjson"}},
	{"internal/lmsapi/lmsapitest", []string{"internal/training", "internal/lmsapi", "internal/lmsapi/rest", "internal/simulator/fault", "internal/simulator/*"}},
	{"internal/qms/qmstest", []string{"internal/training", "internal/qms"}},
	{"internal/postgrestest", nil},

	// The other side.
	{"internal/simulator/fault", nil},
	{"internal/simulator/*", []string{"internal/training", "internal/simulator/fault"}},
	{"internal/simulator/page", []string{"internal/training", "internal/simulator/fault", "internal/simulator/*"}},

	// A local installation. dev compiles in seconds, so it imports next to nothing; dev/local is
	// everything in one.
	{"internal/stack/lockfile", nil},
	{"internal/stack/build", []string{"internal/stack/lockfile"}},
	{"internal/stack", []string{"internal/stack/build", "internal/stack/lockfile"}},
	{"dev/options", nil},
	{"dev/gorun", nil},
	{"dev", []string{"dev/options", "dev/gorun", "internal/stack/build"}},
	{"dev/local", []string{
		"internal/training", "internal/settings", "internal/telemetry", "internal/journal", "internal/process", "workflows",
		"internal/simulator/fault", "internal/simulator/*", "internal/simulator/page",
		"internal/stack", "internal/stack/build", "internal/stack/lockfile", "dev/options", "dev/gorun",
	}},

	// Figures: how it breaks, and how fast it is. Run by hand and by CI, shipped to nobody.
	{"bench/faults/*", []string{
		"internal/training", "internal/journal", "internal/dispatch", "internal/xapi", "workflows", "internal/postgrestest",
		"internal/simulator/fault", "internal/simulator/*", "internal/stack", "internal/stack/build", "bench/faults/*",
	}},
	{"bench/faults", []string{"internal/training", "internal/stack/build", "bench/faults/*"}},
	{"bench/*", []string{
		"internal/training", "internal/journal", "internal/ingress", "internal/lms/*", "internal/lms/signature", "internal/telemetry", "workflows",
		"internal/postgrestest", "internal/simulator/*", "internal/stack", "internal/stack/build", "bench/*",
	}},
	{"bench", []string{
		"internal/training", "internal/journal", "internal/dispatch", "workflows", "internal/stack", "internal/stack/build", "bench/*",
	}},

	// Tests only: nothing here is compiled into anything.
	{"internal/architecture", nil},
	{"internal/e2e", []string{"internal/training", "internal/settings", "internal/journal", "workflows",
		"internal/simulator/fault", "internal/simulator/*", "internal/stack", "internal/stack/build"}},
}

// standardLibraryOnly are rooms that import no other module, not even through others.
var standardLibraryOnly = []string{
	"internal/training",                                       // the language outlives every library
	"dev", "dev/options", "dev/gorun", "internal/stack/build", // first words within seconds on a fresh machine
}

// withoutTemporal are rooms into which Temporal does not come, not even through others: an
// acknowledgement needs only the journal (law 1).
var withoutTemporal = []string{"internal/ingress", "internal/journal", "internal/lms", "internal/lms/*"}

// deterministic are rooms whose code is replayed: nothing in it may depend on the moment.
var deterministic = []string{"workflows", "internal/training"}

// workflowImports are what workflows import besides the language: the SDK's deterministic half,
// and what of the standard library computes the same thing every time. Not among them, among
// others: net/http, database/sql, os, math/rand, sync, log/slog.
var workflowImports = []string{
	"go.temporal.io/sdk/workflow", "go.temporal.io/sdk/temporal", "go.temporal.io/sdk/worker", "go.temporal.io/sdk/activity",
	"go.temporal.io/api/enums/v1",
	"bytes", "cmp", "encoding/json", "errors", "fmt", "hash/fnv", "iter", "maps", "math", "slices", "strconv", "strings", "time", "unicode", "unicode/utf8",
	"context", // only in the signatures of activities
}

// confined are libraries that have their place. The key is an import path; everything below it
// counts too.
var confined = map[string][]string{
	"github.com/gin-gonic/gin":           {"internal/ingress", "internal/console", "bench/stub"},
	"database/sql":                       {"internal/journal", "internal/postgrestest", "bench/stub"},
	"github.com/jackc/pgx":               {"internal/journal", "internal/postgrestest", "bench/stub"},
	"modernc.org/sqlite":                 {"internal/journal", "bench/stub"},
	"github.com/pressly/goose":           {"internal/journal"},
	"github.com/wneessen/go-mail":        {"internal/notify"},
	"codeberg.org/go-pdf":                {"internal/certificate"},
	"go.yaml.in/yaml":                    {"internal/settings", "internal/setup"},
	"github.com/theory/jsonpath":         {"internal/lms/mapping"},
	"github.com/go-json-experiment/json": {"internal/lms/strictjson"},
	"github.com/go-jose/go-jose":         {"internal/lms/signature", "internal/lms/jwks", "internal/issuer"},
	"github.com/Shopify/toxiproxy":       {"bench/faults/wire"},
	"go.temporal.io/sdk": {
		"workflows", "activities", "internal/dispatch", "internal/telemetry", "internal/process",
		"starter", "worker", "internal/stack", "dev/local", "internal/e2e", "bench", "bench/faults/rig", "bench/site", "bench/steps",
	},
	"github.com/stretchr/testify": suites,
	"pgregory.net/rapid":          suites,
	"go.uber.org/goleak":          suites,
	"testing":                     suites,
	"net/http/httptest":           suites,
}

// suites are the rooms that exist to be imported by tests.
var suites = []string{"internal/lms/lmstest", "internal/lmsapi/lmsapitest", "internal/qms/qmstest", "internal/postgrestest", "internal/e2e"}
