package main

import (
	"bytes"
	"errors"
	"os"
	"testing"
	"time"

	"postfach/test/rig"
)

func TestMain(m *testing.M) { os.Exit(rig.Main(m)) }

// TestMigrate moves a few accounts; `go run ./test/migrate` moves many more.
func TestMigrate(t *testing.T) {
	o := small(t)
	o.refusalMax = 2 * time.Second // other tests run at the same time
	move(t, o)
}

// TestKilled kills the server in the midst of it.
func TestKilled(t *testing.T) {
	o := small(t)
	o.accounts, o.synced, o.messages, o.settle = 5, 1, 600, 200*time.Millisecond
	o.inDB, o.kills, o.killAfter = true, 1, 300*time.Millisecond
	move(t, o)
}

func small(t *testing.T) options {
	if testing.Short() {
		t.Skip("takes a quarter of a minute")
	}
	return options{
		accounts: 8, synced: 2, messages: 1000, sessions: 2, mtas: 1, liveMax: 15, think: 100 * time.Millisecond, settle: 500 * time.Millisecond,
		seed: uint64(time.Now().UnixNano()), rounds: 1,
	}
}

func move(t *testing.T, o options) {
	t.Helper()
	var out bytes.Buffer
	violations, err := run(&out, o)
	if errors.Is(err, rig.ErrMissing) {
		rig.Must(t, err)
	}
	if err != nil || violations > 0 {
		t.Fatalf("%d violations, %v\n%s", violations, err, out.String())
	}
	t.Log(out.String())
}

func TestParseMoved(t *testing.T) {
	m, err := parseMoved("anna\t3 messages\t70 bytes\tfenced for 12ms\nsomething else\nbob@example.org\t1 messages\t1 bytes\tfenced for 1.002s\n2 accounts have moved in 1s\n")
	if err != nil || m.messages != 4 || m.bytes != 71 || percentile(m.fenced, 100) != 1002*time.Millisecond || len(m.fenced) != 2 {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := parseMoved("anna\t3 messages\t70 bytes\tfenced for ever\n"); err == nil {
		t.Error("a time that is none was read")
	}
}
