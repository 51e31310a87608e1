// Package imapclient is an IMAP client (RFC 9051, RFC 3501) for one connection. It
// sends commands, pipelined where the caller likes, and reads what the server says.
//
// Who waits, reads: there is no goroutine that reads behind the caller's back.
// Responses are read by Wait, by the helpers that wait, by the loop over a Fetch and
// by Idle. What a server says unasked while these run (RFC 9051 7) goes to
// Options.News.
//
//	c, err := imapclient.Dial(ctx, "127.0.0.1:143", imapclient.Options{})
//	err = c.Login("anna", "secret")
//	box, err := c.Select("INBOX")
//	for m, err := range c.UIDFetch("1:*", "(FLAGS RFC822.SIZE)") { ... }
//
// Pipelining is Send, Send, Send and then Wait on each.
//
// A server is not trusted: a response is bounded in lines, literals, nesting and time.
// A Client is for one goroutine, but Close may be called from any.
package imapclient
