package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// smallDiskSize is room for an append-only file of some cycles, and is filled within a moment.
const smallDiskSize = "24m"

// smallDisk mounts a file system of its own for one node.
func (r *rig) smallDisk(_ context.Context, name string) (string, error) {
	dir := filepath.Join(r.dir, "disk-"+name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", fmt.Errorf("make mount point of %s: %w", name, err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+smallDiskSize); err != nil {
		return "", fmt.Errorf("mount the disk of %s at %s: %w", name, dir, err)
	}
	r.tmpfs = append(r.tmpfs, dir)
	return dir, nil
}

// releaseDisks unmounts what smallDisk mounted; processes that still close their files do not keep it.
func (r *rig) releaseDisks() error {
	var errs []error
	for _, dir := range r.tmpfs {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			errs = append(errs, fmt.Errorf("unmount %s: %w", dir, err))
		}
	}
	r.tmpfs = nil
	return errors.Join(errs...)
}
