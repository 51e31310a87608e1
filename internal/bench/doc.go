// Package bench puts any server of IMAP and LMTP under load and says what it does in a
// second. It knows a server only over its sockets, and by what /proc tells of its processes.
//
//   - corpus*.go: mail that is varied and the same each time;
//   - populate.go: accounts full of it;
//   - workload*.go: what clients do; each is a row of a table;
//   - measure.go: one workload against one server; compare.go: all of them against two, in turn;
//   - idle.go: what waiting connections cost, and how soon they hear news;
//   - replay.go, disk.go: what no server can beat here;
//   - report*.go: tables, JSON and a chart.
//
// The client must not be what is measured. It therefore finds the ends of responses and parses no
// more than it has to, and replay.go measures it alone.
package bench
