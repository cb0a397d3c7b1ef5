package resp

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	protocolDoc = "../../docs/protocol.md"
	// rewriteEnv makes the test write the page instead of comparing it.
	rewriteEnv = "HOLDFAST_REWRITE"
)

// The page that tells users what happens to each command is rendered from the table by which it happens.
func TestProtocolDocument(t *testing.T) {
	want := renderProtocol()
	if os.Getenv(rewriteEnv) != "" {
		if err := os.WriteFile(protocolDoc, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(protocolDoc)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("docs/protocol.md is not what the code says; %s=1 go test ./proxy/resp -run %s writes it", rewriteEnv, t.Name())
	}
}

// Each row of the page names what proves it, and that is there.
func TestProtocolDocumentIsProven(t *testing.T) {
	known := map[string]bool{}
	for _, folder := range []string{".", "..", "../../cmd/holdfast", "../../health/failover"} {
		files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d test files, %v", folder, len(files), err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllSubmatch(text, -1) {
				known[string(m[1])] = true
			}
		}
	}
	for _, rows := range [][]string{storyNames(), rowNames()} {
		for _, name := range rows {
			known[`"`+name+`"`] = true
		}
	}
	for _, rows := range [][]row{sessionRows, framingRows, cutRows} {
		for _, r := range rows {
			for _, proof := range proofs(r.proof) {
				if !known[proof] {
					t.Errorf("%s: there is no test %s", r.what, proof)
				}
			}
		}
	}
}

func proofs(text string) []string { return regexp.MustCompile(`"[^"]+"|\w+`).FindAllString(text, -1) }

func storyNames() (names []string) {
	all := []map[string]string{stories, blockStories, refusalStories, pubsubStories, quietStories, heldStories, waitStories}
	for _, stories := range all {
		for name := range stories {
			names = append(names, name)
		}
	}
	return names
}

func rowNames() (names []string) {
	for _, r := range requestRows {
		names = append(names, r.name)
	}
	for _, r := range replyRows {
		names = append(names, r.name)
	}
	for _, r := range expectRows {
		names = append(names, r.name)
	}
	return names
}

func renderProtocol() string {
	var b strings.Builder
	b.WriteString(protocolHead)
	b.WriteString("## 1. A request that was unanswered when its master was lost\n\n" +
		"| what is known of it | then | proven by |\n| --- | --- | --- |\n")
	renderRows(&b, cutRows)
	b.WriteString("\nThe policy is `in_flight` of `[pool.policy]`; \"again\" means sent to the next master, E2 is the answer " +
		"`-UNKNOWNRESULT`.\n\n")
	renderPolicies(&b)
	b.WriteString("\n## 2. The commands of each class\n\nA command of a container is written with its subcommand. Conditional " +
		"commands take the class that their\narguments give them: a plain `SET` is write-same, `SET` with NX, XX, GET or KEEPTTL " +
		"write-once, `SORT` without STORE a read.\n")
	renderCommands(&b)
	b.WriteString("\n## 3. What a connection has asked for\n\nState is committed by the server's reply, never by the request. A move " +
		"is a failover, a switchover, or a connection that\nthe server has closed.\n\n" +
		"| what | at a move | proven by |\n| --- | --- | --- |\n")
	renderRows(&b, sessionRows)
	b.WriteString("\n## 4. Bytes\n\nHoldfast is stricter than the server where the server is lax, and never different.\n\n" +
		"| what | then | proven by |\n| --- | --- | --- |\n")
	renderRows(&b, framingRows)
	b.WriteString("\n## 5. What Holdfast says itself\n\n| answer |\n| --- |\n")
	for a := AnswerUnknown; a < answerCount; a++ {
		if text := strings.TrimSpace(strings.ReplaceAll(a.Text(2), "\r\n", " ")); strings.HasPrefix(text, "-") {
			fmt.Fprintf(&b, "| `%s` |\n", text)
		}
	}
	fmt.Fprintf(&b, protocolTail, WholeMax>>10, queueBytesMax>>10, queueCommandsMax, flightEntriesMax, flightBytesMax>>20,
		blockedAfter/TicksPerMs)
	return b.String()
}

func renderRows(b *strings.Builder, rows []row) {
	for _, r := range rows {
		fmt.Fprintf(b, "| %s | %s | %s |\n", r.what, r.then, strings.Join(proofs(r.proof), ", "))
	}
}

