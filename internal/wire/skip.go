package wire

// Finish takes the stream to the start of the next command, whatever has
// become of this one. Slices that the Parser handed out are no longer valid.
//
// A refused synchronising literal is not sent (RFC 9051 4.3), so there is
// nothing to skip. A refused non-synchronising one is on its way, with all the
// text and the literals that belong to it (RFC 7888 3): they are skipped, and so
// is the rest of a literal that was accepted and not read to its end, and the
// rest of a line that was too long.
//
// Its errors are final: the connection must be closed.
func (r *Reader) Finish() error {
	if r.err == nil && r.state != atBoundary {
		r.err = r.finish()
	}
	r.state = atBoundary
	r.announced = noAnnouncement
	r.left = 0
	r.parser.begin(nil)
	return r.err
}

func (r *Reader) finish() error {
	r.skipped = 0
	next := r.announced
	switch r.state {
	case inLiteral:
		next = announcement{size: r.left}
	case inBadLine:
		next = announcement{size: 0}
	case inLine:
		if next.at >= 0 && r.waits(next) && r.input.size() > 0 {
			// A client that waits for "+" can't have sent more.
			return ErrNotWaited
		}
	}
	r.input.keep = 0
	for next.at >= 0 && !r.waits(next) {
		if err := r.skipBytes(next.size); err != nil {
			return err
		}
		var err error
		if next, err = r.skipLine(); err != nil {
			return err
		}
	}
	return nil
}

// waits tells whether the sender of a literal that was not accepted keeps it.
func (r *Reader) waits(a announcement) bool { return a.sync && r.Continue != nil }

// skipBytes skips the n bytes of a literal; n < 0 is an absurd octet count.
func (r *Reader) skipBytes(n int64) error {
	if n < 0 || n > r.limits.SkipBytesMax-r.skipped {
		return ErrSkipTooBig
	}
	r.skipped += n
	for n > 0 {
		if r.input.size() == 0 {
			if err := r.fill(); err != nil {
				return unexpectedEOF(err)
			}
		}
		some := min(n, int64(r.input.size()))
		r.input.pass(int(some))
		n -= some
	}
	return nil
}

// skipLine skips text to its CRLF and returns what it announces. It keeps
// nothing of the line, however long.
func (r *Reader) skipLine() (announcement, error) {
	var tail lineTail
	for {
		for i, c := range r.input.unread() {
			if tail.next(c) {
				r.input.pass(i + 1)
				return tail.announcement(), nil
			}
		}
		r.skipped += int64(r.input.size())
		r.input.pass(r.input.size())
		r.input.scanned = 0
		if r.skipped > r.limits.SkipBytesMax {
			return noAnnouncement, ErrSkipTooBig
		}
		if err := r.fill(); err != nil {
			return noAnnouncement, unexpectedEOF(err)
		}
	}
}

// lineTail recognises the end of a line, and the announcement before it, one
// byte at a time: the same language as readLine and announcedBy.
type lineTail struct {
	seen tailState
	size int64
	sync bool
}

type tailState uint8

const (
	sawText   tailState = iota
	sawBrace            // "{"
	sawDigits           // "{" 1*DIGIT
	sawPlus             // "{" 1*DIGIT "+"
	sawCount            // "{" 1*DIGIT ["+"] "}"
	sawCountCR
	sawCR
)

// next takes a byte and tells whether it ended the line.
func (t *lineTail) next(c byte) bool {
	switch {
	case c == '\n' && (t.seen == sawCR || t.seen == sawCountCR):
		return true
	case c == '{':
		*t = lineTail{seen: sawBrace}
	case chars[c]&digitChar != 0 && (t.seen == sawBrace || t.seen == sawDigits):
		t.seen = sawDigits
		t.size = addDigit(t.size, c)
	case c == '+' && t.seen == sawDigits:
		t.seen = sawPlus
	case c == '}' && (t.seen == sawDigits || t.seen == sawPlus):
		t.sync = t.seen == sawDigits
		t.seen = sawCount
	case c == '\r' && t.seen == sawCount:
		t.seen = sawCountCR
	case c == '\r':
		t.seen = sawCR
	default:
		t.seen = sawText
	}
	return false
}

func (t *lineTail) announcement() announcement {
	if t.seen != sawCountCR {
		return noAnnouncement
	}
	return announcement{size: t.size, sync: t.sync}
}
