package failover

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// filed is a server with a configuration file that it may rewrite.
func filed(t *testing.T, name string, args ...string) *server {
	t.Helper()
	s := newServer(t, name, args...)
	s.file = filepath.Join(s.dir, "redis.conf")
	if err := os.WriteFile(s.file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// written reports whether the configuration file has that line.
func (s *server) written(line string) bool {
	s.t.Helper()
	text, err := os.ReadFile(s.file)
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.Contains("\n"+string(text), "\n"+line)
}

func (s *server) minReplicas() string {
	s.t.Helper()
	return fmt.Sprint(s.must("CONFIG", "GET", minReplicas))
}

// A lone new master with min-replicas-to-write would refuse every write. What is relaxed for it never reaches its file, and is set
// back by whichever process is there when the replica comes.
func TestMinReplicasIsRelaxedAndRestored(t *testing.T) {
	t.Parallel()
	strict := []string{"--min-replicas-to-write", "1", "--min-replicas-max-lag", "1"}
	a, b := filed(t, "redis1", strict...), filed(t, "redis2", strict...)
	a.Start()
	b.StartReplica(a)
	first := newRig(t, nil, a, b)
	first.awaitServing(a)
	first.awaitInSync(5*time.Second, b)
	strictly := b.minReplicas()
	a.Kill()
	first.awaitServing(b)
	b.must("SET", "k", "1")
	eventually(t, 5*time.Second, "rewritten as a master", func() bool { return b.written("port") && !b.written("replicaof") })
	if !b.written(minReplicas + " 1") {
		t.Errorf("the file of the lone master lacks its %s", minReplicas)
	}
	b.must("SET", "k", "2") // the rewriting left it relaxed
	if got := first.memory.last().Relaxed[b.name]; got != 1 {
		t.Errorf("recorded: got %d, want 1", got)
	}
	first.stop()

	second := newRigWith(t, first.memory, nil, a, b)
	second.awaitServing(b)
	if got := b.minReplicas(); got == strictly {
		t.Errorf("restored before a replica streams: %s", got)
	}
	a.Start()
	second.awaitInSync(10*time.Second, a)
	eventually(t, 5*time.Second, "restored", func() bool { return b.minReplicas() == strictly })
	eventually(t, 5*time.Second, "forgotten", func() bool { return len(second.memory.last().Relaxed) == 0 })
	if !b.written(minReplicas + " 1") {
		t.Errorf("the file lacks %s after the restoration", minReplicas)
	}
}
