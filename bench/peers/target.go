package peers

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// target is a contender that runs, or a variant of Holdfast that could not be started.
type target struct {
	name    string
	address string
	config  string
	proc    *child // nil: direct
	crowd   *child // holds what the user of proc may have of pipes; usually nil
	fault   error  // why it does not run
}

// startTarget starts one contender in a directory of its own, which is named after its place in the list.
func (r *rig) startTarget(ctx context.Context, recipe recipe, index int) (*target, error) {
	if recipe.program == "" {
		return &target{name: recipe.name, address: r.backend}, nil
	}
	p, err := r.place(recipe, index)
	if err != nil {
		return nil, err
	}
	t := &target{name: recipe.name, address: p.listen}
	if err := t.start(ctx, recipe, p); err != nil {
		t.end()
		return nil, err
	}
	return t, nil
}

// place finds addresses and makes the directory, which belongs to the user of the contender.
func (r *rig) place(recipe recipe, index int) (place, error) {
	p := place{
		backend: r.backend, dir: filepath.Join(r.dir, strconv.Itoa(index)), connsMax: (filesMax() - spareFiles) / filesPerProxied,
	}
	if err := os.Mkdir(p.dir, 0o700); err != nil {
		return p, fmt.Errorf("make directory of %s: %w", recipe.name, err)
	}
	if err := recipe.give(p.dir); err != nil {
		return p, err
	}
	for _, address := range []*string{&p.listen, &p.admin} {
		free, err := freeAddress()
		if err != nil {
			return p, err
		}
		*address = free
	}
	if recipe.unix {
		p.listen = unixPrefix + filepath.Join(p.dir, "socket")
	}
	return p, nil
}

// give makes a file or directory that of the user of the contender.
func (r recipe) give(path string) error {
	if r.user == 0 {
		return nil
	}
	if err := os.Chown(path, int(r.user), int(r.user)); err != nil {
		return fmt.Errorf("give %s to user %d: %w", path, r.user, err)
	}
	return nil
}

// start starts the process. When it fails, end must follow.
func (t *target) start(ctx context.Context, recipe recipe, p place) error {
	file := filepath.Join(p.dir, "config")
	if recipe.config != nil {
		t.config = recipe.config(p)
		if err := os.WriteFile(file, []byte(t.config), 0o600); err != nil {
			return fmt.Errorf("write configuration of %s: %w", recipe.name, err)
		}
		if err := recipe.give(file); err != nil {
			return err
		}
	}
	program, err := programPath(recipe.program)
	if err != nil {
		return err
	}
	if recipe.crowd != nil {
		if t.crowd, err = startCrowd(ctx, recipe.user, filepath.Join(p.dir, "crowd.log"), recipe.crowd); err != nil {
			return err
		}
	}
	argv := append([]string{program}, recipe.args(p, file)...)
	if t.proc, err = startChildAs(recipe.user, recipe.name, filepath.Join(p.dir, "log"), recipe.env, argv...); err != nil {
		return err
	}
	return t.proc.awaitAnswer(ctx, p.listen)
}

// end ends what runs of it.
func (t *target) end() {
	for _, c := range []*child{t.proc, t.crowd} {
		if c != nil {
			c.end()
		}
	}
}

// logSize is how much a contender has written so far.
func (t *target) logSize() int64 {
	info, err := os.Stat(t.proc.log)
	if err != nil {
		return 0
	}
	return info.Size()
}
