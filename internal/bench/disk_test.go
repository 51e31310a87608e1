package bench

import (
	"bytes"
	"fmt"
	"os"
	"sync"
	"testing"
)

// kept is what the log's file has.
func kept(t *testing.T, l *syncLog) []byte {
	t.Helper()
	b, err := os.ReadFile(l.file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestSyncLog: whoever has written finds it in the file, also where many write at once.
func TestSyncLog(t *testing.T) {
	l, err := newSyncLog(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			for k := range 20 {
				mark := fmt.Appendf(nil, "<%d of %d>", k, i)
				if err := l.Keep(mark); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	all := kept(t, l)
	for i := range 20 {
		for k := range 20 {
			if mark := fmt.Appendf(nil, "<%d of %d>", k, i); !bytes.Contains(all, mark) {
				t.Fatalf("%s is not in the file", mark)
			}
		}
	}
}

// TestReplayKeeps: a player with a disk has a message there before it answers.
func TestReplayKeeps(t *testing.T) {
	l, err := newSyncLog(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p, err := play(&tape{greeting: "* OK\r\n"}, nil, l)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	var traffic int64
	c, err := dial(t.Context(), p.imap.Addr().String(), nil, &traffic, connBufferBytes)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	c.begin("APPEND INBOX ")
	c.literal([]byte("by APPEND"))
	c.end()
	if _, err := c.wait(); err != nil {
		t.Fatal(err)
	}
	d, err := dialLMTP(t.Context(), p.lmtp.Addr().String(), &traffic)
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	if err := d.deliver("anna", stuffed([]byte("by LMTP\r\n"))); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"by APPEND", "by LMTP"} {
		if !bytes.Contains(kept(t, l), []byte(want)) {
			t.Errorf("%q is not on the disk", want)
		}
	}
}
