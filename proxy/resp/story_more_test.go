package resp

var pubsubStories = map[string]string{
	"partly confirmed, then moved": `
		c: SUBSCRIBE a b c
		s: *3|$9|subscribe|$1|a|:1|
		cut: 1
		move: SUBSCRIBE a => SUBSCRIBE a b c
		s: *3|$9|subscribe|$1|a|:1|
		down: *3|$9|subscribe|$1|a|:1|
		cut: 1
		move: SUBSCRIBE a => SUBSCRIBE a b c
		s: *3|$9|subscribe|$1|a|:1|*3|$7|message|$1|a|$1|m|*3|$9|subscribe|$1|b|:2|
		s: *3|$9|subscribe|$1|c|:3|
		down: *3|$7|message|$1|a|$1|m|*3|$9|subscribe|$1|b|:2|*3|$9|subscribe|$1|c|:3|
		idle:`,
	"UNSUBSCRIBE of everything, partly confirmed": `
		c: SUBSCRIBE a b
		s: *3|$9|subscribe|$1|a|:1|*3|$9|subscribe|$1|b|:2|
		down: *3|$9|subscribe|$1|a|:1|*3|$9|subscribe|$1|b|:2|
		c: UNSUBSCRIBE
		s: *3|$11|unsubscribe|$1|b|:1|
		down: *3|$11|unsubscribe|$1|b|:1|
		cut: 1
		move: SUBSCRIBE a => UNSUBSCRIBE
		s: *3|$11|unsubscribe|$1|a|:0|
		down: *3|$11|unsubscribe|$1|a|:0|
		idle:
		cut: 1
		move: => `,
	"UNSUBSCRIBE without subscriptions": `
		c: UNSUBSCRIBE;GET a
		s: *3|$11|unsubscribe|$-1|:0|$1|x|
		down: *3|$11|unsubscribe|$-1|:0|$1|x|
		idle:`,
	"UNSUBSCRIBE of names, partly confirmed": `
		c: SUBSCRIBE a b
		s: *3|$9|subscribe|$1|a|:1|*3|$9|subscribe|$1|b|:2|
		c: UNSUBSCRIBE a b
		s: *3|$11|unsubscribe|$1|a|:1|
		cut: 1
		move: SUBSCRIBE b => UNSUBSCRIBE a b
		down: *3|$9|subscribe|$1|a|:1|*3|$9|subscribe|$1|b|:2|*3|$11|unsubscribe|$1|a|:1|
		s: *3|$11|unsubscribe|$1|a|:1|*3|$11|unsubscribe|$1|b|:0|
		down: *3|$11|unsubscribe|$1|b|:0|
		idle:`,
	"a list that looks like a message": `
		c: LRANGE l 0 -1;GET a
		s: *3|$7|message|$1|a|$1|b|$1|x|
		idle:`,
	"PING in subscribed mode": `
		c: SUBSCRIBE a;PING
		s: *3|$9|subscribe|$1|a|:1|*2|$4|pong|$0||
		idle:`,
	"SUBSCRIBE refused": `
		c: SUBSCRIBE a b;GET a
		s: -NOPERM x|$1|x|
		idle:`,
	"RESP3 pushes between replies": `
		c: HELLO 3;SUBSCRIBE a;GET k;PUBLISH a m
		s: %0|>3|$9|subscribe|$1|a|:1|>3|$7|message|$1|a|$1|m|$1|x|>3|$7|message|$1|a|$1|m|:1|
		down: %0|>3|$9|subscribe|$1|a|:1|>3|$7|message|$1|a|$1|m|$1|x|>3|$7|message|$1|a|$1|m|:1|
		idle:
		cut: 1
		move: HELLO 3;SUBSCRIBE a => `,
	"push to itself inside EXEC": `
		c: HELLO 3;SUBSCRIBE a;MULTI;SELECT 3;PUBLISH a m;SELECT 99;EXEC;GET k
		s: %0|>3|$9|subscribe|$1|a|:1|+OK|+QUEUED|+QUEUED|+QUEUED|
		s: *3|+OK|>3|$7|message|$1|a|$1|m|:1|-ERR range|$1|x|
		idle:
		cut: 1
		move: HELLO 3;SELECT 3;SUBSCRIBE a => `,
	"subscribed in a block, RESP2": `
		c: MULTI;SUBSCRIBE a b;UNSUBSCRIBE;SUBSCRIBE c;SELECT 2;EXEC
		s: +OK|+QUEUED|+QUEUED|+QUEUED|+QUEUED|
		s: *4|*3|$9|subscribe|$1|a|:1|*3|$9|subscribe|$1|b|:2|*3|$11|unsubscribe|$1|a|:1|
		s: *3|$11|unsubscribe|$1|b|:0|*3|$9|subscribe|$1|c|:1|+OK|
		idle:
		s: *3|$7|message|$1|c|$1|m|
		cut: 1
		move: SELECT 2;SUBSCRIBE c => `,
	"subscribed in a block, RESP3": `
		c: HELLO 3;MULTI;SUBSCRIBE a b;SELECT 2;EXEC;PING
		s: %0|+OK|+QUEUED|+QUEUED|
		s: *2|>3|$9|subscribe|$1|a|:1|>3|$9|subscribe|$1|b|:2|+OK|+PONG|
		idle:`,
	"HELLO 3 and SUBSCRIBE in a block": `
		c: MULTI;HELLO 3;SUBSCRIBE a;EXEC;PING
		s: +OK|+QUEUED|+QUEUED|*2|%1|+proto|:3|>3|$9|subscribe|$1|a|:1|+PONG|
		idle:
		cut: 1
		move: HELLO 3;SUBSCRIBE a => `,
	"a SUBSCRIBE too large to be understood": `
		big: SUBSCRIBE
		up:
		down: -ERR this command is too large for the proxy, which takes up to 64 KiB of it|`,
	"a password too large to be kept": `
		big: AUTH u
		up:
		down: -ERR this command is too large for the proxy, which takes up to 64 KiB of it|`,
	"cache of a client": `
		c: HELLO 3;CLIENT TRACKING ON OPTIN;CLIENT CACHING YES
		s: %0|+OK|+OK|
		down: %0|+OK|+OK|
		cut: 1
		move: HELLO 3;CLIENT TRACKING ON OPTIN;CLIENT CACHING YES =>
		down: >2|$10|invalidate|_|
		c: GET a
		s: $1|x|
		cut: 1
		move: HELLO 3;CLIENT TRACKING ON OPTIN => `,
	"a choice about the cache stands while the client asks about itself": `
		c: HELLO 3;CLIENT TRACKING ON OPTIN;CLIENT CACHING YES;CLIENT GETNAME;GET a
		s: %0|+OK|+OK|_|
		cut: 1
		move: HELLO 3;CLIENT TRACKING ON OPTIN;CLIENT CACHING YES => GET a
		s: $1|x|
		cut: 1
		move: HELLO 3;CLIENT TRACKING ON OPTIN =>`,
	"a choice about the cache goes with a write of unknown outcome": `
		c: HELLO 3;CLIENT TRACKING ON OPTOUT;CLIENT CACHING NO
		s: %0|+OK|+OK|
		c: SET a 1;GET b
		cut: 1
		down: %0|+OK|+OK|E2
		move: HELLO 3;CLIENT TRACKING ON OPTOUT => GET b`,
	"a choice about the cache goes with the write that it was sent with": `
		c: HELLO 3;CLIENT TRACKING ON OPTOUT
		s: %0|+OK|
		c: CLIENT CACHING NO;SET a 1;GET b;CLIENT CACHING NO;GET c
		cut: 1
		down: %0|+OK|+OK|E2
		move: HELLO 3;CLIENT TRACKING ON OPTOUT => GET b;CLIENT CACHING NO;GET c`,
	"a choice about the cache goes with what is given up": `
		c: HELLO 3;CLIENT TRACKING ON OPTOUT;CLIENT CACHING NO
		s: %0|+OK|+OK|
		c: GET b
		cut: 1
		giveup:
		down: %0|+OK|+OK|E1
		move: HELLO 3;CLIENT TRACKING ON OPTOUT =>`,
	"a choice about the cache that is made in a block ends with it": `
		c: HELLO 3;CLIENT TRACKING ON OPTOUT;MULTI;CLIENT CACHING NO;GET a;EXEC
		s: %0|+OK|+OK|+QUEUED|+QUEUED|*2|+OK|$1|x|
		cut: 1
		move: HELLO 3;CLIENT TRACKING ON OPTOUT =>`,
	"a choice about the cache counts for a block": `
		c: HELLO 3;CLIENT TRACKING ON OPTIN;CLIENT CACHING YES;MULTI;GET a
		s: %0|+OK|+OK|+OK|+QUEUED|
		cut: 1
		move: HELLO 3;CLIENT TRACKING ON OPTIN;CLIENT CACHING YES;MULTI;GET a =>`,
	"a cache that the server has not confirmed yet": `
		c: HELLO 3;CLIENT TRACKING ON;GET a
		s: %0|
		cut: 1
		down: %0|
		move: HELLO 3 => CLIENT TRACKING ON;GET a`,
	"of prefixes the last word decides": `
		c: HELLO 3;CLIENT TRACKING ON BCAST PREFIX a;CLIENT TRACKING ON BCAST PREFIX b NOLOOP;CLIENT TRACKING ON BCAST PREFIX a
		s: %0|+OK|+OK|+OK|
		cut: 1
		move: HELLO 3;CLIENT TRACKING ON BCAST PREFIX b NOLOOP;CLIENT TRACKING ON BCAST PREFIX a =>`,
	"prefixes add up": `
		c: HELLO 3;CLIENT TRACKING ON BCAST PREFIX a;CLIENT TRACKING ON BCAST PREFIX b
		s: %0|+OK|+OK|
		cut: 1
		move: HELLO 3;CLIENT TRACKING ON BCAST PREFIX a;CLIENT TRACKING ON BCAST PREFIX b =>
		c: CLIENT TRACKING OFF
		s: +OK|
		cut: 1
		move: HELLO 3 => `,
}