// renderPolicies asks the rule itself what it does.
func renderPolicies(b *strings.Builder) {
	b.WriteString("| class | is | `fail` | `retry-reads` | `retry-idempotent` | `retry-all` |\n| --- | --- | --- | --- | --- | --- |\n")
	for class := ClassUnknown; class <= Opaque; class++ {
		fmt.Fprintf(b, "| %v | %s |", class, classMeaning[class])
		for policy := Fail; policy <= RetryAll; policy++ {
			k := cutter{policy: policy}
			outcome := "E2"
			switch {
			case class == Wait:
				outcome = "`0`"
			case class == Opaque:
				outcome = "closed"
			case class == Conditional:
				outcome = "-"
			case k.mayRepeat(class):
				outcome = "again"
			case class == BlockWrite && policy >= RetryReads:
				outcome = "again if it waited"
			}
			fmt.Fprintf(b, " %s |", outcome)
		}
		b.WriteString("\n")
	}
}

var classMeaning = [...]string{
	ClassUnknown: "neither we nor the server's `COMMAND` can say", Read: "changes nothing", ReadLocal: "asks the node about itself",
	WriteSame: "twice: same data, same reply", WriteState: "twice: same data, perhaps another reply",
	WriteOnce: "must not run twice", Conditional: "its arguments decide", Script: "runs code",
	BlockWrite: "waits for data and takes it", BlockRead: "waits for data and leaves it",
	Wait: "asks about the connection's last write", SessionState: "changes the connection",
	Control: "acts on the node", Opaque: "ends framing",
}

func renderCommands(b *strings.Builder) {
	byClass := map[Class][]string{}
	for c := Command(1); int(c) < commandCount; c++ {
		s := c.Spec()
		if s.Flags&container != 0 || strings.Contains(s.Name, " ") || strings.HasSuffix(s.Name, ":") || s.Name == "post" {
			continue
		}
		byClass[s.Class] = append(byClass[s.Class], strings.ToUpper(strings.ReplaceAll(s.Name, "|", " ")))
	}
	for class := Read; class <= Opaque; class++ {
		names := byClass[class]
		slices.Sort(names)
		fmt.Fprintf(b, "\n**%v** (%d):", class, len(names))
		column := 0
		for i, name := range names {
			if column += len(name) + 4; i == 0 || column > 120 {
				b.WriteString("\n")
				column = len(name) + 4
			} else {
				b.WriteString(" ")
			}
			fmt.Fprintf(b, "`%s`", name)
			if i < len(names)-1 {
				b.WriteString(",")
			}
		}
		b.WriteString("\n")
	}
}

const protocolHead = `# Protocol: what happens to each command at a failover

For those who write clients of a pool. The page is rendered from the table in the code, and a test compares the two; proofs are names
of tests, or, in quotes, of rows and stories in the tests of proxy/resp.

Connections stay open. A pause is all that is seen of a failover, unless one of the answers of part 5 is given. Which requests get which
is decided by what is known of the request, by its class, and by the policy of the pool.

`

const protocolTail = `
And these, which a server could have given: a null for EXEC whose watched keys were moved, ` + "`:0`" + ` for WAIT after a move and
for CLIENT UNBLOCK of who is not there, the texts of part 4 for broken requests, ` + "`-ERR max number of clients reached`" + `.

TRYAGAIN is retried by several libraries and costs no connection. UNKNOWNRESULT begins with no word that any library retries.

## 6. Limits

| limit | is |
| --- | --- |
| a request that is kept, to be sent again | %d KiB |
| an open block that is kept | %d KiB, %d commands |
| unanswered requests of a connection | %d, %d MiB of them kept; beyond it the client is not read |
| a command that waits for data is taken for waiting | after %d ms |
| scripts that are remembered | 1,000 and 4 MiB a pool, each up to 64 KiB |

## 7. What is not done

- ` + "`CLIENT LIST`" + ` shows the server's ids of clients that have never seen their own, and of all in a reply above 64 KiB.
- Scripts above 64 KiB are not made known to replicas: requests of that size cross Holdfast without being looked at, the largest
  without entering its memory, and no server gives a script back. After a failover EVALSHA of one gets NOSCRIPT.
- ` + "`XREAD BLOCK` with `$`" + ` over a move: where the stream ended when the server took the request is known to it alone, and
  asking for it before each such request would cost every client a round trip. Entries that are added before the request is sent
  again are skipped.
- ` + "`CLIENT KILL`" + ` by address, user or type ends the server's connections; Holdfast makes them again, as after any loss.
- WAIT inside a block after a move counts the replicas of nothing.
- In a reply of EXEC larger than 64 KiB, ids are the server's.
- ACL rules that forbid ` + "`CLIENT REPLY`" + ` are not enforced.
- ` + "`rename-command`" + ` of a server hides what a command does: the new name is a command that nobody knows.
- Commands of modules are known by the server's description of them, which is asked for once a mastership: what is loaded later is unknown
  until the next. Tried by hand with a module of four commands, and not with Valkey nor with Redis above 7.0.15.
`
