package main

import (
	"strings"
	"testing"

	"holdfast/configs"
	"holdfast/proxy/resp"
)

// fateOf is what a pool with this deny list does with a request of a client.
func fateOf(t *testing.T, deny []string, request string) (resp.Act, resp.Answer) {
	t.Helper()
	care, unknown := resp.NewCare(deny)
	if len(unknown) > 0 {
		t.Fatalf("unknown commands %v", unknown)
	}
	words := strings.Fields(request)
	var sub []byte
	if len(words) > 1 {
		sub = []byte(words[1])
	}
	cmd := resp.Lookup([]byte(words[0]), sub)
	var c resp.Conv
	if c.Forward(care, cmd) {
		return resp.ActForward, resp.AnswerNone
	}
	return c.Admit(care, cmd, []byte(request+"\r\n"))
}

// What would change roles, stop or blind a server, or change what is not replicated is refused unless the pool says otherwise.
func TestDefaultDenyList(t *testing.T) {
	denied := []string{
		"REPLICAOF NO ONE", "replicaof 10.0.0.1 6379", "SLAVEOF NO ONE", "FAILOVER", "FAILOVER ABORT", "SHUTDOWN", "SHUTDOWN NOSAVE",
		"DEBUG SLEEP 100", "DEBUG SEGFAULT", "CLUSTER RESET", "CLUSTER FAILOVER", "CLUSTER NOSUCH", "CLUSTER",
		"PSYNC ? -1", "SYNC", "REPLCONF ACK 1", "MODULE LOAD /x.so", "MODULE LOADEX /x.so", "MODULE UNLOAD x", "CONFIG REWRITE",
		"CLIENT PAUSE 100000", "Client Pause 1 WRITE", "CLIENT UNPAUSE", "CLIENT KILL TYPE normal", "CLIENT KILL ID 3", "CLIENT KILL 10.0.0.1:1",
		"ACL SETUSER x on", "ACL DELUSER x", "ACL LOAD", "ACL SAVE",
	}
	for _, request := range denied {
		if act, answer := fateOf(t, configs.DefaultDeny(), request); act != resp.ActLocal || answer != resp.AnswerDenied {
			t.Errorf("%s: got %d %d, want it denied", request, act, answer)
		}
	}
	allowed := []string{
		"CONFIG GET maxmemory", "CONFIG SET maxmemory 1gb", "CONFIG RESETSTAT", "CLIENT LIST", "CLIENT ID", "CLIENT UNBLOCK 3", "CLIENT GETNAME",
		"ACL WHOAMI", "ACL LIST", "ACL CAT", "MODULE LIST", "MEMORY USAGE k", "SAVE", "BGSAVE", "ROLE", "INFO", "WAIT 1 0", "FLUSHALL", "MONITOR",
		"SCRIPT LOAD x", "SCRIPT FLUSH", "FUNCTION LOAD x", "SWAPDB 0 1", "OBJECT HELP", "LATENCY RESET", "SLOWLOG RESET", "NOSUCH",
	}
	for _, request := range allowed {
		if _, answer := fateOf(t, configs.DefaultDeny(), request); answer != resp.AnswerNone {
			t.Errorf("%s: got answer %d, want it forwarded", request, answer)
		}
	}
}

// deny = [] lets everything through: no command of any server is answered in its stead, but those by which a client and
// the proxy agree on their own connection.
func TestEmptyDenyListDeniesNothing(t *testing.T) {
	own := map[string]bool{"quit": true, "client|capa": true}
	n := 0
	for cmd := resp.Command(1); cmd.String() != "unknown"; cmd++ {
		request := strings.ReplaceAll(cmd.String(), "|", " ") + " a b c"
		act, answer := fateOf(t, []string{}, request)
		if passes := act == resp.ActForward || act == resp.ActOpaque; !passes && !own[cmd.String()] {
			t.Errorf("%s: got %d %d, want it forwarded", request, act, answer)
		}
		n++
	}
	if n < 351 {
		t.Errorf("looked at %d commands, a 7.0 server has 351", n)
	}
}