var quietStories = map[string]string{
	"OFF and ON": `
		c: GET a;CLIENT REPLY OFF;SET a 1;NOSUCH;CLIENT REPLY ON;GET b
		up: GET a;SET a 1;NOSUCH;GET b
		s: $1|x|+OK|-ERR unknown|$1|y|
		down: $1|x|+OK|$1|y|
		idle:`,
	"SKIP": `
		c: CLIENT REPLY SKIP;SET a 1;GET a
		s: +OK|$1|1|
		down: $1|1|`,
	"SKIP SKIP": `
		c: CLIENT REPLY SKIP;CLIENT REPLY SKIP;GET a;PING
		s: $1|1|+PONG|
		down: +PONG|`,
	"SKIP is used up by a command that the proxy answers": `
		c: CLIENT REPLY SKIP;SHUTDOWN;GET a
		s: $1|1|
		down: $1|1|`,
	"SKIP then ON": `
		c: CLIENT REPLY SKIP;CLIENT REPLY ON;PING
		s: +PONG|
		down: +OK|+PONG|`,
	"SKIP then RESET is silent, OFF then RESET is not": `
		c: CLIENT REPLY SKIP;RESET;PING;CLIENT REPLY OFF;CLIENT REPLY SKIP;RESET;PING
		s: +RESET|+PONG|+RESET|+PONG|
		down: +PONG|+RESET|+PONG|`,
	"confirmations are heard": `
		c: CLIENT REPLY OFF;SUBSCRIBE a
		s: *3|$9|subscribe|$1|a|:1|*3|$7|message|$1|a|$1|m|
		down: *3|$9|subscribe|$1|a|:1|*3|$7|message|$1|a|$1|m|`,
	"errors of CLIENT REPLY are the server's": `
		c: CLIENT REPLY MAYBE;CLIENT REPLY
		up: CLIENT REPLY MAYBE;CLIENT REPLY
		s: -ERR syntax|-ERR args|
		down: -ERR syntax|-ERR args|`,
	"a move in silence": `
		c: CLIENT REPLY OFF;INCR a;GET b
		cut: 1
		down:
		move: => GET b
		s: $1|x|
		c: CLIENT REPLY ON
		down: +OK|`,
	"QUIT in silence": `
		c: CLIENT REPLY OFF;QUIT
		down:`,
	"a block in silence": `
		c: CLIENT REPLY OFF;MULTI;SET a 1;EXEC;CLIENT REPLY ON
		s: +OK|+QUEUED|*1|+OK|
		down: +OK|`,
}

