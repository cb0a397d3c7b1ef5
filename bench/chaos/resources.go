package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// resources are what the proxy's process holds while nothing happens.
type resources struct{ rss, files int }

const (
	// baseAfter is how many cycles a rig makes before its proxy's resources count as the base line: buffers and pools have grown by
	// then to what the load needs.
	baseAfter = 10
	// filesSpare and rssSpare are differences without meaning: a probe's connection more, a page of the runtime.
	filesSpare = 6
	rssSpare   = 4 << 10 // KiB
	// resourceShare is the part by which resources may be above the base line, as one in so many.
	resourceShare = 20
)

// measure reads the resources of a process.
func measure(pid int) (r resources, err error) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	files, err := os.ReadDir(filepath.Join(dir, "fd"))
	if err != nil {
		return r, fmt.Errorf("count descriptors: %w", err)
	}
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return r, fmt.Errorf("read memory: %w", err)
	}
	for line := range strings.Lines(string(status)) {
		if text, found := strings.CutPrefix(line, "VmRSS:"); found {
			r.rss, err = strconv.Atoi(strings.Fields(text)[0])
		}
	}
	r.files = len(files)
	return r, err
}

// judgeResources compares the proxy with its base line: descriptors in every cycle, memory by its lowest value since, because what
// the runtime gives back late is no leak.
func (c *cycle) judgeResources(j *judge) {
	now, err := measure(c.daemon.PID())
	if err != nil {
		j.verdicts.broken(I21, "%v", err)
		return
	}
	if c.reset {
		c.measured, c.base = 0, resources{}
		return
	}
	if c.measured++; c.measured <= baseAfter {
		c.base = resources{rss: max(c.base.rss, now.rss), files: max(c.base.files, now.files)}
		return
	}
	j.verdicts.checked(I21, 1)
	if limit := c.base.files + c.base.files/resourceShare + filesSpare; now.files > limit {
		j.verdicts.broken(I21, "the proxy holds %d descriptors, %d at the base line", now.files, c.base.files)
	}
	if limit := c.base.rss + c.base.rss/resourceShare + rssSpare; now.rss > limit {
		c.above++
	} else {
		c.above = 0
	}
	if c.above >= baseAfter {
		j.verdicts.broken(I21, "the proxy has held more than %d KiB for %d cycles, now %d", c.base.rss, c.above, now.rss)
		c.above = 0
	}
}
