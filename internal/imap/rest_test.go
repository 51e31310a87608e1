package imap

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"
)

// restingBytesMax is what a connection may hold that waits in IDLE, its client's socket
// included: it has a stack of 2 KB.
const restingBytesMax = 10 << 10

// TestRest: sessions that rest hold little; one that is given something to do does it, and
// they end with the server.
func TestRest(t *testing.T) {
	srv := compressServer(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go srv.Serve(ctx, l, false)
	first := idlePlain(t, l.Addr().String()) // what all share is there before
	const connections = 100
	before := memoryInUse()
	idle := make([]*plainClient, connections)
	for i := range idle {
		idle[i] = idlePlain(t, l.Addr().String())
	}
	time.Sleep(2 * briefly)
	each := (memoryInUse() - before) / connections
	t.Logf("%d bytes a connection", each)
	if each > restingBytesMax && !raceDetector {
		t.Errorf("a connection that waits holds %d bytes", each)
	}
	runtime.KeepAlive(idle)

	first.say("DONE\r\nc APPEND INBOX {5+}\r\nA: b\n\r\n")
	first.hear("c OK")
	for _, c := range idle {
		c.hear("* 1 EXISTS")
	}
	time.Sleep(2 * briefly)
	last := idle[0]
	last.say("DO")
	time.Sleep(2 * briefly) // a command that has begun is waited for longer
	last.say("NE\r\nc NO")
	last.hear("b OK")
	time.Sleep(2 * briefly)
	last.say("OP\r\n")
	last.hear("c OK")
	srv.Shutdown(ctx)
	for _, c := range idle {
		c.hear("* BYE")
	}
}

// plainClient is a client that waits.
type plainClient struct {
	t *testing.T
	c net.Conn
	r *bufio.Reader
}

func idlePlain(t *testing.T, address string) *plainClient {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	c := &plainClient{t, conn, bufio.NewReaderSize(conn, 16)}
	c.say("a LOGIN anna secret\r\ns SELECT INBOX\r\nb IDLE\r\n")
	c.hear("+ ")
	return c
}

func (c *plainClient) say(text string) { fmt.Fprint(c.c, text) }

// hear reads up to a line that begins so.
func (c *plainClient) hear(begin string) {
	c.t.Helper()
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			c.t.Fatalf("%s: %v", begin, err)
		}
		if strings.HasPrefix(line, begin) {
			return
		}
	}
}
