package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"postfach/internal/imapclient"
	"postfach/test/rig"
	"postfach/test/server"
)

var freshRounds = flag.Int("fresh", 600, "how often TestFresh does something and reads it elsewhere")

// binary is the server, built once.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "postfach-cluster-")
	if err == nil {
		binary, err = server.Build(dir)
	}
	code := 1
	if err == nil {
		code = rig.Main(m)
	} else {
		fmt.Fprintln(os.Stderr, err)
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// result ends a test whose cluster was not there or went wrong.
func result(t *testing.T, out *bytes.Buffer, violations int, err error) {
	t.Helper()
	if errors.Is(err, rig.ErrMissing) {
		rig.Must(t, err)
	}
	if err != nil || violations > 0 {
		t.Fatalf("%d violations, %v\n%s", violations, err, out.String())
	}
	t.Log(out.String())
}

// small is a cluster for tests.
func small() options {
	return options{seed: uint64(time.Now().UnixNano()), servers: 3, binary: binary}
}

// TestCluster kills each part once; `go run ./test/cluster` does it more often and with
// many more accounts.
func TestCluster(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	for _, fault := range []string{"node", "postgres", "s3"} {
		var out bytes.Buffer
		o := small()
		o.rounds, o.every, o.load, o.faults = 1, 1, time.Second, fault
		o.accounts, o.sessions, o.mtas, o.watchers, o.liveMax, o.think = 10, 2, 1, 2, 15, 200*time.Millisecond
		violations, err := trial(&out, o)
		result(t, &out, violations, err)
		// During the fault itself there may be none: all may be waiting for what is gone.
		if strings.Contains(out.String(), "1 faults, 0 commands acknowledged") {
			t.Error("there was no load")
		}
	}
}

// TestFresh reads on one server what was acknowledged on another.
func TestFresh(t *testing.T) {
	var out bytes.Buffer
	o := small()
	o.fresh = *freshRounds
	violations, err := fresh(&out, o)
	result(t, &out, violations, err)
}

// TestNews: an idling session hears soon of what happened on another server. Other tests run
// at the same time, so that `go run ./test/cluster -news 30s` is what measures how soon.
func TestNews(t *testing.T) {
	if testing.Short() {
		t.Skip("measures, and needs a machine for itself")
	}
	var out bytes.Buffer
	o := small()
	o.news, o.rate, o.patience = 5*time.Second, 200, 20
	result(t, &out, 0, news(&out, o))
}

// TestBelief checks that a belief follows what is said and finds what is not true.
func TestBelief(t *testing.T) {
	var b belief
	say := func(what string, n uint32, m *imapclient.Message) {
		b.hear(imapclient.News{What: what, Number: n, Message: m})
	}
	say("EXISTS", 3, nil)
	say("FETCH", 2, &imapclient.Message{Seq: 2, UID: 7, HasFlags: true, Flags: []string{`\Seen`, `\Recent`}})
	say("EXPUNGE", 1, nil)
	actual := []believed{{uid: 7, flags: `\Seen`}, {uid: 9, flags: "work"}}
	if wrong := b.differs(actual); wrong != "" {
		t.Error(wrong)
	}
	for _, other := range [][]believed{
		actual[:1],
		{{uid: 8, flags: `\Seen`}, actual[1]},
		{{uid: 7}, actual[1]},
	} {
		if b.differs(other) == "" {
			t.Errorf("believes in %v", other)
		}
	}
	for _, lie := range []func(){
		func() { say("EXISTS", 1, nil) },
		func() { say("EXPUNGE", 3, nil) },
		func() { say("FETCH", 3, &imapclient.Message{Seq: 3}) },
		func() { say("FETCH", 1, &imapclient.Message{Seq: 1, UID: 8}) },
	} {
		b = belief{messages: []believed{{uid: 7}, {uid: 9}}}
		if lie(); b.differs([]believed{{uid: 7}, {uid: 9}}) == "" {
			t.Error("believes a lie")
		}
	}
}
