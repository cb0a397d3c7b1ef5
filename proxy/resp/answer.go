package resp

// Answer is a reply that Holdfast gives itself instead of a backend.
type Answer uint8

const (
	// AnswerNone means that the backend's own reply is delivered.
	AnswerNone Answer = iota
	// AnswerOK stands for a command whose success is certain without asking.
	AnswerOK
	// AnswerQueued stands for a command inside a block whose EXEC gets the real answer.
	AnswerQueued
	// AnswerUnknown: the master was lost while the command was executing (class E2).
	AnswerUnknown
	// AnswerNotExecuted: the command surely did nothing (class E1).
	AnswerNotExecuted
	// AnswerExecAbort: the transaction surely did nothing (class E3).
	AnswerExecAbort
	// AnswerNull is EXEC's "a watched key changed", in the protocol of the connection.
	AnswerNull
	// AnswerZero is WAIT's truth after a move: no replica has confirmed anything on this connection.
	AnswerZero
	// AnswerZeroes is the same for WAITAOF.
	AnswerZeroes
	// AnswerDenied: the pool's deny list refuses the command.
	AnswerDenied
	// AnswerReplyInBlock: CLIENT REPLY between MULTI and EXEC breaks the framing of EXEC's reply.
	AnswerReplyInBlock
	// AnswerExecSpoilt: the transaction did nothing, because the proxy refused one of its commands.
	AnswerExecSpoilt
	// AnswerTooLarge: the proxy has to understand the command and does not keep requests of this size.
	AnswerTooLarge
	// AnswerForeignID: the id was given out by a server, and may mean another connection by now.
	AnswerForeignID
	// AnswerNoSuchID is the server's own answer to a redirection to a connection that is not there.
	AnswerNoSuchID
	// AnswerStaleCursor: the cursor was given out by another server.
	AnswerStaleCursor
	// AnswerNoCapa: a server that redirects its clients would lead them past the proxy.
	AnswerNoCapa

	answerCount
)

// The error prefixes decide what client libraries do by themselves: TRYAGAIN is retried by several and costs no
// connection; UNKNOWNRESULT is retried by none, and
// says nothing that a library takes for a lost connection or a missing script.
var answers = [answerCount]string{
	AnswerOK:           "+OK\r\n",
	AnswerQueued:       "+QUEUED\r\n",
	AnswerUnknown:      "-UNKNOWNRESULT master lost while the command was executing, it MAY OR MAY NOT have been applied\r\n",
	AnswerNotExecuted:  "-TRYAGAIN failover in progress, command was NOT executed, safe to retry\r\n",
	AnswerExecAbort:    "-EXECABORT Transaction discarded because of failover, nothing was executed\r\n",
	AnswerNull:         "*-1\r\n",
	AnswerZero:         ":0\r\n",
	AnswerZeroes:       "*2\r\n:0\r\n:0\r\n",
	AnswerDenied:       "-NOPERM this command is refused by the proxy; the pool's deny list in its configuration decides\r\n",
	AnswerReplyInBlock: "-ERR CLIENT REPLY between MULTI and EXEC is refused by the proxy, send it before MULTI\r\n",
	AnswerExecSpoilt:   "-EXECABORT Transaction discarded because of previous errors.\r\n",
	AnswerTooLarge:     "-ERR this command is too large for the proxy, which takes up to 64 KiB of it\r\n",
	AnswerForeignID:    "-ERR this id was given out by a server and may mean another connection after a failover, use those of CLIENT ID\r\n",
	AnswerNoSuchID:     "-ERR The client ID you want redirect to does not exist\r\n",
	AnswerStaleCursor:  "-ERR SCAN cursor invalidated by failover, restart with cursor 0\r\n",
	AnswerNoCapa:       "-ERR unknown subcommand 'CAPA'. Try CLIENT HELP.\r\n",
}

// Text is the answer as bytes of the given protocol version (2 or 3).
func (a Answer) Text(proto uint8) string {
	if a == AnswerNull && proto == 3 {
		return "_\r\n"
	}
	return answers[a]
}
