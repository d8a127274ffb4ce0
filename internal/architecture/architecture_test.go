// Package architecture holds the picture in ARCHITECTURE.md against the code: who may import whom
// (house_test.go is the table), and that every room and every dependency has its reason there.
package architecture

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	root   = "../.."
	module = "countersign/"
)

// pkg is what `go list -json` says about a package.
type pkg struct {
	ImportPath, Name, Dir              string
	GoFiles                            []string
	Imports, TestImports, XTestImports []string
	Deps                               []string
}

func (p pkg) path() string { return strings.TrimPrefix(p.ImportPath, module) }

func packages(t *testing.T) []pkg {
	t.Helper()
	all, err := listed()
	require.NoError(t, err)
	require.NotEmpty(t, all)
	return all
}

var listed = sync.OnceValues(list)

func list() ([]pkg, error) {
	// Test results are cached until a file changes that the test itself has opened, and go list
	// is another process: opening every directory makes each change count.
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && name != root && strings.HasPrefix(entry.Name(), ".") {
			return fs.SkipDir
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("go", "list", "-json=ImportPath,Name,Dir,GoFiles,Imports,TestImports,XTestImports,Deps", "./...")
	cmd.Dir, cmd.Stderr = root, os.Stderr
	output, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var all []pkg
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var p pkg
		switch err := decoder.Decode(&p); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("go list: %w", err)
		}
		all = append(all, p)
	}
}

// within reports whether a package of the module, or a library, is one of the paths.
func within(name string, paths []string) bool {
	return slices.ContainsFunc(paths, func(pattern string) bool {
		matched, err := path.Match(pattern, name)
		return err == nil && matched
	})
}

// roomOf finds the row of a package: its own, or the one with a "*".
func roomOf(name string, rooms []room) (room, bool) {
	for _, exact := range []bool{true, false} {
		for _, r := range rooms {
			if matched, err := path.Match(r.path, name); err == nil && matched && (r.path == name) == exact {
				return r, true
			}
		}
	}
	return room{}, false
}

func paths(rooms []room) []string {
	var all []string
	for _, r := range rooms {
		all = append(all, r.path)
	}
	return all
}

func inProduct(name string) bool {
	r, ok := roomOf(name, slices.Concat(product, workshop))
	return ok && slices.Contains(paths(product), r.path)
}

func ours(imports []string) []string {
	var names []string
	for _, name := range imports {
		if short, ok := strings.CutPrefix(name, module); ok {
			names = append(names, short)
		}
	}
	return names
}

func TestEveryPackageImportsOnlyWhatItsRoomMay(t *testing.T) {
	rooms := slices.Concat(product, workshop)
	var wrong []string
	for _, p := range packages(t) {
		r, ok := roomOf(p.path(), rooms)
		if slices.Contains(mains, p.path()) {
			r.mayImport = paths(product)
		} else if !ok {
			wrong = append(wrong, p.path()+" has no row: give it one, and a line in ARCHITECTURE.md")
			continue
		}
		for _, imported := range ours(p.Imports) {
			// The row that fits best decides: internal/lms/* does not stand for lmstest.
			if target, ok := roomOf(imported, rooms); !ok || !slices.Contains(r.mayImport, target.path) {
				wrong = append(wrong, p.path()+" imports "+imported)
			}
		}
	}
	require.Empty(t, wrong, "the table is house_test.go")
}

// A row without a package is a picture of a room that was torn down.
func TestEveryRowIsARoomThatStands(t *testing.T) {
	rooms := slices.Concat(product, workshop)
	stands := map[string]bool{}
	for _, p := range packages(t) {
		r, _ := roomOf(p.path(), rooms)
		stands[r.path] = true
	}
	for _, r := range rooms {
		require.True(t, stands[r.path], "%s in house_test.go", r.path)
	}
}

// Product code never reaches the workshop, over however many corners.
func TestTheProductIsBuiltWithoutTheWorkshop(t *testing.T) {
	for _, p := range packages(t) {
		if !inProduct(p.path()) && !slices.Contains(mains, p.path()) {
			continue
		}
		for _, dependency := range ours(p.Deps) {
			require.True(t, inProduct(dependency), "%s depends on %s", p.path(), dependency)
		}
	}
}

// Tests may import simulators and suites freely, but commands not even they.
func TestNobodyImportsACommand(t *testing.T) {
	all := packages(t)
	commands := map[string]bool{}
	for _, p := range all {
		if p.Name == "main" {
			commands[p.ImportPath] = true
		}
	}
	for _, name := range append([]string{"dev"}, mains...) {
		require.True(t, commands[module+name], "%s is a command", name)
	}
	for _, p := range all {
		for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			require.False(t, commands[imported] && imported != p.ImportPath, "%s imports the command %s", p.path(), imported)
		}
	}
}

func TestWhatIsBuiltOnTheStandardLibraryAlone(t *testing.T) {
	for _, p := range packages(t) {
		if !within(p.path(), standardLibraryOnly) {
			continue
		}
		for _, dependency := range p.Deps {
			first, _, _ := strings.Cut(dependency, "/")
			require.NotContains(t, first, ".", "%s depends on %s", p.path(), dependency)
		}
	}
}

// Law 1: 200 to an LMS needs only the journal.
func TestTheAcknowledgementKnowsNothingOfTemporal(t *testing.T) {
	for _, p := range packages(t) {
		if !within(p.path(), withoutTemporal) {
			continue
		}
		for _, dependency := range p.Deps {
			require.False(t, strings.HasPrefix(dependency, "go.temporal.io/"), "%s depends on %s", p.path(), dependency)
		}
	}
}

func TestWorkflowsImportOnlyWhatIsDeterministic(t *testing.T) {
	for _, p := range packages(t) {
		if p.path() != "workflows" {
			continue
		}
		for _, imported := range p.Imports {
			require.True(t, strings.HasPrefix(imported, module) || slices.Contains(workflowImports, imported),
				"workflows import %s", imported)
		}
		return
	}
	t.Fatal("no package workflows")
}

func TestDeterministicCodeDoesNotReadTheClock(t *testing.T) {
	clock := []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}
	for _, p := range packages(t) {
		if !slices.Contains(deterministic, p.path()) {
			continue
		}
		for _, name := range p.GoFiles {
			positions := token.NewFileSet()
			file, err := parser.ParseFile(positions, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			called := nameOf(t, file, "time")
			ast.Inspect(file, func(node ast.Node) bool {
				selector, ok := node.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				left, ok := selector.X.(*ast.Ident)
				require.False(t, ok && called != "" && left.Name == called && slices.Contains(clock, selector.Sel.Name),
					"%s: time.%s", positions.Position(selector.Pos()), selector.Sel.Name)
				return true
			})
		}
	}
}

// nameOf is what a file calls an import, "" if it does not import it.
func nameOf(t *testing.T, file *ast.File, imported string) string {
	t.Helper()
	for _, spec := range file.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		require.NoError(t, err)
		if name != imported {
			continue
		}
		if spec.Name == nil {
			return path.Base(imported)
		}
		require.NotEqual(t, ".", spec.Name.Name, "a dot import of %s hides its use", imported)
		return spec.Name.Name
	}
	return ""
}

func TestLibrariesStayInTheirPlace(t *testing.T) {
	for _, p := range packages(t) {
		for _, imported := range p.Imports {
			for _, library := range slices.Sorted(maps.Keys(confined)) {
				if imported == library || strings.HasPrefix(imported, library+"/") {
					require.True(t, within(p.path(), confined[library]), "%s imports %s, whose place is %v", p.path(), imported, confined[library])
				}
			}
		}
	}
}
