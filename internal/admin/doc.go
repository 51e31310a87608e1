// Package admin is what an administrator can do with accounts and mail: on the store
// directly, or through a Unix socket of the server that has it open. Both are a Service, so
// commands need not know which one they talk to.
//
// The socket speaks HTTP with JSON. Who may connect to it may do everything: it
// belongs to its owner alone (mode 0600) in a data directory that does too.
package admin
