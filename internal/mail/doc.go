// Package mail holds the words that every room shares: accounts, mailboxes,
// messages, UIDs, modification sequences, flags, changes, kinds of errors, and
// the contracts of a store and of a blob store, in prose.
//
// It knows neither IMAP's bytes nor any store. It imports the standard library
// only, and every other room may import it.
package mail
