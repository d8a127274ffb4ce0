package training_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// constants reads every constant of a type from this package's source, so that a table of a
// test cannot forget one.
func constants[T ~string](t *testing.T, typeName string) []T {
	t.Helper()
	names, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var found []T
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, declaration := range file.Decls {
			general, ok := declaration.(*ast.GenDecl)
			if !ok || general.Tok != token.CONST {
				continue
			}
			for _, spec := range general.Specs {
				value := spec.(*ast.ValueSpec)
				if kind, ok := value.Type.(*ast.Ident); !ok || kind.Name != typeName {
					continue
				}
				for _, expression := range value.Values {
					literal, ok := expression.(*ast.BasicLit)
					require.True(t, ok, "%s of type %s is no literal", value.Names[0], typeName)
					text, err := strconv.Unquote(literal.Value)
					require.NoError(t, err)
					found = append(found, T(text))
				}
			}
		}
	}
	require.NotEmpty(t, found, "constants of type %s", typeName)
	return found
}

// keys is for comparing a table with constants.
func keys[K comparable, V any](table map[K]V) []K {
	names := make([]K, 0, len(table))
	for name := range table {
		names = append(names, name)
	}
	return names
}
