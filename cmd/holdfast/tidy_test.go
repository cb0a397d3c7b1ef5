package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// The house rules that a program can check. They are a test and not a linter, so that 'go test ./...' is all one has to know.
const (
	columnsMax       = 140 // what fits beside a diff on an ordinary screen
	functionLinesMax = 70  // two screens: more than that is two functions
	fileLinesMax     = 500 // a file is one concept
	testLinesMax     = 800 // tables are longer than what they test
)

// mayImport is the architecture: what each package of ours may import of ours. Imports only point downwards. health/sim alone looks
// across: it joins the pure halves of control plane and data plane to one world, and nothing imports it.
var mayImport = map[string][]string{
	"admin":             {},
	"bench":             {},
	"bench/chaos":       {"bench"},
	"bench/chart":       {},
	"bench/compare":     {"bench", "bench/chart", "bench/load"},
	"bench/conformance": {"bench"},
	"bench/load":        {"bench/chart"},
	"bench/peers":       {},
	"bench/testbed":     {},
	"configs":           {},
	"health":            {},
	"health/authority":  {"health"},
	"health/failover":   {"health"},
	"health/sim":        {"health", "health/authority", "proxy/resp"},
	"health/supervisor": {"health"},
	"proxy":             {"splice", "proxy/resp"},
	"proxy/resp":        {},
	"splice":            {},

	// Programs of no package of ours: foreign libraries are built into them when a suite is run.
	"bench/conformance/programs": {},

	"cmd/holdfast": {
		"admin", "bench", "bench/chaos", "bench/compare", "bench/conformance", "bench/load", "bench/peers", "configs", "health",
		"health/authority", "health/failover", "health/supervisor", "proxy", "proxy/resp", "splice",
	},
}

// testsMayImport is open to the tests of every package, and to nothing else.
const testsMayImport = "bench/testbed"

// promisesNothing are package names that say nothing about what is inside.
var promisesNothing = []string{"util", "utils", "common", "types", "helpers", "misc", "base"}

const modulePath = "holdfast"

func TestTidy(t *testing.T) {
	documented := map[string]bool{}
	for name, src := range readRepository(t, func(name string) bool { return path.Ext(name) == ".go" }) {
		for _, fault := range tidyFaults(name, src) {
			t.Error(fault)
		}
		if path.Base(name) == "doc.go" {
			documented[path.Dir(name)] = true
		}
	}
	for dir := range mayImport {
		if entries, _ := filepath.Glob(filepath.Join(repositoryRoot, dir, "*.go")); len(entries) > 0 && !documented[dir] {
			t.Errorf("%s: no doc.go that says what the package promises", dir)
		}
	}
}

// repositoryRoot is where go.mod lies, seen from this package.
const repositoryRoot = "../.."

// readRepository returns the wanted files by their path in the repository. What git does not keep is left out.
func readRepository(t *testing.T, wanted func(name string) bool) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(repositoryRoot, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(repositoryRoot, file)
		if err != nil {
			return err
		}
		if d.IsDir() && (name == ".git" || name == "bin") {
			return filepath.SkipDir
		}
		if !d.Type().IsRegular() || !wanted(filepath.ToSlash(name)) {
			return nil
		}
		files[filepath.ToSlash(name)], err = os.ReadFile(file)
		return err
	})
	if err != nil {
		t.Fatalf("read repository: %v", err)
	}
	return files
}

// tidyFaults returns what is wrong with one Go file, each as file:line: fault.
func tidyFaults(name string, src []byte) []string {
	f := &tidyFile{name: name, files: token.NewFileSet()}
	f.checkLines(src)
	tree, err := parser.ParseFile(f.files, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return append(f.faults, err.Error())
	}
	f.checkImports(tree)
	ast.Inspect(tree, f.checkNode)
	if slices.Contains(promisesNothing, tree.Name.Name) {
		f.fault(1, "package name %s promises nothing", tree.Name.Name)
	}
	if path.Base(name) == "doc.go" && tree.Doc == nil {
		f.fault(1, "doc.go has no package comment")
	}
	return f.faults
}

type tidyFile struct {
	name   string
	files  *token.FileSet
	faults []string
}

func (f *tidyFile) fault(line int, text string, args ...any) {
	f.faults = append(f.faults, fmt.Sprintf("%s:%d: %s", f.name, line, fmt.Sprintf(text, args...)))
}

func (f *tidyFile) checkLines(src []byte) {
	if formatted, err := format.Source(src); err == nil && !bytes.Equal(formatted, src) {
		f.fault(1, "not formatted by gofmt")
	}
	lines := 0
	for line := range bytes.Lines(src) {
		lines++
		if columns := utf8.RuneCount(bytes.TrimRight(line, "\n")); columns > columnsMax {
			f.fault(lines, "%d columns, at most %d are wanted", columns, columnsMax)
		}
	}
	limit := fileLinesMax
	if strings.HasSuffix(f.name, "_test.go") {
		limit = testLinesMax
	}
	if lines > limit {
		f.fault(lines, "%d lines, at most %d are wanted", lines, limit)
	}
}

func (f *tidyFile) checkImports(tree *ast.File) {
	allowed, known := mayImport[path.Dir(f.name)]
	if !known {
		f.fault(1, "package %s is not in the import table", path.Dir(f.name))
	}
	for _, spec := range tree.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		ours, ok := strings.CutPrefix(imported, modulePath+"/")
		if ok && !slices.Contains(allowed, ours) && (ours != testsMayImport || !strings.HasSuffix(f.name, "_test.go")) {
			f.fault(f.files.Position(spec.Pos()).Line, "%s may not import %s", path.Dir(f.name), ours)
		}
	}
}

func (f *tidyFile) checkNode(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.FuncDecl:
		start, end := f.files.Position(n.Pos()).Line, f.files.Position(n.End()).Line
		if lines := end - start + 1 - f.tableLines(n); lines > functionLinesMax {
			f.fault(start, "function %s has %d lines, at most %d are wanted", n.Name.Name, lines, functionLinesMax)
		}
		if n.Name.Name == "init" && n.Recv == nil {
			f.fault(start, "init acts before anybody asked for it")
		}
	case *ast.SelectorExpr:
		if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && n.Sel.Name == "Sleep" {
			f.fault(f.files.Position(n.Pos()).Line, "time.Sleep: wait for a condition, a ticker or a channel")
		}
	}
	return true
}

// tableLines counts the lines of a test that are data: the rows of a table are read one by one and not as a whole.
func (f *tidyFile) tableLines(function *ast.FuncDecl) int {
	if !strings.HasSuffix(f.name, "_test.go") {
		return 0
	}
	lines := 0
	ast.Inspect(function, func(n ast.Node) bool {
		table, isTable := n.(*ast.CompositeLit)
		if isTable {
			lines += f.files.Position(table.End()).Line - f.files.Position(table.Pos()).Line
		}
		return !isTable
	})
	return lines
}
