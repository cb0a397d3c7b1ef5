package resp

// row is one line of docs/protocol.md: what a client does, what it meets, and what proves it. A proof is a test of this
// repository, or the name of a story or a row of a table in this package, in quotes.
type row struct{ what, then, proof string }

// sessionRows: what a connection has asked for and the server has confirmed, and what becomes of it on the next master.
var sessionRows = []row{
	{"`AUTH`, `HELLO n AUTH u p`", "made again, first and alone in its round trip; a login that failed is not. If the next " +
		"master refuses it, nothing is forwarded " +
		"and the connection is closed (`replay-refused`). Users are not replicated: keep them equal on all nodes",
		"TestLoginIsRepeatedOnTheNewMaster TestRefusedLoginClosesTheClient"},
	{"`AUTH` or `HELLO` in a pipeline", "sent when everything before it was answered, because newer servers do not answer a " +
		"failing login behind other replies",
		"TestLoginIsSentAlone TestLoginsInAPipeline"},
	{"`HELLO 2`, `HELLO 3`", "made again; also when it was queued in a block", "\"HELLO with AUTH and SETNAME\" \"HELLO 3 in a " +
		"block\""},
	{"`SELECT`", "made again; committed by its reply, so that `SELECT 99` changes nothing", "\"session is made again, each " +
		"thing confirmed\" TestSessionSurvivesTheMaster"},
	{"`CLIENT SETNAME`, `SETINFO`, `NO-EVICT`, `NO-TOUCH`, `IMPORT-SOURCE`, `MAINT_NOTIFICATIONS`",
		"made again if it succeeded, forgotten when switched off",
		"\"session is made again, each thing confirmed\" \"what is switched off again is not replayed\""},
	{"`CLIENT REPLY OFF`, `SKIP`, `ON`", "obeyed by the proxy; the server answers everything and the answer is dropped, so " +
		"nothing has to be guessed. Refused between MULTI and EXEC",
		"\"OFF and ON\" \"SKIP\" \"a move in silence\" \"MULTI and CLIENT REPLY\" TestSameAsWithoutProxy"},
	{"`CLIENT CAPA`", "refused as an unknown subcommand: a server that redirects would lead the client past the proxy",
		"TestSameAsWithoutProxy"},
	{"`CLIENT TRACKING ON` (with `OPTIN`, `OPTOUT`, `NOLOOP`, `BCAST`, `PREFIX`)", "made again, and the client is told to " +
		"forget its whole cache: `>2 invalidate _`. It hears so at the cut, when it is served again, and once more half a second later",
		"TestCacheIsFlushedAfterAMove TestCachesForgetBeforeTheNextMaster TestCacheForgetsOnceMore \"cache of a client\" " +
			"\"prefixes add up\" \"of prefixes the last word decides\""},
	{"`CLIENT TRACKING ON REDIRECT id`", "with an id that `CLIENT ID` or `HELLO` gave through this Holdfast: made again after " +
		"its receiver was moved, and when the receiver " +
		"alone was connected again; the receiver is told to forget everything. With any other id, or without its receiver: closed " +
		"(`replay-refused`)",
		"TestRedirectedCacheMoves TestReceiverMovesBeforeItsSenders TestReceiverAloneLosesItsConnection TestSilentReceiverMoves " +
			"TestRedirectionToAClientThatIsGone TestRedirectedTrackingCannotBeMoved"},
	{"`CLIENT CACHING YES`, `NO`", "made again if the command that it counts for has not come, or is sent again; forgotten if that is " +
		"answered instead", "\"cache of a client\" \"a choice about the cache goes with a write of unknown outcome\" " +
		"\"a choice about the cache goes with what is given up\" TestChoicesAboutTheCacheMove"},
	{"`CLIENT ID`, `HELLO`, `CLIENT INFO`, `CLIENT GETREDIR`, `CLIENT TRACKINGINFO`", "show an id that Holdfast makes, above 2^52 " +
		"and below 2^53. It lasts as long as the client's connection",
		"TestClientIDsLast TestListsShowTheIDsThatClientsKnow"},
	{"`CLIENT LIST`", "shows the same ids, also as `redir=`, of all clients of the pool that have seen their own (by `CLIENT ID`, " +
		"`HELLO` or `CLIENT INFO`). Of the others, and in a reply above 64 KiB (some 200 clients) of all, it shows those of the server",
		"TestListsShowTheIDsThatClientsKnow TestListBeyondTheBoundPasses"},
	{"`CLIENT UNBLOCK id`, `CLIENT KILL ID id`", "ids of Holdfast are translated, and name nobody when that client is not at " +
		"the same server (`:0`). Ids that a server gave out are passed on until " +
		"the first failover of a pool and refused from then on: they count somebody else. Who is killed by id is closed (`killed`)",
		"TestUnblockByID TestServersIDsAreRefusedAfterAMove TestKilledByIDIsClosed"},
	{"`MULTI`, queued commands", "up to 64 KiB and 256 commands are queued again; a larger block is answered `-EXECABORT` at " +
		"its EXEC", "TestOpenBlockMoves \"an open block is made again\" \"a large command in a block\""},
	{"`WATCH`", "cannot be moved: the next EXEC is answered null, as if a watched key had changed",
		"TestWatchedTransactionIsNotExecutedAfterAMove \"watched keys moved\" \"watched and moved twice\""},
	{"`EXEC` in flight", "all or nothing: `-UNKNOWNRESULT`, unless the policy allows every command of the block to run twice " +
		"(blocks of reads: by default)",
		"\"EXEC in flight\" \"a block of reads is repeated\" \"refused EXEC\""},
	{"`SUBSCRIBE`, `PSUBSCRIBE`, `SSUBSCRIBE`", "made again, listeners before all others; confirmations that the client has " +
		"seen are swallowed, messages between them are not. Each publisher is heard in order and " +
		"nothing twice. What is published while nobody listens is lost; the status counts these gaps. Before a planned change " +
		"everything that a server handed out is delivered",
		"TestMessagesStayInOrderOverFailovers TestKilledConnectionIsMadeAgain \"partly confirmed, then moved\""},
	{"keyspace notifications", "the subscription is made again, but `notify-keyspace-events` is a setting of the node and not " +
		"replicated: set it on all nodes. Replicas that differ from their master are named in events and status",
		"TestReplicaThatDiffersFromItsMaster"},
	{"`MONITOR`", "its replies cannot be told from others: bytes are passed unseen, and the connection is closed at a move " +
		"(`opaque`)", "TestMonitorGivesFramingUp"},
	{"`BLPOP` and all that wait for data", "waits on at the next master for what is left of its time. If it was the oldest " +
		"unanswered request for less than 50 ms, it may just have been answered: `-UNKNOWNRESULT`. " +
		"In a planned change it is taken back, which is proof that nothing was popped", "TestCommandThatWaitsForDataMoves " +
		"TestQuietIncludesWhatWaitsForData \"blocked for long\" \"just popped\""},
	{"`XREAD BLOCK` with ids", "asked again with the remaining time: exact", "\"XREAD\""},
	{"`XREAD BLOCK $`", "asked again; `$` is the end of the stream at that time, so that entries added in the gap are skipped. " +
		"Use the last id that was read", "\"XREAD\""},
	{"`XREADGROUP`", "as BLPOP; an entry whose delivery was lost is in the pending list and found by XAUTOCLAIM",
		"\"XREADGROUP with names that are words\" \"XREADGROUP without BLOCK is a write\""},
	{"`WAIT`, `WAITAOF`", "after a move answered `0` until the client has written again: the next master cannot know the last " +
		"write on the lost one. Not looked at inside a block",
		"TestWaitConfirmsNothingAfterAMove \"WAIT after a move\" \"WAIT cut\" \"WAIT behind a write that is sent again\""},
	{"`SCRIPT LOAD`, `EVAL`, then `EVALSHA`", "scripts up to 64 KiB, 1,000 and 4 MiB a pool, are made known to the replicas at " +
		"once, to a restarted one within a second or two, and once more before a promotion, so " +
		"that EVALSHA goes on. `SCRIPT FLUSH` makes the proxy forget them. The user of `[pool.check]` needs `+script|load " +
		"+script|exists`", "TestScriptsSurviveTheMaster TestScriptsAreMadeKnownToReplicas TestScriptBookIsBounded"},
	{"`FUNCTION LOAD`, `FCALL`", "functions are replicated by the server", ""},
	{"`SCAN`, `HSCAN`, `SSCAN`, `ZSCAN`", "a cursor means nothing to another server. `scan_cursors = \"pass\"`: passed on, keys " +
		"may be missed. `\"refuse\"`: answered with an error after a failover, on every connection",
		"TestCursorsAreRefusedAfterAFailover TestCursorsOfLargePagesAndOfCutScans TestCursorsArePassed"},
	{"`CONFIG SET`, `SLOWLOG RESET`, `LATENCY RESET`, `SCRIPT DEBUG`", "belong to the node, are not replicated and not repeated", ""},
	{"`READONLY`, `READWRITE`, `ASKING`", "errors of a server without cluster, passed on", "TestSameAsWithoutProxy"},
	{"`SYNC`, `PSYNC`, `REPLCONF`", "denied by default; otherwise bytes are passed unseen, and the connection is closed at a " +
		"move", "TestOpaqueCommands TestDefaultDenyList"},
	{"`RESET`", "forgets all of the above, but the id", "\"RESET forgets everything\" TestClientIDsLast"},
	{"`QUIT`", "answered in its turn; what is behind it is not executed", "TestQuitIsAnsweredInItsTurn"},
	{"`SHUTDOWN`, if allowed", "the server ends without an answer: `-UNKNOWNRESULT`", "TestShutdownThatIsAllowed"},
	{"a command that nobody knows", "its class is that of a write. What the server's own `COMMAND` calls readonly is a read. If " +
		"it is neither a read nor a write, names no keys and succeeds, the connection is " +
		"counted (`unknown_state`), named once in the log, and moved or closed (`state-unknown`) as `unknown_state` says",
		"TestUnknownStateIsMovedOrClosed TestForeignReadsAreAskedAgain TestUnknownCommandsAreNoticed " +
			"TestCommandsOfTheMasterAreLearned"},
}

