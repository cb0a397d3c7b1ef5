package resp

import (
	"fmt"
	"strings"
	"testing"
)

// A story is told in lines of "who: what":
//
//	c: requests of the client              s: bytes of the backend
//	up: expected at the backend            down: expected at the client
//	cut: policy unsent                     move: expected replay => expected requests sent again
//	wait: milliseconds   giveup: refusing: open: idle: big: command (with a value that is not kept)
func tell(t *testing.T, story string, deny ...string) {
	t.Helper()
	l := newLine(t, deny...)
	for i, step := range strings.Split(strings.TrimSpace(story), "\n") {
		step = strings.TrimSpace(step)
		who, what, _ := strings.Cut(step, ":")
		what = strings.TrimSpace(what)
		if t.Failed() {
			t.Fatalf("step %d", i)
		}
		t.Logf("%2d %s", i+1, step)
		tellStep(t, l, who, what)
	}
}

func tellStep(t *testing.T, l *line, who, what string) {
	t.Helper()
	texts := strings.NewReplacer("E1", tryAgainText, "E2", unknownText, "E3", abortText, "SPOILT", spoiltText,
		"DENIED", deniedText, "DEMOTED", readonlyText)
	switch who {
	case "c":
		l.send(what)
	case "big":
		l.sendBytes(encodeWords(nil, what, make([]byte, WholeMax+1)))
	case "s":
		l.reply(texts.Replace(what))
	case "up":
		l.wantUp(what)
	case "down":
		l.wantDown(texts.Replace(what))
	case "cut":
		policy, unsent := 0, 0
		if _, err := fmt.Sscan(what+" 0", &policy, &unsent); err != nil {
			t.Fatal(err)
		}
		l.cut(Policy(policy), unsent)
	case "clean":
		l.cutAs(RetryReads, 0, true)
	case "move":
		replay, again, _ := strings.Cut(what+" ", "=>")
		l.wantMove(strings.TrimSpace(replay), strings.TrimSpace(again))
	case "wait":
		var ms uint32
		fmt.Sscan(what, &ms)
		l.now += ms * TicksPerMs
	case "giveup":
		l.c.GiveUp()
		l.settle()
	case "refusing":
		l.refusing = true
	case "open":
		l.refusing = false
	case "idle":
		l.wantIdle()
	default:
		t.Fatalf("unknown step %q", who)
	}
}

