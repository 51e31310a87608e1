// Package search tells which messages match the criteria of SEARCH (RFC 9051
// 6.4.4, RFC 3501 6.4.4).
//
// A search is a tree of keys. Keys that need only what is in memory are tested
// first, then those that need the stored structure, then the header, then the
// text, so that a message is opened only when nothing cheaper has decided. A
// message that is opened is read once, in a bounded window, for all keys
// together.
//
// Texts are compared without regard to case and to the way in which characters
// are composed: the collation i;unicode-casemap (RFC 5051).
package search