var heldStories = map[string]string{
	"given up": `
		c: SET a 1;GET b;QUIT
		cut: 1 200
		giveup:
		down: E1E1+OK|`,
	"writes that may have run are given up as unknown": `
		c: SET a 1;BLPOP q 0
		cut: 3
		giveup:
		down: E2E2`,
	"MULTI while nothing may be asked": `
		refusing:
		c: MULTI;SET a 1
		down: +OK|E1
		open:
		c: SET b 1;EXEC
		up:
		down: E1E3
		c: SET c 1
		up: SET c 1`,
	"a block given up in part": `
		c: MULTI;SET a 1
		cut: 1 100
		giveup:
		down: +OK|E1
		c: SET b 1;EXEC
		up:
		down: E1E3`,
	"a block given up with its EXEC": `
		c: MULTI;SET a 1;EXEC
		cut: 1 100
		giveup:
		down: +OK|E1E3
		c: SET b 1
		up: SET b 1`,
	"an open block given up, then the gate opens": `
		c: MULTI;SET a 1
		s: +OK|+QUEUED|
		cut: 1
		giveup:
		move: =>
		c: SET b 1;DISCARD;SET c 1
		up: SET c 1
		s: +OK|
		down: +OK|+QUEUED|E1+OK|+OK|`,
	"refusing with a backend that has the block": `
		c: MULTI;SET a 1
		s: +OK|+QUEUED|
		refusing:
		c: SET b 1;EXEC
		up: MULTI;SET a 1;DISCARD
		s: +OK|
		down: +OK|+QUEUED|E1E3
		idle:`,
	"a large command refused in a block": `
		c: MULTI;SET a 1
		s: +OK|+QUEUED|
		refusing:
		big: SET b
		open:
		c: EXEC
		up: MULTI;SET a 1;DISCARD`,
	"a watch ends with the EXEC that is given up": `
		c: WATCH k
		s: +OK|
		c: MULTI;SET k 1;EXEC
		cut: 1 100
		giveup:
		down: +OK|+OK|E1*-1|
		move: =>
		cut: 1
		c: MULTI;EXEC
		up: MULTI;EXEC`,
	"RESET ends a phantom": `
		refusing:
		c: MULTI
		open:
		c: RESET;SET a 1
		up: RESET;SET a 1`,
	"a half confirmed subscription is not given up": `
		c: SUBSCRIBE a b
		s: *3|$9|subscribe|$1|a|:1|
		down: *3|$9|subscribe|$1|a|:1|
		cut: 1
		giveup:
		down:
		move: SUBSCRIBE a => SUBSCRIBE a b`,
	"CLIENT REPLY works while nothing else does": `
		refusing:
		c: CLIENT REPLY OFF;GET a;CLIENT REPLY ON;GET a
		down: +OK|E1`,
}

