package health

import (
	"reflect"
	"testing"
)

const replicaText = "# Server\r\nredis_version:7.0.15\r\nrun_id:abc\r\n# Persistence\r\nloading:0\r\nasync_loading:0\r\n# Replication\r\n" +
	"role:slave\r\nmaster_host:10.0.0.1\r\nmaster_port:6379\r\nmaster_link_status:up\r\nmaster_last_io_seconds_ago:3\r\n" +
	"master_sync_in_progress:0\r\nslave_read_repl_offset:120\r\nslave_repl_offset:110\r\nslave_priority:50\r\nconnected_slaves:0\r\n" +
	"master_replid:L1\r\nmaster_replid2:0000000000000000000000000000000000000000\r\nmaster_repl_offset:110\r\nsecond_repl_offset:-1\r\n" +
	"# Keyspace\r\ndb0:keys=1,expires=0,avg_ttl=0\r\n"

const masterText = "run_id:m\nrole:master\nconnected_slaves:2\nslave0:ip=10.0.0.2,port=6379,state=online,offset=140,lag=1\n" +
	"slave1:ip=10.0.0.3,port=6380,state=wait_bgsave,offset=0,lag=0\nmin_slaves_good_slaves:1\nmaster_replid:L2\nmaster_replid2:L1\n" +
	"master_repl_offset:150\nsecond_repl_offset:111\nloading:1\n"

func TestParseInfo(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       Info
	}{
		{"empty", "", Info{Priority: 100, LastIO: -1}},
		{"replica", replicaText, Info{RunID: "abc", Role: "slave", ReplID: "L1", SecondOffset: -1, Offset: 110, ReadOffset: 120,
			AppliedOffset: 110, LinkUp: true, LastIO: 3, MasterHost: "10.0.0.1", MasterPort: 6379, Priority: 50, Keys: true}},
		{"master", masterText, Info{RunID: "m", Role: "master", ReplID: "L2", ReplID2: "L1", SecondOffset: 111, Offset: 150,
			Loading: true, LastIO: -1, Priority: 100, NeedsReplicas: true, Followers: []Follower{
				{Host: "10.0.0.2", Port: 6379, Online: true, Offset: 140, Lag: 1}, {Host: "10.0.0.3", Port: 6380}}}},
		{"rubbish", "role\nrole:\n:x\nslave:\nslaveX:1\ndb:1\nmaster_repl_offset:many\n", Info{Priority: 100, LastIO: -1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := ParseInfo(c.text); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestEndIsTheFurthestOffset(t *testing.T) {
	for _, c := range []struct {
		info Info
		want int64
	}{
		{Info{Role: "slave", ReadOffset: 120, AppliedOffset: 110, Offset: 110}, 120},
		{Info{Role: "slave", Offset: 90}, 90},
		{Info{Role: "master", Offset: 50, ReadOffset: 70}, 50},
	} {
		if got := c.info.End(); got != c.want {
			t.Errorf("%+v: got %d, want %d", c.info, got, c.want)
		}
	}
}

func TestSplitAddress(t *testing.T) {
	for _, c := range []struct {
		address, host string
		port          int
	}{
		{"10.0.0.1:6379", "10.0.0.1", 6379}, {"[::1]:7001", "::1", 7001}, {"unix:/run/redis.sock", "", 0}, {"nonsense", "nonsense", 0},
	} {
		if host, port := splitAddress(c.address); host != c.host || port != c.port {
			t.Errorf("%s: got %q %d, want %q %d", c.address, host, port, c.host, c.port)
		}
	}
}

// FuzzParseInfo: whatever a server sends, parsing ends and keeps its promises.
func FuzzParseInfo(f *testing.F) {
	f.Add(replicaText)
	f.Add(masterText)
	f.Add("slave0:ip=,port=,state=\ndb0:\nmaster_replid2:0")
	f.Fuzz(func(t *testing.T, text string) {
		info := ParseInfo(text)
		if info.ReplID2 == "0000000000000000000000000000000000000000" {
			t.Errorf("an id of zeros was kept")
		}
		if info.IsMaster() && info.IsReplica() {
			t.Errorf("two roles: %+v", info)
		}
		if len(info.Followers) > len(text) {
			t.Errorf("more followers than text")
		}
	})
}
