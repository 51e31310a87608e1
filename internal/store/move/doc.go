// Package move moves accounts from a store to another one while they are served.
//
// Almost all of an account is copied while it is in use; then it is fenced, what has come
// since is copied too, and it changes its place: well below a second in which it can be
// read and not written. What clients see is the same in both stores, ids, UIDs,
// modification sequences and history included, so that they synchronise nothing anew.
//
// A move can be broken off at any moment, by a crash too: the next one goes on.
package move
