package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// TestKill kills a few times; `go run ./test/kill` does it a hundred times.
func TestKill(t *testing.T) {
	rounds := 6
	if testing.Short() {
		rounds = 2
	}
	var out, log bytes.Buffer
	violations, err := run(&out, options{
		rounds: rounds, load: 500 * time.Millisecond, seed: uint64(time.Now().UnixNano()), accounts: 2, sessions: 3, mtas: 1, log: &log,
	})
	if err != nil || violations > 0 {
		t.Fatalf("%d violations, %v\n%s\nthe server's log:\n%s", violations, err, out.String(), log.String())
	}
	t.Log(out.String())
	if strings.Contains(out.String(), " 0 commands acknowledged,") {
		t.Error("there was no load")
	}
}