var stories = map[string]string{
	"ordinary": `
		c: SET a 1;GET a
		up: SET a 1;GET a
		s: +OK|$1|1|
		down: +OK|$1|1|
		idle:`,
	"reply in pieces": `
		c: GET a;GET b
		s: $3|ab
		down:
		s: c|$-1|
		down: $3|abc|$-1|`,
	"session is made again, each thing confirmed": `
		c: AUTH u p;SELECT 3;CLIENT SETNAME w;CLIENT SETINFO LIB-NAME x;CLIENT NO-EVICT ON;SELECT 99;CLIENT NO-TOUCH ON
		s: +OK|+OK|+OK|-ERR unknown|+OK|-ERR range|+OK|
		down: +OK|+OK|+OK|-ERR unknown|+OK|-ERR range|+OK|
		cut: 1
		move: AUTH u p;SELECT 3;CLIENT SETNAME w;CLIENT NO-EVICT ON;CLIENT NO-TOUCH ON => `,
	"what is switched off again is not replayed": `
		c: SELECT 3;CLIENT SETNAME w;CLIENT NO-EVICT ON;CLIENT NO-EVICT OFF;SELECT 0
		s: +OK|+OK|+OK|+OK|+OK|
		cut: 1
		move: CLIENT SETNAME w => `,
	"HELLO with AUTH and SETNAME": `
		c: HELLO 3 AUTH u p SETNAME w
		s: %1|+proto|:3|
		cut: 1
		move: AUTH u p;HELLO 3;CLIENT SETNAME w => `,
	"failing HELLO and AUTH leave nothing": `
		c: HELLO 4;HELLO 3 AUTH u bad SETNAME w;AUTH bad
		s: -NOPROTO x|-WRONGPASS x|-WRONGPASS x|
		cut: 1
		move: => `,
	"a second failing AUTH keeps the first": `
		c: AUTH p;AUTH u bad
		s: +OK|-WRONGPASS x|
		cut: 1
		move: AUTH p => `,
	"RESET forgets everything": `
		c: AUTH p;SELECT 2;CLIENT SETNAME w;WATCH k;MULTI;RESET
		s: +OK|+OK|+OK|+OK|+OK|+RESET|
		cut: 1
		move: =>
		c: MULTI;SET a 1;EXEC
		up: MULTI;SET a 1;EXEC`,
	"RESET and a new block in one pipeline": `
		c: RESET;MULTI;SHUTDOWN;EXEC
		up: RESET;MULTI;DISCARD
		s: +RESET|+OK|+OK|
		down: +RESET|+OK|DENIEDSPOILT`,
	"unknown session commands are sent again": `
		c: SELECT 3;INCR a;GET b
		cut: 1
		down:
		move: => SELECT 3;GET b
		s: +OK|
		down: +OK|E2
		s: $-1|
		down: $-1|`,
	"writes behind an unknown write are not sent": `
		c: INCR a;INCR b;GET c
		cut: 1 37
		down: E2E1
		move: => GET c`,
	"a request that left in part was never executed": `
		c: INCR a
		cut: 1 1
		down:
		move: => INCR a`,
	"a clean end proves that nothing was executed": `
		c: BLPOP q 0;INCR a
		clean:
		move: => BLPOP q 0;INCR a`,
	"large write of unknown outcome is never called not executed": `
		big: SET k
		cut: 3
		down: E2`,
	"large write cut while it is sent": `
		big: SET k
		cut: 1 5
		down: E1`,
	"large read": `
		big: ECHO
		cut: 1
		down: E1`,
	"quit in a pipeline": `
		c: SET a 1;QUIT;SET b 2
		up: SET a 1
		down:
		s: +OK|
		down: +OK|+OK|`,
	"local answers keep their place": `
		c: GET a;SHUTDOWN;GET b;SHUTDOWN
		s: $1|x|
		down: $1|x|DENIED
		s: $1|y|
		down: $1|y|DENIED`,
	"server is full": `
		s: -ERR max number of clients reached|
		down: -ERR max number of clients reached|`,
}

