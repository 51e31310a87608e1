// Package delivery makes the decisions about mail that comes in: which account and
// which mailbox a recipient means, what is written in front of the message, and when a
// message may be called delivered: when it is durable, never before.
//
// How mail comes in (LMTP, a command) is the business of others.
package delivery
