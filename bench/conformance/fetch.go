package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// outputTail is how much of a failed program's output an error shows, in bytes.
const outputTail = 2000

// tool runs one program in dir and returns what it printed.
func tool(ctx context.Context, dir string, env []string, argv ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		text := append(out, stderr.Bytes()...)
		return out, fmt.Errorf("run %s: %w: %s", strings.Join(argv, " "), err, text[max(0, len(text)-outputTail):])
	}
	return out, nil
}

// fetchGoTests copies a module with its tests below dir and compiles the tests of one package to dir/suite.test.
func fetchGoTests(ctx context.Context, dir, module, pkg string) error {
	out, err := tool(ctx, dir, nil, "go", "mod", "download", "-json", module)
	if err != nil {
		return err
	}
	var info struct{ Dir string }
	if err := json.Unmarshal(out, &info); err != nil {
		return fmt.Errorf("read where %s is: %w", module, err)
	}
	source := filepath.Join(dir, "source")
	if _, err := tool(ctx, dir, nil, "cp", "-r", info.Dir, source); err != nil {
		return err
	}
	if _, err := tool(ctx, dir, nil, "chmod", "-R", "u+w", source); err != nil {
		return err
	}
	_, err = tool(ctx, source, []string{"GOFLAGS=-mod=mod", "CGO_ENABLED=0"}, "go", "test", "-c", "-o", filepath.Join(dir, "suite.test"), pkg)
	return err
}

// fetchGoProgram builds files of dir to dir/program, in a module of its own that requires one other.
func fetchGoProgram(ctx context.Context, dir, module string, files ...string) error {
	env := []string{"GOFLAGS=-mod=mod", "CGO_ENABLED=0"}
	for _, argv := range [][]string{
		{"go", "mod", "init", "program"}, {"go", "get", module}, append([]string{"go", "build", "-o", "program"}, files...),
	} {
		if _, err := tool(ctx, dir, env, argv...); err != nil {
			return err
		}
	}
	return nil
}

// fetchNode puts npm packages below dir.
func fetchNode(ctx context.Context, dir string, packages ...string) error {
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"private":true}`), 0o600); err != nil {
		return fmt.Errorf("write package.json: %w", err)
	}
	_, err := tool(ctx, dir, nil, append([]string{"npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"},
		packages...)...)
	return err
}

// archivesOnce is the list of the machine's own archives, each named once.
func archivesOnce(list []byte) []byte {
	lines := strings.Split(strings.TrimSpace(string(list)), "\n")
	slices.Sort(lines)
	return []byte(strings.Join(slices.Compact(lines), "\n") + "\n")
}

// fetchDebianSource unpacks the original source of a Debian package below dir/source. The machine's own lists need no
// source entries and are not touched: the index goes to dir as well.
func fetchDebianSource(ctx context.Context, dir, pkg string) error {
	lists, source := filepath.Join(dir, "lists"), filepath.Join(dir, "source")
	for _, d := range []string{filepath.Join(lists, "partial"), source} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return fmt.Errorf("make directory for sources: %w", err)
		}
	}
	entry := filepath.Join(dir, "sources.list")
	known, err := tool(ctx, source, nil, "apt-get", "indextargets", "--format", "deb-src $(REPO_URI) $(RELEASE) main", "Created-By: Packages")
	if err != nil {
		return err
	}
	if err := os.WriteFile(entry, archivesOnce(known), 0o600); err != nil {
		return fmt.Errorf("write source entry: %w", err)
	}
	own := []string{"apt-get", "-qq", "-o", "Dir::Etc::sourcelist=" + entry, "-o", "Dir::Etc::sourceparts=/dev/null",
		"-o", "Dir::State::lists=" + lists, "-o", "APT::Sandbox::User=root"}
	if _, err := tool(ctx, source, nil, append(own, "update")...); err != nil {
		return err
	}
	if _, err := tool(ctx, source, nil, append(own, "source", "--download-only", pkg)...); err != nil {
		return err
	}
	archives, err := filepath.Glob(filepath.Join(source, "*.orig.tar.*"))
	if err != nil || len(archives) != 1 {
		return fmt.Errorf("find source of %s: %d archives, %v", pkg, len(archives), err)
	}
	_, err = tool(ctx, source, nil, "tar", "xf", archives[0])
	return err
}
