package peers

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// sysctls are the settings of the host that move the numbers.
var sysctls = []string{
	"net/ipv4/tcp_congestion_control", "net/core/default_qdisc", "net/ipv4/tcp_rmem", "net/ipv4/tcp_wmem", "net/ipv4/tcp_tw_reuse",
	"net/ipv4/ip_local_port_range", "net/core/somaxconn", "fs/pipe-max-size", "fs/pipe-user-pages-soft", "kernel/io_uring_disabled",
}

// Record is everything a run leaves behind: enough to work the table out again, and to see on what it was measured.
type Record struct {
	Started  time.Time         `json:"started"`
	Seconds  float64           `json:"seconds"`
	Settings Settings          `json:"settings"`
	Machine  map[string]string `json:"machine"`
	Versions map[string]string `json:"versions"`
	Sysctls  map[string]string `json:"sysctls"`
	Configs  map[string]string `json:"configs"` // of the first round, by contender
	Notes    []string          `json:"notes,omitempty"`
	Rows     []Outcome         `json:"rows"`
	Samples  []Sample          `json:"samples"`
}

// write stores the record under its time and returns the path.
func (r *Record) write(dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make results directory: %w", err)
	}
	data, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return "", fmt.Errorf("encode results: %w", err)
	}
	path := filepath.Join(dir, "dataplane-"+r.Started.UTC().Format("20060102-150405")+".json")
	if err := os.WriteFile(path, append(data, '\n'), 0o644); err != nil {
		return "", fmt.Errorf("write results: %w", err)
	}
	return path, nil
}

func newRecord(ctx context.Context, o Options, s Settings) *Record {
	r := &Record{
		Started: time.Now(), Settings: s, Machine: machine(), Versions: versions(ctx, o),
		Sysctls: map[string]string{}, Configs: map[string]string{},
	}
	for _, name := range sysctls {
		if data, err := os.ReadFile(filepath.Join("/proc/sys", name)); err == nil {
			r.Sysctls[strings.ReplaceAll(name, "/", ".")] = strings.Join(strings.Fields(string(data)), " ")
		}
	}
	return r
}

func machine() map[string]string {
	m := map[string]string{
		"cpus": fmt.Sprint(runtime.NumCPU()), "arch": runtime.GOARCH, "go": runtime.Version(), "files_max": fmt.Sprint(filesMax()),
	}
	var name unix.Utsname
	if err := unix.Uname(&name); err == nil {
		m["kernel"] = unix.ByteSliceToString(name.Release[:])
	}
	addLine(m, "cpu", "/proc/cpuinfo", "model name")
	addLine(m, "memory", "/proc/meminfo", "MemTotal")
	addLine(m, "load", "/proc/loadavg", "")
	return m
}

// addLine takes the first line of a file that begins with prefix.
func addLine(m map[string]string, key, path, prefix string) {
	data, err := os.ReadFile(path)
	if err != nil {
		return
	}
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, prefix) {
			_, after, found := strings.Cut(line, ":")
			if !found {
				after = line
			}
			m[key] = strings.TrimSpace(after)
			return
		}
	}
}
