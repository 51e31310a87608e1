package wire

import (
	"bytes"
	"io"
	"math"
)

// announcement is a literal's octet count at the end of a line.
type announcement struct {
	at   int   // offset of "{" in the line; -1: there is none
	size int64 // bytes; -1: more than a 63-bit number holds
	sync bool  // the sender waits for "+"
}

var noAnnouncement = announcement{at: -1}

// announcedBy looks for "{" 1*DIGIT ["+"] "}" at the end of a line. RFC 7888 3
// wants that of every line, whatever the parser makes of it.
func announcedBy(line []byte) announcement {
	i := len(line) - 1
	if i < 2 || line[i] != '}' {
		return noAnnouncement
	}
	i--
	sync := line[i] != '+'
	if !sync {
		i--
	}
	end := i + 1
	for i >= 0 && chars[line[i]]&digitChar != 0 {
		i--
	}
	if i < 0 || line[i] != '{' || i+1 == end {
		return noAnnouncement
	}
	return announcement{at: i, size: octetCount(line[i+1 : end]), sync: sync}
}

// octetCount is the value of digits, -1 from 2^63 on.
func octetCount(digits []byte) int64 {
	var n int64
	for _, c := range digits {
		n = addDigit(n, c)
	}
	return n
}

func addDigit(n int64, c byte) int64 {
	d := int64(c - '0')
	if n < 0 || n > (math.MaxInt64-d)/10 {
		return -1
	}
	return n*10 + d
}

// readLine reads text up to its CRLF, which is consumed and not returned. A
// line that is too long or has a bare LF is returned as far as it is good; the
// stream then stands at its start, for Finish to skip. Reading one byte at a
// time costs no more comparisons than reading all at once.
func (r *Reader) readLine(max int) ([]byte, error) {
	b := &r.input
	for {
		unread := b.unread()
		if i := bytes.IndexByte(unread[b.scanned:], '\n'); i >= 0 {
			end := b.scanned + i
			b.scanned = 0
			if end-1 > max {
				return r.badLine(unread[:max], ErrLineTooLong)
			}
			if end == 0 || unread[end-1] != '\r' {
				return r.badLine(unread[:min(end, max)], ErrBareLF)
			}
			return r.goodLine(end)
		}
		if len(unread) > max+1 { // the one may be a CR
			b.scanned = 0
			return r.badLine(unread[:max], ErrLineTooLong)
		}
		b.scanned = len(unread)
		if r.err != nil {
			return nil, r.err
		}
		if err := r.fill(); err != nil {
			return nil, err
		}
	}
}

func (r *Reader) goodLine(end int) ([]byte, error) {
	line := r.input.take(end + 1)[: end-1 : end-1]
	r.state = inLine
	r.announced = announcedBy(line)
	return line, nil
}

func (r *Reader) badLine(good []byte, err error) ([]byte, error) {
	r.state = inBadLine
	r.announced = noAnnouncement
	return good[:len(good):len(good)], err
}

// nextLine reads the text that follows an accepted literal; what the handler
// left of the literal is skipped. Errors of the connection are final here.
func (r *Reader) nextLine() ([]byte, error) {
	if err := r.skipBytes(r.left); err != nil {
		r.err = err
		return nil, err
	}
	r.left = 0
	line, err := r.readLine(max(r.limits.LineBytesMax-r.lineBytes, 0))
	if err != nil && r.state != inBadLine {
		r.err = unexpectedEOF(err)
		return nil, r.err
	}
	r.lineBytes += len(line)
	return line, err
}

// readLiteral reads an accepted literal into memory.
func (r *Reader) readLiteral() ([]byte, error) {
	n := int(r.left)
	for r.input.size() < n {
		if err := r.fill(); err != nil {
			r.err = unexpectedEOF(err)
			return nil, r.err
		}
	}
	r.left = 0
	r.memoryBytes += n
	return r.input.take(n), nil
}

func unexpectedEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
