package conformance

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// namespaceEnv makes the test binary do what a suite does in its namespace.
const namespaceEnv = "HOLDFAST_TEST_NAMESPACE"

// insideNamespace uses loopback, and finds that the network has nothing else.
func insideNamespace() error {
	if err := raiseLoopback(); err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:6379")
	if err != nil {
		return err
	}
	defer ln.Close()
	c, err := net.Dial("tcp", ":6379")
	if err != nil {
		return err
	}
	defer c.Close()
	interfaces, err := net.Interfaces()
	if err != nil {
		return err
	}
	for _, i := range interfaces {
		if i.Flags&net.FlagUp != 0 && i.Flags&net.FlagLoopback == 0 {
			return fmt.Errorf("interface %s is up", i.Name)
		}
	}
	return nil
}

func TestNamespaceHasLoopbackAndNothingElse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0") // whatever listens out here is not in there
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), namespaceEnv+"=1")
	cmd.SysProcAttr = inNamespace()
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) {
		t.Skipf("this machine lets nobody make a network namespace: %v", err)
	}
	if err != nil {
		t.Fatalf("in the namespace: %v\n%s", err, out)
	}
}

func TestStandInReadsWhatSuitesPass(t *testing.T) {
	for name, c := range map[string]struct {
		args  []string
		stdin string
		want  serverArgs
	}{
		"redigo": {
			args: []string{"--port", "16379", "--bind", "127.0.0.1", "--save", "", "--enable-debug-command", "local"},
			want: serverArgs{port: 16379, rest: []string{"--save", "", "--enable-debug-command", "local"}},
		},
		"miniredis": {
			args: []string{"-"}, stdin: "port 7001\nbind 127.0.0.1\nappendonly no\nrequirepass secret",
			want: serverArgs{port: 7001, password: "secret", rest: []string{"--appendonly", "no", "--requirepass", "secret"}},
		},
		"miniredis with users": {
			args: []string{"-"}, stdin: "port 7001\nuser default on -@all +hello\nuser agent on +@all ~* >pw\n",
			want: serverArgs{port: 7001, user: "agent", password: "pw",
				rest: []string{"--user", "default", "on", "-@all", "+hello", "--user", "agent", "on", "+@all", "~*", ">pw"}},
		},
		"TLS":     {args: []string{"--tls-port", "7002"}, want: serverArgs{port: 6379, tls: true, rest: []string{"--tls-port", "7002"}}},
		"version": {args: []string{"--version"}, want: serverArgs{port: 6379, version: true}},
	} {
		got, err := parseServerArgs(c.args, bufio.NewReader(stringReader(c.stdin)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got.all = nil
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", c.want) {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
	if _, err := parseServerArgs([]string{"stray"}, stringReader("")); err == nil {
		t.Error("a value without a key was taken")
	}
}
