// Package transcript plays scripts of what clients say and what a server answers.
//
// A script begins with a header, a line each, that says what there is:
//
//	# rfc 3501 6.4.6                       a comment; this one says what is covered,
//	# must 3501 6.4.6: a duty               this one that the script fails without it
//	user bob secret                        another account (anna, password secret, is there)
//	login 2 bob secret                     connection 2 is bob's; all others are anna's
//	mailbox Work                           anna has this mailbox (as CREATE takes it)
//	message INBOX (\Seen)                  anna has this message (as APPEND takes it), its
//	| Subject: one                         lines after "| "
//	|
//	| body
//	messages INBOX 5                       five small messages
//	messages INBOX 1 200000                one of so many bytes
//	select 1 INBOX                         connection 1 has selected it from the start
//	set BadCommandsMax 3                   for whoever starts the server
//	no login                               connections start with the greeting
//	from 192.0.2.1                         where connections come from
//
// then come stages. A stage is one thing that happens, and all that is said after
// it, on all connections, until everybody waits again:
//
//	C1: a NOOP                             connection 1 sends this line and CRLF
//	C1: b APPEND INBOX {*+}                lines of one connection leave in one write, an
//	                                       empty line begins another;
//	C1| Subject: two                       {*} is the size of the literal, which is the
//	C1|                                    lines after "C1| "
//	C1:                                    and so the command ends
//	S1: a OK done                          exactly this line is said
//	S1: b OK [APPENDUID $v 6] ...          ... is any text; $v is any word, the same one
//	                                       each time; $$ is a dollar
//	S2: * 6 EXISTS                         the order between connections is free
//	S1: * 1 FETCH (BODY[] {*}
//	S1| Subject: one
//	S1: )
//	S1: <closed>                           the server has closed the connection
//	wait 30m                               time goes by
//	check $w > $v                          two numbers compared
//	tls 1                                  connection 1 makes a TLS handshake
//	deflate 1                              it is compressed from now on
//	deflate 1 partial                      as by a client that flushes partially
//	plain 1                                and no longer
//	close 1                                it is closed by the client
//	stall 1, read 1                        it stops reading, and goes on
//	drain 1                                it goes on, and what was said is passed over
//
// A connection is made where it is named first. <CR>, <LF>, <NUL>, <SP>, <x7f> are
// bytes; <more> at the end of a line takes its CRLF away.
//
// Nothing else may be said: what is left over fails the script. That is certain
// where World.Quiet knows that everybody waits, as synctest.Wait does. Without it, in
// real time, a last NOOP on each connection looks for what was left over.
package transcript
