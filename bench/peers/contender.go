package peers

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// Names of contenders, as they stand in the raw samples. The table has one column for all configurations of HAProxy.
const (
	holdfast      = "holdfast"
	haproxyPlain  = "haproxy"
	haproxyAuto   = "haproxy splice-auto"
	haproxySplice = "haproxy splice, 1 MiB pipes"
	haproxyBuffer = "haproxy 256 KiB buffers"
	nginxStream   = "nginx"
	copyProxy     = "io.Copy"
	direct        = "direct"
)

// haproxies are its configurations: as installed, with the option its manual recommends, and tuned for bulk in two ways.
var haproxies = []string{haproxyPlain, haproxyAuto, haproxySplice, haproxyBuffer}

// moduleDirs are where distributions put the stream module of nginx. None of them: it may be built in.
var moduleDirs = []string{"/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/share/nginx/modules"}

// place is what a contender is told: where to listen, what is behind it, and where its files may lie.
type place struct {
	listen, backend, admin, dir string
	connsMax                    int
}

// recipe says how a contender is started. An empty program is no proxy at all.
type recipe struct {
	name    string
	program string
	env     []string
	config  func(place) string // nil: everything is in the arguments
	args    func(p place, file string) []string
	unix    bool     // it listens on a unix socket instead of TCP
	user    uint32   // it runs as this user; 0: as that of the bench
	crowd   []string // the command that runs HoldPipes beside it for the same user; usually nil
}

// recipes are the contenders in the order of the first round.
func recipes(o Options) []recipe {
	own := recipe{
		name: holdfast, program: o.Holdfast, env: []string{"GODEBUG=gctrace=1"}, config: holdfastConfig,
		args: func(_ place, file string) []string { return []string{"run", "-c", file} },
	}
	list := append([]recipe{own}, variantRecipes(o, own)...)
	for _, name := range haproxies {
		list = append(list, recipe{
			name: name, program: "haproxy", config: func(p place) string { return haproxyConfig(name, p) },
			args: func(_ place, file string) []string { return []string{"-db", "-f", file} },
		})
	}
	return append(list, recipe{
		name: nginxStream, program: "nginx", config: nginxConfig,
		args: func(p place, file string) []string {
			return []string{"-p", p.dir, "-e", filepath.Join(p.dir, "error.log"), "-c", file}
		},
	}, recipe{
		name: copyProxy, program: o.CopyProxy[0],
		args: func(p place, _ string) []string { return append(slices.Clone(o.CopyProxy[1:]), p.listen, p.backend) },
	}, recipe{name: direct})
}

// holdfastConfig has one loop, as the peers have one thread, and no failover, as there is one server.
func holdfastConfig(p place) string {
	return fmt.Sprintf(`state_dir = %q
[admin]
listen = %q
[proxy]
loops = 1
[[pool]]
name = "bench"
listen = [%q]
failover = "off"
backends = [{ name = "redis", address = %q }]
`, filepath.Join(p.dir, "state"), p.admin, p.listen, p.backend)
}

func haproxyConfig(name string, p place) string {
	global, options := "", ""
	switch name {
	case haproxyAuto:
		options = "    option splice-auto\n"
	case haproxySplice:
		global = "    tune.pipesize 1048576\n"
		options = "    option splice-request\n    option splice-response\n"
	case haproxyBuffer:
		global = "    tune.bufsize 262144\n"
	}
	return fmt.Sprintf(`global
    nbthread 1
    maxconn %d
%sdefaults
    mode tcp
    timeout connect 5s
    timeout client 1h
    timeout server 1h
%slisten redis
    bind %s
    server redis %s
`, p.connsMax, global, options, p.listen, p.backend)
}

// nginxConfig keeps nginx in one process, so that the process that was started is the one that is measured.
func nginxConfig(p place) string {
	load := ""
	for _, dir := range moduleDirs {
		module := filepath.Join(dir, "ngx_stream_module.so")
		if _, err := os.Stat(module); err == nil {
			load = "load_module " + module + ";\n"
			break
		}
	}
	return load + fmt.Sprintf(`daemon off;
master_process off;
pid %s;
error_log %s error;
events { worker_connections %s; }
stream {
    server {
        listen %s;
        proxy_pass %s;
        proxy_timeout 1h;
    }
}
`, filepath.Join(p.dir, "nginx.pid"), filepath.Join(p.dir, "error.log"), strconv.Itoa(2*p.connsMax+16), p.listen, p.backend)
}
