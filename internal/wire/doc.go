// Package wire is IMAP as bytes, in both directions: framing, lexing and
// encoding, sequence sets, dates and modified UTF-7 (RFC 9051 9, RFC 3501 9).
// It knows the grammar's words and never what they mean.
//
// Reading is in two layers. The Reader owns the framing: a command (or, for a
// client, a response) is
//
//	text *(literal text) CRLF
//
// and whatever a handler does with it, refuse a literal, stop in the middle of
// one, give up on a syntax error, Finish takes the stream to the start of the
// next command. The Parser reads what is inside and can't reach beyond. A
// session reads like this:
//
//	err := r.Begin()
//	p := r.Parser()
//	tag := p.Tag()
//	p.SP()
//	name := p.Word()
//	...
//	p.End()
//	if p.Err() != nil { ... BAD ... }
//	... run, answer ...
//	r.Finish()
//
// Lines end with CRLF and with nothing else (RFC 9051 2.2). A lone LF or CR is
// never allowed in text and never ends a line: if it did, a line break that
// slips through some web mailer's search box would be a command.
//
// The Writer is an append buffer that runs BeforeFlush before any byte leaves.
//
// Nothing here is safe for use by several goroutines at once. All memory is
// bounded by Limits; small things never allocate.
package wire
