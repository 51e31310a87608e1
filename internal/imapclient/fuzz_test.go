package imapclient

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"
)

// deaf is a connection to a server that has said all it will say.
type deaf struct {
	net.Conn
	said *strings.Reader
}

func (d deaf) Read(b []byte) (int, error)       { return d.said.Read(b) }
func (d deaf) Write(b []byte) (int, error)      { return len(b), nil }
func (d deaf) Close() error                     { return nil }
func (d deaf) RemoteAddr() net.Addr             { return nil }
func (d deaf) SetReadDeadline(time.Time) error  { return nil }
func (d deaf) SetWriteDeadline(time.Time) error { return nil }

// FuzzServer lets a server say anything at all. The client must come to an end, without a
// panic, and without much memory for few bytes.
func FuzzServer(f *testing.F) {
	for _, s := range []string{
		"A1 OK done\r\nA2 OK done\r\nA3 NO [X Y] no\r\nA4 OK done\r\n",
		"* 1 EXISTS\r\n* 1 FETCH (UID 1 FLAGS (\\Seen) BODY[] {3}\r\nabc ENVELOPE (NIL (\"a\")))\r\nA1 OK\r\n",
		"* LIST () \"/\" a\r\n* SEARCH 1 2\r\n* ESEARCH (TAG \"A1\") ALL 1:3\r\n* STATUS a (MESSAGES 1)\r\n+ go\r\n",
		"* OK [COPYUID 1 1:2 3:4] x\r\n* VANISHED (EARLIER) 1:9\r\n* OK [PERMANENTFLAGS (\\*)] x\r\n* BYE\r\n",
		"* 1 FETCH (BODY[] {99999999999}\r\nabc",
		"* 1 FETCH (X ((((((((((((((((((((((",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, said string) {
		c, err := New(deaf{said: strings.NewReader("* OK hello\r\n" + said)}, Options{News: func(News) {}, Timeout: -1})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Select("INBOX")
		_, _ = c.List("", "*")
		_, _ = FetchAll(c.UIDFetch("1:*", "(BODY[])"))
		_, _ = c.UIDSearch("ALL")
		_, _ = c.UIDMove("1:*", "x")
		_, _ = c.Status("x", "MESSAGES")
		_, _, _ = c.Append("x", strings.NewReader("abc"), 3, AppendOptions{})
		_ = c.AuthenticatePlain("a", "b")
		_ = c.Idle(context.Background(), nil)
		if err := c.Logout(); err == nil && len(said) == 0 {
			t.Error("LOGOUT succeeded out of nothing")
		}
	})
}