var blockStories = map[string]string{
	"an open block is made again": `
		c: SELECT 1;MULTI;SET a 1
		s: +OK|+OK|+QUEUED|
		c: INCR b
		cut: 1
		move: SELECT 1;MULTI;SET a 1 => INCR b
		down: +OK|+OK|+QUEUED|
		s: +QUEUED|
		c: EXEC
		s: *2|+OK|:1|
		down: +QUEUED|*2|+OK|:1|
		cut: 1
		move: SELECT 1 => `,
	"EXEC in flight": `
		c: MULTI;SET a 1;EXEC
		s: +OK|
		cut: 1
		down: +OK|+QUEUED|E2
		move: => `,
	"the whole block in flight": `
		c: MULTI;SET a 1;EXEC;GET a
		cut: 1
		down: +OK|+QUEUED|E2
		move: => GET a`,
	"EXEC not sent": `
		c: MULTI;SET a 1;EXEC
		s: +OK|+QUEUED|
		cut: 1 3
		move: MULTI;SET a 1 => EXEC`,
	"a block of reads is repeated": `
		c: MULTI;GET a;EXEC
		s: +OK|
		cut: 1
		move: MULTI => GET a;EXEC`,
	"a block of reads under fail": `
		c: MULTI;GET a;EXEC
		cut: 0
		down: +OK|+QUEUED|E2`,
	"a repeated block is never called not executed": `
		c: MULTI;INCR a;EXEC
		cut: 3
		move: => MULTI;INCR a;EXEC
		cut: 3 50
		giveup:
		down: +OK|+QUEUED|E2`,
	"watched keys moved": `
		c: WATCH k
		s: +OK|
		cut: 1
		move: =>
		c: MULTI;SET k 1;EXEC
		up: MULTI;SET k 1;DISCARD
		s: +OK|+QUEUED|+OK|
		down: +OK|+OK|+QUEUED|*-1|
		c: MULTI;SET k 1;EXEC
		up: MULTI;SET k 1;EXEC`,
	"watched keys moved, RESP3": `
		c: HELLO 3;WATCH k;MULTI
		s: %0|+OK|+OK|
		cut: 1
		move: HELLO 3;MULTI =>
		c: EXEC
		s: +OK|
		down: %0|+OK|+OK|_|`,
	"watched, EXEC unsent": `
		c: WATCH k;MULTI;SET k 1;EXEC
		s: +OK|+OK|+QUEUED|
		cut: 1 3
		move: MULTI;SET k 1 => DISCARD
		s: +OK|
		down: +OK|+OK|+QUEUED|*-1|`,
	"watched, then unwatched": `
		c: WATCH k
		s: +OK|
		cut: 1
		move: =>
		c: UNWATCH;MULTI;SET k 1;EXEC
		up: UNWATCH;MULTI;SET k 1;EXEC`,
	"watched and moved twice": `
		c: WATCH k
		s: +OK|
		cut: 1
		move: =>
		cut: 1
		move: =>
		c: MULTI;EXEC
		up: MULTI;DISCARD`,
	"an EXEC that may have run ends the watch": `
		c: WATCH k
		s: +OK|
		c: MULTI;SET k 1;EXEC
		cut: 1
		down: +OK|+OK|+QUEUED|E2
		move: =>
		c: MULTI;EXEC
		up: MULTI;EXEC`,
	"denied in a block": `
		c: MULTI;SET a 1;SHUTDOWN;EXEC
		up: MULTI;SET a 1;DISCARD
		s: +OK|+QUEUED|+OK|
		down: +OK|+QUEUED|DENIEDSPOILT`,
	"denied in the second block of a pipeline": `
		c: MULTI;SET a 1;EXEC;MULTI;SHUTDOWN
		s: +OK|+QUEUED|*1|+OK|+OK|
		c: SET b 1;EXEC
		up: MULTI;SET a 1;EXEC;MULTI;SET b 1;DISCARD`,
	"denied in a block that is moved": `
		c: MULTI;SHUTDOWN;SET a 1
		s: +OK|+QUEUED|
		cut: 1
		move: MULTI;SET a 1 =>
		c: EXEC
		up: DISCARD
		s: +OK|
		down: +OK|DENIED+QUEUED|SPOILT`,
	"an EXEC answered in its stead ends the block": `
		c: MULTI;SHUTDOWN;EXEC;INCR n
		cut: 1
		down:
		move: => MULTI;DISCARD
		s: +OK|+OK|
		down: +OK|DENIEDSPOILTE2`,
	"MULTI refused by the server": `
		c: MULTI
		s: -NOAUTH x|
		c: SHUTDOWN;AUTH p;MULTI;SET a 1;EXEC
		up: MULTI;AUTH p;MULTI;SET a 1;EXEC`,
	"errors in a block": `
		c: MULTI;NOSUCH;SET a 1
		s: +OK|-ERR unknown|+QUEUED|
		cut: 1
		move: MULTI =>
		c: EXEC
		s: +OK|
		down: +OK|-ERR unknown|+QUEUED|E3`,
	"nested MULTI and WATCH do not abort": `
		c: MULTI;MULTI;WATCH k;SELECT 3;EXEC
		s: +OK|-ERR nested|-ERR watch|+QUEUED|*1|+OK|
		cut: 1
		move: SELECT 3 => `,
	"session commands in a block": `
		c: MULTI;SELECT 3;AUTH u bad;SELECT 99;CLIENT SETNAME w;EXEC
		s: +OK|+QUEUED|+QUEUED|+QUEUED|+QUEUED|*4|+OK|-WRONGPASS x|-ERR range|+OK|
		cut: 1
		move: SELECT 3;CLIENT SETNAME w => `,
	"session commands in an aborted block": `
		c: MULTI;SELECT 3;EXEC
		s: +OK|+QUEUED|-EXECABORT x|
		cut: 1
		move: => `,
	"HELLO 3 in a block": `
		c: MULTI;HELLO 3;EXEC
		s: +OK|+QUEUED|*1|%1|+proto|:3|
		cut: 1
		move: HELLO 3 => `,
	"a block behind an unknown write": `
		c: INCR a;MULTI;SET b 1;EXEC
		cut: 1 56
		down: E2
		move: => MULTI;SET b 1;DISCARD
		s: +OK|+QUEUED|+OK|
		down: +OK|+QUEUED|E3`,
	"a large command in a block": `
		c: MULTI
		s: +OK|
		big: SET k
		s: +QUEUED|
		cut: 1
		move: MULTI =>
		c: EXEC
		up: DISCARD`,
	"a large command in flight in a block": `
		c: MULTI
		s: +OK|
		big: SET k
		c: EXEC
		cut: 1 20
		down: +OK|E1
		move: MULTI => DISCARD`,
	"DISCARD with an argument does not end the block": `
		c: MULTI;DISCARD x
		s: +OK|-ERR wrong number|
		cut: 1
		move: MULTI => `,
	"MULTI and CLIENT REPLY": `
		c: MULTI;CLIENT REPLY OFF;EXEC
		up: MULTI;DISCARD`,
}

