// Package postgres is the store for more than one machine: PostgreSQL (15 or later), with
// synchronous replicas, for everything, or for everything but the bodies of messages.
// Any number of processes use one database at the same time.
//
// The tables (schema/*.sql) are meant to be read by administrators. Each begins with the
// account, and no transaction leaves an account, so that accounts can be spread over
// several databases (shards) or over a Citus cluster.
//
//   - A commit is one round trip: a pipeline that begins with advance(), or one statement
//     when it is blind. It is durable when it returns, so that tickets are always done.
//   - An error that PostgreSQL itself has sent is certain; a connection that breaks while a
//     commit is under way makes it Unavailable, and Outcome finds out.
//   - What is immutable is kept in a cache of bounded size.
package postgres
