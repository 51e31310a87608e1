package wire

import (
	"bytes"
	"io"
)

// literalMinusBytesMax is the largest non-synchronising literal without LITERAL+
// (RFC 7888 5).
const literalMinusBytesMax = 4096

// directBytes: from here on a literal is read straight into the caller's memory.
const directBytes = 4096

// Literal is a literal or literal8 that streams. It is refused by not
// accepting it. It is valid until Finish, and a command has one at a time: the
// next call of the Parser skips what was not read.
type Literal struct {
	Size   int64 // bytes, as announced
	Binary bool  // literal8: may hold NUL (RFC 9051 4.3, RFC 3516 4.4)
	Sync   bool  // the client waits for "+"; false for {n+}, and in responses

	p        *Parser
	accepted bool
}

// Accept takes the literal, which a synchronising client is told. Its error is
// the Parser's, or final.
func (l *Literal) Accept() error {
	if l.p == nil {
		return errNoLiteral
	}
	if l.p.err != nil || l.accepted {
		return l.p.err
	}
	r := l.p.r
	if l.Sync {
		if err := r.Continue(); err != nil {
			r.err = err
			l.p.stop(err)
			return err
		}
	}
	l.accepted = true
	r.state, r.left, r.announced = inLiteral, l.Size, noAnnouncement
	return nil
}

// Read reads the literal and nothing beyond it. io.EOF comes at its end only; a
// connection that ends earlier is io.ErrUnexpectedEOF. ErrNUL is a NUL outside a
// literal8, unless Parser.LiteralNUL allows it.
func (l *Literal) Read(b []byte) (int, error) {
	r, err := l.open()
	if err != nil {
		return 0, err
	}
	if r.left == 0 {
		return 0, io.EOF
	}
	if len(b) == 0 {
		return 0, nil
	}
	b = b[:min(int64(len(b)), r.left)]
	var n int
	if r.input.size() == 0 && len(b) >= directBytes {
		if err = r.beforeRead(); err == nil {
			n, err = readSome(r.input.src, b)
		}
	} else if err = r.fillLiteral(); err == nil {
		n = copy(b, r.input.unread())
		r.input.pass(n)
	}
	if err != nil {
		return 0, l.fail(err)
	}
	r.left -= int64(n)
	return n, l.check(b[:n])
}

// WriteTo writes all of the literal to w, from the read buffer.
func (l *Literal) WriteTo(w io.Writer) (int64, error) {
	var sum int64
	for {
		r, err := l.open()
		if err != nil || r.left == 0 {
			return sum, err
		}
		if err := r.fillLiteral(); err != nil {
			return sum, l.fail(err)
		}
		some := r.input.unread()
		some = some[:min(int64(len(some)), r.left)]
		if err := l.check(some); err != nil {
			return sum, err
		}
		n, err := w.Write(some)
		r.input.pass(n)
		r.left -= int64(n)
		sum += int64(n)
		if err != nil {
			return sum, err
		}
	}
}

// open returns the Reader while the literal may be read.
func (l *Literal) open() (*Reader, error) {
	if !l.accepted || l.p.r.state != inLiteral {
		return nil, errNoLiteral
	}
	return l.p.r, l.p.r.err
}

func (l *Literal) check(b []byte) error {
	if !l.Binary && !l.p.LiteralNUL && bytes.IndexByte(b, 0) >= 0 {
		return ErrNUL
	}
	return nil
}

// fail makes an error of the connection final.
func (l *Literal) fail(err error) error {
	l.p.r.err = unexpectedEOF(err)
	l.p.stop(l.p.r.err)
	return l.p.r.err
}

// fillLiteral makes sure that there is something unread.
func (r *Reader) fillLiteral() error {
	if r.input.size() > 0 {
		return nil
	}
	if r.left > smallBytes {
		r.input.enlarge()
	}
	return r.fill()
}
