// Package imap is the server: it speaks IMAP4rev1 (RFC 3501) to clients, and
// soon IMAP4rev2 (RFC 9051), over the engine of package mailbox.
//
// A connection is a session, one goroutine that runs session.step again and again:
// read a command, check its state, parse it, run it, tell the news, answer. What a
// session can do stands in families: each family is one file with a table of its
// commands, capabilities and all other rows it has, and families.go lists them.
//
// Nothing leaves the socket before what it says is durable: output that depends on
// a commit waits for the commit's ticket at the next flush (session.depend).
package imap
