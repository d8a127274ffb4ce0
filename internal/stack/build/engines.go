package build

import (
	"context"
	"io"
	"os"
)

// enginesPackages is how many packages a first build of bench/engines compiles, about.
const enginesPackages = 290

// Engines builds the command of the nested module bench/engines, unless that was done before, and
// returns its path. What it does is told to out.
func Engines(ctx context.Context, root string, out io.Writer) (binary string, err error) {
	module := nested{dir: "bench/engines", name: "engines", what: "the pipelines on River and DBOS", packages: enginesPackages}
	return module.build(ctx, root, Shared, out, func(binary string) bool {
		info, err := os.Stat(binary)
		return err == nil && info.Mode().IsRegular()
	})
}
