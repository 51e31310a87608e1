// Package blob keeps the bytes of messages in segments: append-only files of
// records, one record a message, described in docs/format.md. It implements
// mail.Blobs, and gives the sweeper of a store what it needs to free bytes; only the
// store knows which records messages refer to.
//
// Files are reached through pebble's vfs, so that crash clones and injected faults
// test them together with the database.
package blob
