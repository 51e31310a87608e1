package wire

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
)

// peer is a client that follows the protocol, as an io.Reader: at a
// synchronising literal it stops until it is asked to go on. If it is read from
// before that, it has been refused and goes on with its next command.
type peer struct {
	commands [][]string // each: text up to a gate, what follows the "+", ...
	chunk    int        // which part of the first command is being sent
	sent     int
	asked    bool
}

func (c *peer) Read(b []byte) (int, error) {
	for len(c.commands) > 0 {
		parts := c.commands[0]
		if c.sent < len(parts[c.chunk]) {
			n := copy(b, parts[c.chunk][c.sent:])
			c.sent += n
			return n, nil
		}
		if c.sent = 0; c.asked && c.chunk+1 < len(parts) {
			c.chunk++
			c.asked = false
			continue
		}
		c.commands, c.chunk, c.asked = c.commands[1:], 0, false
	}
	return 0, io.EOF
}

func (c *peer) proceed() error { c.asked = true; return nil }

// readers runs a test with reads as large as they can be, and of one byte.
func readers(t *testing.T, f func(t *testing.T, slow func(io.Reader) io.Reader)) {
	t.Run("whole", func(t *testing.T) { f(t, func(r io.Reader) io.Reader { return r }) })
	t.Run("bytewise", func(t *testing.T) { f(t, iotest.OneByteReader) })
	t.Run("halves", func(t *testing.T) { f(t, iotest.HalfReader) })
}

// server returns a Reader in the server's role on a fixed text.
func server(src io.Reader, l Limits) *Reader {
	r := NewReader(src, l)
	r.Continue = func() error { return nil }
	return r
}

// parse returns a parser on one line.
func parse(t *testing.T, text string) *Parser {
	t.Helper()
	r := server(strings.NewReader(text+"\r\n"), Limits{})
	r.Parser().LiteralPlus = true
	if err := r.Begin(); err != nil {
		t.Fatalf("Begin: %v", err)
	}
	return r.Parser()
}

// dangerous is the body of a literal that must never be run.
const dangerous = "X1 NOOP\r\nX2 LOGIN {3+}\r\nX3 CREATE {9}\r\nX4 {99+}\r\n"

// randomCommand makes a command with every kind of literal, and sometimes with
// bad lines. What a refusal cuts off is a part of its own.
func randomCommand(rnd *rand.Rand, n int) []string {
	part := fmt.Sprintf("A%d", n)
	var parts []string
	for range rnd.IntN(5) {
		body := strings.Repeat(dangerous, rnd.IntN(3)) + dangerous[:rnd.IntN(len(dangerous))]
		switch rnd.IntN(9) {
		case 0, 1:
			part += " atom"
		case 2:
			part += ` "quoted \" {4+} string"`
		case 3:
			part += " " + strings.Repeat("long", rnd.IntN(100))
		case 4:
			part += " lone \n X5 NOOP\n{3+}\n"
		case 5:
			part += " \x00 \r {5+} ("
		case 6, 7:
			part += fmt.Sprintf(" %s{%d+}\r\n%s", []string{"", "~"}[rnd.IntN(2)], len(body), body)
		case 8:
			parts = append(parts, part+fmt.Sprintf(" %s{%d}\r\n", []string{"", "~"}[rnd.IntN(2)], len(body)))
			part = body
		}
	}
	return append(parts, part+"\r\n")
}

// misbehave is a handler that does anything at all with a command.
func misbehave(rnd *rand.Rand, p *Parser) {
	for range rnd.IntN(8) {
		switch rnd.IntN(10) {
		case 0:
			p.Fail("something else")
		case 1, 2:
			p.SP()
			p.Atom()
		case 3:
			p.TrySP()
			p.AString()
		case 4:
			p.TrySP()
			p.NString()
		case 5:
			p.End()
		case 6:
			p.Text()
		case 7:
			p.Until('}')
		case 8, 9:
			p.TrySP()
			l := p.Literal()
			if rnd.IntN(2) == 0 {
				l.Accept()
			}
			if rnd.IntN(2) == 0 {
				io.CopyN(io.Discard, l, int64(rnd.IntN(20)))
			} else {
				io.Copy(io.Discard, l)
			}
		}
	}
}

// whole reads a literal of any size, by one of the two ways there are.
func whole(l *Literal, by int) (string, error) {
	var b strings.Builder
	var err error
	if by == 0 {
		_, err = l.WriteTo(&b)
	} else {
		var all []byte
		all, err = io.ReadAll(onlyReader{l})
		b.Write(all)
	}
	return b.String(), err
}

type onlyReader struct{ io.Reader }
