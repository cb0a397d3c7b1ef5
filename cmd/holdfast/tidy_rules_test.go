package main

import (
	"bytes"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTidyFindsFaults plants each fault once, because a rule that cannot fail is none.
func TestTidyFindsFaults(t *testing.T) {
	longTable := "package splice\n\nfunc f() {\n\t_ = []int{\n" + strings.Repeat("\t\t1,\n", 99) + "\t}\n}\n"
	for name, c := range map[string]struct{ file, src, want string }{
		"clean":              {"splice/loop.go", "package splice\n", ""},
		"formatting":         {"splice/loop.go", "package splice\nvar  a = 1\n", "gofmt"},
		"long line":          {"splice/loop.go", "package splice\n\n// " + strings.Repeat("ä", 138) + "\n", "loop.go:3: 141 columns"},
		"just short":         {"splice/loop.go", "package splice\n\n// " + strings.Repeat("ä", 137) + "\n", ""},
		"long function":      {"splice/loop.go", "package splice\n\nfunc f() {\n" + strings.Repeat("\tf()\n", 69) + "}\n", "f has 71 lines"},
		"long test function": {"splice/loop_test.go", "package splice\n\nfunc f() {\n" + strings.Repeat("\tf()\n", 69) + "}\n", "f has 71 lines"},
		"long table":         {"splice/loop_test.go", longTable, ""},
		"two screens":        {"splice/loop.go", "package splice\n\nfunc f() {\n" + strings.Repeat("\tf()\n", 68) + "}\n", ""},
		"long file":          {"splice/loop.go", "package splice\n\n" + strings.Repeat("//\n", 499), "501 lines"},
		"long test":          {"splice/loop_test.go", "package splice\n\n" + strings.Repeat("//\n", 798), ""},
		"longer test":        {"splice/loop_test.go", "package splice\n\n" + strings.Repeat("//\n", 799), "801 lines"},
		"sleep":              {"splice/loop.go", "package splice\n\nimport \"time\"\n\nfunc f() { time.Sleep(1) }\n", "time.Sleep"},
		"upward import":      {"splice/loop.go", "package splice\n\nimport \"holdfast/proxy\"\n", "splice may not import proxy"},
		"sideways import":    {"health/failover/run.go", "package failover\n\nimport \"holdfast/health/authority\"\n", "may not import"},
		"downward import":    {"proxy/gate.go", "package proxy\n\nimport \"holdfast/splice\"\n", ""},
		"unknown package":    {"queue/queue.go", "package queue\n", "not in the import table"},
		"empty name":         {"splice/loop.go", "package util\n", "promises nothing"},
		"init":               {"splice/loop.go", "package splice\n\nfunc init() {}\n", "init acts"},
		"undocumented":       {"splice/doc.go", "package splice\n", "no package comment"},
		"not Go":             {"splice/loop.go", "package\n", "expected"},
		"a method is fine":   {"splice/loop.go", "package splice\n\ntype t int\n\nfunc (t) init() {}\n", ""},
	} {
		got := strings.Join(tidyFaults(c.file, []byte(c.src)), "\n")
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// TestDependenciesAreDecided asks for a page in docs/decisions for every module that our code imports.
func TestDependenciesAreDecided(t *testing.T) {
	var titles strings.Builder
	for name, text := range readRepository(t, func(name string) bool { return path.Dir(name) == "docs/decisions" }) {
		if path.Ext(name) == ".md" {
			title, _, _ := strings.Cut(string(text), "\n")
			titles.WriteString(strings.ToLower(title) + "\n")
		}
	}
	modules := requiredModules(t)
	used := map[string]string{}
	for name, src := range readRepository(t, func(name string) bool { return path.Ext(name) == ".go" }) {
		for _, module := range modules {
			if bytes.Contains(src, []byte("\""+module+"\"")) || bytes.Contains(src, []byte("\""+module+"/")) {
				used[module] = name
			}
		}
	}
	for module, name := range used {
		if !strings.Contains(titles.String(), subject(module)) {
			t.Errorf("%s imports %s, and no page in docs/decisions says why", name, module)
		}
	}
}

// subject is the word a page about a module must have in its title: its name without version and language.
func subject(module string) string {
	name := path.Base(regexp.MustCompile(`/v[0-9]+$`).ReplaceAllString(module, ""))
	return strings.ToLower(strings.TrimSuffix(name, "-go"))
}

// requiredModules reads the module paths of go.mod, direct and indirect ones.
func requiredModules(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repositoryRoot, "go.mod"))
	if err != nil {
		t.Fatalf("read go.mod: %v", err)
	}
	var modules []string
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(strings.TrimPrefix(line, "require "))
		if len(fields) >= 2 && strings.Contains(fields[0], ".") && strings.HasPrefix(fields[1], "v") {
			modules = append(modules, fields[0])
		}
	}
	if len(modules) == 0 {
		t.Fatal("read go.mod: found no module")
	}
	return modules
}

// TestNothingNamesThisMachine keeps the paths and the package registry of whoever builds it out of the repository.
func TestNothingNamesThisMachine(t *testing.T) {
	root, err := filepath.Abs(repositoryRoot)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{root}
	for _, variable := range []string{"GOMODCACHE", "GOPATH", "GOCACHE", "GOPROXY"} {
		out, err := exec.CommandContext(t.Context(), "go", "env", variable).Output()
		if err != nil {
			t.Fatalf("go env %s: %v", variable, err)
		}
		names = append(names, strings.FieldsFunc(strings.TrimSpace(string(out)), func(r rune) bool { return r == ',' || r == '|' })...)
	}
	for name, text := range readRepository(t, isText) {
		for _, forbidden := range names {
			if tellsAMachine(forbidden) && bytes.Contains(text, []byte(forbidden)) {
				t.Errorf("%s: names something of this machine", name)
			}
		}
	}
}

// tellsAMachine leaves out words, and paths so short that they mean nothing.
func tellsAMachine(name string) bool {
	return name != "direct" && name != "off" && strings.Count(name, "/") >= 2
}

func isText(name string) bool {
	switch path.Ext(name) {
	case ".go", ".md", ".toml", ".txt", ".mod", ".sum", "":
		return true
	default:
		return false
	}
}