// framingRows: bytes of clients. The tables they name hold the bytes themselves.
var framingRows = []row{
	{"`*N` and `N` strings", "up to 1,048,576 arguments of up to 512 MiB", "\"multibulk\" \"too many arguments\" \"length " +
		"beyond the limit\" TestServerAgrees"},
	{"`*0`, `*-1`, an empty line", "ignored, not counted", "\"no arguments\" \"null\" \"empty line\""},
	{"inline commands, quotes, a bare line feed", "executed; up to 64 KiB", "\"inline\" \"inline quotes\" \"inline " +
		"longest\" \"inline too long\""},
	{"any other first byte", "an inline command, as at the server", "\"dollar first\" \"percent first\" \"plus first\""},
	{"NUL in an inline command", "refused; the server would wait for ever", "\"inline NUL\""},
	{"no line end behind an argument", "refused; the server would skip two bytes unseen",
		"\"argument without line end\" \"large, bad line end\""},
	{"a carriage return without line feed, or the reverse", "refused", "\"carriage return and something\" \"line feed only\""},
	{"`*+1`, `*01`, `* 1`, `$04`, `$-1`, `:1`", "refused with the server's text", "\"plus in count\" \"zero before " +
		"count\" \"space before count\" \"zero before length\" \"null argument\" \"integer argument\""},
	{"`POST`, `Host:`, HTTP, TLS", "closed without a word", "\"POST\" \"Host\" \"GET over HTTP\" \"TLS\""},
	{"a broken request behind good ones", "all that was asked before is answered first", "TestBrokenProtocolIsAnsweredLast"},
	{"end of the client's stream", "everything asked is executed and answered, then the connection ends",
		"TestHalfClosedClientGetsEveryReply TestLastWordsAreExecuted"},
	{"replies of all types of RESP2 and RESP3", "framed, also in pieces of one byte", "TestReplyRows FuzzReply"},
	{"attributes, pushes at any depth", "no elements, and passed on", "\"attribute before the reply\" \"trap 5: push deep inside\""},
	{"streamed types", "no server sends them: the connection is closed (`backend-error`)", "\"streamed string\" \"streamed array\""},
	{"trap 1: `CLIENT REPLY OFF` in a block", "refused", "\"trap 1: CLIENT REPLY OFF in MULTI\" \"MULTI and CLIENT REPLY\""},
	{"trap 2: `CLIENT REPLY SKIP` in a block", "refused", "\"trap 2: CLIENT REPLY SKIP in MULTI\""},
	{"trap 3: `SUBSCRIBE a b c` in a block", "EXEC's reply has more frames than its header says, in RESP3 fewer: counted",
		"\"trap 3: SUBSCRIBE a b c in MULTI\" \"subscribed in a block, RESP2\" \"subscribed in a block, RESP3\""},
	{"trap 4: `HELLO`, `SELECT`, `AUTH`, `RESET` in a block", "committed by their own elements of EXEC's reply",
		"\"HELLO 3 in a block\" \"session commands in a block\" \"session commands in an aborted block\""},
	{"trap 5: a message to oneself inside EXEC", "passed over when elements are counted",
		"\"push to itself inside EXEC\" \"trap 5: own message inside EXEC\""},
	{"trap 6: invalidations around EXEC", "passed on", "\"trap 6: invalidation behind EXEC\" TestServerTraps"},
	{"trap 7: redirected invalidation in RESP2", "a message", "\"trap 7: redirected invalidation\" \"trap 7: redirected flush\" " +
		"TestRedirectedCacheMoves"},
	{"trap 8: null of a time-out", "`*-1` or `_`", "\"trap 8: timeout\" \"trap 8: timeout in RESP3\" TestSameAsWithoutProxy"},
	{"trap 9: `BLPOP`, `WAIT`, `MONITOR` in a block", "do not wait; the server's error", "\"trap 9: MONITOR in MULTI\" " +
		"TestServerTraps"},
	{"trap 10: headers at the edge of a buffer, contents that look like requests, depth", "any depth, one counter",
		"\"trap 10: content looks like a request\" \"trap 10: depth 100000\" \"trap 10: many strings\""},
	{"one frame for each channel of `SUBSCRIBE`", "counted; without channels, one for each subscription",
		"\"UNSUBSCRIBE of everything, partly confirmed\" \"UNSUBSCRIBE without subscriptions\" TestSameAsWithoutProxy"},
	{"commands in subscribed mode", "the server's own answers", "\"PING in subscribed mode\" TestSameAsWithoutProxy"},
	{"an error that nobody asked for (`max number of clients reached`)", "before the first request: tried again; else passed " +
		"on, and the connection ends", "\"server is full\" TestEvidence"},
	{"a reply of up to 64 KiB, cut in the middle", "nothing of it is forwarded, the read is asked again",
		"TestReplyCutInTheMiddle TestHalvesOfRepliesAreBounded"},
	{"a larger reply, cut in the middle", "the connection is closed and counted (`mid-reply`)",
		"TestReplyCutInTheMiddle TestLargeReplyCutInItsBody"},
	{"a request of more than 64 KiB, cut in its body", "surely not executed and not kept: `-TRYAGAIN`, and the connection goes " +
		"on", "TestLargeRequestCutInItsBody \"large write cut while it is sent\""},
}

