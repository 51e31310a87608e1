// Package lmtp speaks LMTP (RFC 2033), by which an MTA hands over mail for the final
// delivery: the protocol only. Whom an address means and when a message is delivered
// is decided by package delivery.
//
// Extensions: PIPELINING (RFC 2920), 8BITMIME (RFC 6152), SMTPUTF8 (RFC 6531), SIZE (RFC 1870),
// ENHANCEDSTATUSCODES (RFC 2034), CHUNKING (RFC 3030).
//
// A message is read once, in pieces, and never held in memory. Only CR LF ends a
// line and only CR LF "." CR LF ends a message: other systems disagree on bare CR and LF, and
// that must not let one message become two.
package lmtp
