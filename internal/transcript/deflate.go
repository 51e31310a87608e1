package transcript

import (
	"bufio"
	"compress/flate"
	"errors"
	"io"
	"net"
)

// deflated is a connection whose bytes are compressed (RFC 4978). Where the server ends its
// stream, text follows.
type deflated struct {
	net.Conn
	in    io.Reader
	after *bufio.Reader // what in reads from
	out   io.Writer
}

func (d *deflated) Read(b []byte) (int, error) {
	n, err := d.in.Read(b)
	if err == io.EOF && d.in != d.after {
		d.in, err = d.after, nil
	}
	return n, err
}

func (d *deflated) Write(b []byte) (int, error) { return d.out.Write(b) }

// startDeflate goes on compressed. With partial, the client flushes as zlib does with
// Z_PARTIAL_FLUSH. Reading can't be paused any more: compress/flate takes a time-out for
// the end.
func (p *peer) startDeflate(partial bool) error {
	p.pause()
	after := bufio.NewReader(p.conn)
	d := &deflated{Conn: p.conn, in: flate.NewReader(after), after: after, out: &partialFlush{dst: p.conn}}
	if !partial {
		w, err := flate.NewWriter(p.conn, flate.BestSpeed)
		if err != nil {
			return err
		}
		d.out = syncFlush{w}
	}
	p.conn = d
	p.start()
	return nil
}

// endDeflate ends the client's stream: what it sends next is text.
func (p *peer) endDeflate() error {
	d, ok := p.conn.(*deflated)
	if !ok {
		return errors.New("it is not compressed")
	}
	if s, ok := d.out.(syncFlush); ok {
		if err := s.w.Close(); err != nil {
			return err
		}
	}
	d.out = d.Conn
	return nil
}

// syncFlush flushes after each write.
type syncFlush struct{ w *flate.Writer }

func (s syncFlush) Write(b []byte) (int, error) {
	n, err := s.w.Write(b)
	if err == nil {
		err = s.w.Flush()
	}
	return n, err
}

// partialFlush writes blocks of fixed codes, each with an empty one behind it, of whose
// bits those that fill no byte stay until the next write (RFC 1951 3.2.6).
type partialFlush struct {
	dst  io.Writer
	bits byte // the first one lowest
	n    uint
	out  []byte
}

func (p *partialFlush) Write(b []byte) (int, error) {
	p.out = p.out[:0]
	p.block(b)
	p.block(nil)
	if _, err := p.dst.Write(p.out); err != nil {
		return 0, err
	}
	return len(b), nil
}

func (p *partialFlush) block(b []byte) {
	p.code(0b010, 3) // not the last, and the lower bit of the type first
	for _, c := range b {
		if c < 144 {
			p.code(0x30+uint(c), 8)
		} else {
			p.code(0x190+uint(c)-144, 9)
		}
	}
	p.code(0, 7) // the end
}

// code appends a code, its highest bit first.
func (p *partialFlush) code(code, length uint) {
	for i := range length {
		p.bits |= byte(code>>(length-1-i)&1) << p.n
		if p.n++; p.n == 8 {
			p.out = append(p.out, p.bits)
			p.bits, p.n = 0, 0
		}
	}
}