// cutRows: what is known of a request that was unanswered when its master was lost.
var cutRows = []row{
	{"never sent: the kernel did not accept its last byte", "sent to the next master", "\"a request that left in part was never " +
		"executed\""},
	{"refused: `-READONLY`, `-LOADING`, `-MASTERDOWN`, a forced `-UNBLOCKED`, `-REDIRECT`, and EXEC's word for them",
		"sent to the next master, with all that was behind it",
		"TestRefusedWritesAreSentAgain TestDemotedMasterRefuses \"refused in a block\""},
	{"errors of a script, whatever they say", "final: earlier effects may stand", "\"a script's error is final\""},
	{"`-OOM`, `-MISCONF`, `-NOREPLICAS`, `-BUSY`, `-NOAUTH`", "the client's: passed on", "\"errors that are the client's\""},
	{"everything else", "by class and policy, as the table below says", "TestPolicies TestCutWriteIsAnsweredAsUnknown"},
	{"a write behind a write of unknown outcome", "never executed without it: `-TRYAGAIN` if it was not sent, else " +
		"`-UNKNOWNRESULT`", "TestNoWriteIsRepeatedBehindAnUnknownOne \"writes behind an unknown write are not sent\""},
	{"the hold budget is spent", "`-TRYAGAIN` for what surely did not run, `-EXECABORT` for a block, `-UNKNOWNRESULT` for what " +
		"may have run before", "\"given up\" \"writes that may have run are given up as unknown\" TestRefusingGateKeepsFraming"},
}
