package bench

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// heard is a connection on which a server has said all it will say.
type heard struct {
	net.Conn
	io.Reader
}

func (h heard) Read(b []byte) (int, error)  { return h.Reader.Read(b) }
func (heard) Write(b []byte) (int, error)   { return len(b), nil }
func (heard) SetDeadline(t time.Time) error { return nil }
func listening(said string, bytes int) *conn {
	h := heard{Reader: iotest.OneByteReader(strings.NewReader(said))}
	return &conn{net: h, in: h, buf: make([]byte, bytes)}
}

// TestAnswers checks that the ends of responses are found, whatever is in the literals.
func TestAnswers(t *testing.T) {
	said := "* 1 FETCH (BODY[] {14}\r\n* 9 FETCH {9}\n X {3}\r\nT1 OK)\r\n" +
		"* 2 FETCH (BODY[] {0}\r\n)\r\n* LIST () \"/\" {3}\r\na\r\n\r\n* 3 EXPUNGE\r\n* STATUS x ()\r\n* SEARCH 4 5\r\nT1 OK\r\nT2 OK\r\n"
	c := listening(strings.Replace(said, "{3}\r\nT1 OK)", "{6}\r\nT1 OK\n)", 1), 16)
	c.send("FETCH")
	c.send("SEARCH")
	a, err := c.wait()
	if err != nil || a.fetches != 2 || a.lists != 1 || a.expunged != 1 || a.statuses != 1 || string(a.found) != "* SEARCH 4 5\r\n" {
		t.Errorf("%+v, found %q, %v", a, a.found, err)
	}
}

func TestRefusals(t *testing.T) {
	for said, want := range map[string]string{
		"T1 NO [LIMIT] x\r\n": "LIMIT", "T1 BAD x\r\n": "BAD", "* BYE\r\n": "EOF", "\r\n": "response",
	} {
		c := listening(said, 64)
		c.send("NOOP")
		if _, err := c.wait(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", said, err)
		}
	}
}

// TestReplay records a server's answers and gets the same from the tape.
func TestReplay(t *testing.T) {
	answers := &tape{greeting: "* OK hello\r\n", answers: map[string][]byte{
		"UID FETCH : (BODY.PEEK[])": []byte("* 1 FETCH (BODY[] {3}\r\nabc)\r\n* 2 FETCH (BODY[] NIL)\r\n"),
		"CAPABILITY":                []byte("* CAPABILITY IMAP4rev1 MOVE\r\n"),
	}}
	first, err := startReplay(t.Context(), nil, &recording{Greeting: answers.greeting, Answers: answers.answers})
	if err != nil {
		t.Fatal(err)
	}
	defer first.close()
	ctx := context.Background()
	target := first.target(&Target{Prefix: "x"})
	s := Scale{Messages: 100, Change: 100, Mailboxes: 3, Seconds: 0.01, Runs: 1}
	if ok, err := target.has(ctx, "MOVE"); err != nil || !ok {
		t.Errorf("has: %v, %v", ok, err)
	}
	loads, err := find([]string{"fetch-mixed-1", "lmtp-8", "append-16", "login"})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range loads {
		run, err := w.run(ctx, target, s)
		if err != nil || run.Units == 0 || run.Rate == 0 || w.name == "fetch-mixed-1" && !strings.HasPrefix(run.Check, "2 FETCH") {
			t.Errorf("%s: %+v, %v", w.name, run, err)
		}
		if rate, err := w.ceiling(ctx, target, &Options{Scale: s}); err != nil || rate == 0 {
			t.Errorf("%s: ceiling %g, %v", w.name, rate, err)
		}
	}
	if !bytes.Equal(answers.answers["CAPABILITY"], []byte("* CAPABILITY IMAP4rev1 MOVE\r\n")) {
		t.Error("the tape has changed")
	}
}

func TestMedian(t *testing.T) {
	m := &meter{}
	for i := range 100 {
		m.latencies = append(m.latencies, time.Duration(100-i))
	}
	m.units, m.busy = 50, 2*time.Second
	r := summary([]*meter{m, {units: 10, busy: time.Second}})
	if r.Rate != 35 || r.P50 != 51 || r.P99 != 100 || r.Units != 60 {
		t.Errorf("%+v", r)
	}
	if r := median([]Run{{Rate: 9, P50: 1}, {Rate: 1, P50: 3}, {Rate: 5, P50: 2}}); r.Rate != 5 || r.P50 != 2 {
		t.Errorf("%+v", r)
	}
}

// TestBars checks what counts as reached.
func TestBars(t *testing.T) {
	two := func(theirs float64) []Run { return []Run{{}, {Rate: theirs}} }
	for _, c := range []struct {
		line Line
		want float64
	}{
		{Line{Bar: 8, Results: two(10), Ceiling: 1000}, 8},
		{Line{Bar: 8, Results: two(10), Ceiling: 100}, 7}, // 70 % of ten times
		{Line{Bar: 8, Results: two(10)}, 8},
		{Line{Share: 0.8, Results: two(100)}, 1.6}, // of 200 syncs
		{Line{Share: 0.8, Results: two(100), Ceiling: 150}, 1.05},
		{Line{Results: two(10), Ceiling: 100}, 0},
	} {
		if got := c.line.bar(200); got < c.want-1e-9 || got > c.want+1e-9 {
			t.Errorf("%+v: %g", c.line, got)
		}
	}
}

// TestChart checks that the chart is XML, and that tables have as many columns as their heads.
func TestChart(t *testing.T) {
	r := &Report{Targets: []string{"a<b", "c"}, SyncRate: 100, Lines: []Line{
		{Name: "one", Bar: 2, Ratio: 3, Ceiling: 9, Results: []Run{{Rate: 3}, {Rate: 1}}},
		{Name: "two", Ratio: 0.2, Share: 0.8, Results: []Run{{Rate: 1}, {Rate: 5}}},
		{Name: "three", Note: "left out"},
	}, Idle: []IdleLine{{Target: "a", Note: "left out"}, {Target: "c", BytesEach: 5}}}
	d := xml.NewDecoder(strings.NewReader(r.Chart()))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, table := range []string{r.Table(), IdleTable(r)} {
		lines := strings.Split(strings.TrimSpace(table), "\n")
		for _, l := range lines {
			if strings.Count(l, "|") != strings.Count(lines[0], "|") {
				t.Errorf("%s\n%s", lines[0], l)
			}
		}
	}
	if table := r.Table(); strings.Count(table, "**below**") != 1 {
		t.Error(table)
	}
}

func TestUsage(t *testing.T) {
	u, err := used(os.Getpid(), true)
	if err != nil || u.memoryBytes < 1<<20 || u.processes < 1 {
		t.Errorf("%+v, %v", u, err)
	}
	if rate, err := SyncRate(t.TempDir(), 5*time.Millisecond); err != nil || rate <= 0 {
		t.Errorf("%g syncs, %v", rate, err)
	}
}
