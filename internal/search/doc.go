// Package search tells which messages match the criteria of SEARCH (RFC 9051
// 6.4.4, RFC 3501 6.4.4).
//
// A search is a tree of keys. Keys that need only what is in memory are tested
// first, then those that need the stored structure, then the header, then the
// text, so that a message is opened only when nothing cheaper has decided. A
// message that is opened is read once, in a bounded window, for all keys
// together.
//
// Sorting and threading (RFC 5256) need a few facts of each message. They are found out
// once, kept in the store in chunks of neighbours, and held by a Library as long as there is
// room. The Library also keeps the last results: when little has changed in a mailbox, little
// is done.
//
// Texts are compared without regard to case and to the way in which characters
// are composed: the collation i;unicode-casemap (RFC 5051).
package search