var refusalStories = map[string]string{
	"refused writes are sent again": `
		c: SET a 1;GET a;SET b 2
		s: DEMOTED$1|x|DEMOTED
		down:
		cut: 1
		move: => SET a 1;GET a;SET b 2
		s: +OK|$1|1|+OK|
		down: +OK|$1|1|+OK|`,
	"what was executed behind a refusal is not sent again": `
		c: SET a 1;SHUTDOWN;PUBLISH ch m;SET b 2
		s: DEMOTED:0|DEMOTED
		cut: 1
		move: => SET a 1
		s: +OK|
		down: +OK|DENIEDE2E1`,
	"subscriptions behind a refusal": `
		c: SET a 1;SUBSCRIBE x y;SET b 2;PUBLISH ch m
		s: DEMOTED*3|$9|subscribe|$1|x|:1|*3|$9|subscribe|$1|y|:2|DEMOTED:0|
		down:
		cut: 1
		move: => SET a 1;SUBSCRIBE x y`,
	"refused in a block": `
		c: MULTI;SET a 1;EXEC
		s: +OK|DEMOTED-EXECABORT Transaction discarded because of previous errors.|
		cut: 1
		move: MULTI => SET a 1;EXEC
		down: +OK|`,
	"refused EXEC": `
		c: MULTI;SET a 1;EXEC
		s: +OK|+QUEUED|-EXECABORT Transaction discarded because of: READONLY You can't write|
		cut: 1
		move: MULTI;SET a 1 => EXEC
		down: +OK|+QUEUED|`,
	"a script's error is final": `
		c: EVAL x 0
		s: -READONLY made up by a script|
		down: -READONLY made up by a script|`,
	"CLIENT UNBLOCK ERROR is an answer": `
		c: BLPOP q 0
		s: -UNBLOCKED client unblocked via CLIENT UNBLOCK|
		down: -UNBLOCKED client unblocked via CLIENT UNBLOCK|`,
	"a blocked command unblocked by demotion": `
		c: BLPOP q 0
		s: -UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)|
		down:
		cut: 1
		move: => BLPOP q 0`,
	"refused and given up": `
		c: SET a 1
		s: DEMOTED
		cut: 1
		giveup:
		down: E1`,
	"errors that are the client's": `
		c: SET a 1;SET a 1;SET a 1
		s: -OOM x|-MISCONF x|-NOREPLICAS x|
		down: -OOM x|-MISCONF x|-NOREPLICAS x|`,
}

func TestStories(t *testing.T) {
	for _, table := range []map[string]string{stories, blockStories, refusalStories, pubsubStories, quietStories, heldStories, waitStories} {
		for name, story := range table {
			t.Run(name, func(t *testing.T) { tell(t, story, "SHUTDOWN") })
		}
	}
}