var waitStories = map[string]string{
	"WAIT after a move": `
		c: SET a 1
		s: +OK|
		cut: 1
		move: =>
		c: GET a;XREAD COUNT 1 STREAMS s 0;WAIT 1 0;WAITAOF 1 0 0;SET b 1;WAIT 1 0
		up: GET a;XREAD COUNT 1 STREAMS s 0;SET b 1;WAIT 1 0
		s: $1|1|*-1|+OK|:1|
		down: +OK|$1|1|*-1|:0|*2|:0|:0|+OK|:1|`,
	"WAIT without a write": `
		c: GET a
		s: $-1|
		cut: 1
		move: =>
		c: WAIT 1 0
		up: WAIT 1 0`,
	"WAIT cut before it was sent": `
		c: SET a 1
		s: +OK|
		c: WAIT 1 0
		cut: 1 100
		down: +OK|:0|`,
	"WAIT behind a write that is sent again": `
		c: SET a 1;WAIT 1 0
		cut: 1 100
		move: => SET a 1;WAIT 1 0`,
	"WAIT cut": `
		c: SET a 1;WAIT 1 0
		cut: 1
		down: E2:0|`,
	"blocked for long": `
		c: BLPOP q 10
		wait: 4000
		cut: 1
		wait: 1500
		move: => BLPOP q 4.500
		wait: 10
		cut: 1
		down: E2`,
	"blocked for long twice": `
		c: BLPOP q 10
		wait: 4000
		cut: 1
		move: => BLPOP q 6.000
		wait: 7000
		cut: 1
		move: => BLPOP q 0.001`,
	"blocked for ever": `
		c: BRPOPLPUSH a b 0
		wait: 4000
		cut: 1
		move: => BRPOPLPUSH a b 0`,
	"blocked behind another": `
		c: GET a;BLPOP q 0
		wait: 4000
		cut: 1
		move: => GET a
		s: $1|x|
		down: $1|x|E2`,
	"just popped": `
		c: BLPOP q 10
		wait: 5
		cut: 1
		down: E2`,
	"XREAD": `
		c: XREAD BLOCK 5000 STREAMS block 0
		wait: 2000
		cut: 1
		move: => XREAD BLOCK 3000 STREAMS block 0`,
	"XREADGROUP with names that are words": `
		c: XREADGROUP GROUP block 7 COUNT 1 BLOCK 5000 STREAMS s >
		wait: 2000
		cut: 1
		move: => XREADGROUP GROUP block 7 COUNT 1 BLOCK 3000 STREAMS s >`,
	"XREADGROUP without BLOCK is a write": `
		c: XREADGROUP GROUP g c STREAMS s >
		wait: 2000
		cut: 1
		down: E2`,
	"BLMPOP": `
		c: BLMPOP 1.5 1 q LEFT
		wait: 500
		cut: 1
		move: => BLMPOP 1.000 1 q LEFT`,
}
