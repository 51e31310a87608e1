package wire

import (
	"bytes"
	"io"
)

// Reader frames one direction of a connection into commands (for a client:
// responses) and hands out a Parser for what is inside each.
type Reader struct {
	// BeforeRead is called before every read of the connection: what was
	// written so far must be on its way before a read may block. Its error is
	// final. nil: nothing to do.
	BeforeRead func() error
	// Continue asks for a synchronising literal, it writes "+ ..." (RFC 9051
	// 7.6). It is called when such a literal is accepted; its error is final.
	// nil is the client's side: a server's literals follow without being asked.
	Continue func() error

	limits Limits
	input  buffer
	state  state
	parser Parser
	err    error // final: nothing is read any more

	announced   announcement // at the end of the line read last, not yet accepted
	left        int64        // bytes of the accepted literal that are unread
	lineBytes   int          // text of the command so far
	memoryBytes int          // literals of the command read into memory so far
	literals    int          // literals of the command met so far
	skipped     int64        // bytes skipped by the Finish under way
}

// state is where in a command the stream stands.
type state uint8

const (
	atBoundary state = iota // before a command
	inLine                  // a line was read to its CRLF
	inLiteral               // inside an accepted literal, or right behind it
	inBadLine               // at the start of a line without a proper end
)

// NewReader returns a Reader on r. Buffers come when bytes come: a Reader that
// waits between two commands holds half a kilobyte, and none after Rest.
func NewReader(r io.Reader, l Limits) *Reader {
	rd := &Reader{limits: l.withDefaults(), announced: noAnnouncement}
	rd.parser.r = rd
	rd.input.src = r
	return rd
}

// SetLimits changes the limits, between two commands, as after a login.
func (r *Reader) SetLimits(l Limits) { r.limits = l.withDefaults() }

// Reset goes on with another connection, as after STARTTLS or COMPRESS. Bytes
// that were received already are thrown away: before STARTTLS they are an
// attack (RFC 9051 6.2.1), see Buffered.
func (r *Reader) Reset(src io.Reader) {
	r.input.drop()
	r.input.src = src
	r.state, r.err, r.announced, r.left = atBoundary, nil, noAnnouncement, 0
	r.parser.begin(nil)
}

// Parser returns the parser of the current command: the same one every time.
func (r *Reader) Parser() *Parser { return &r.parser }

// Begin waits for the first line of the next command. The command before is
// finished first if it isn't.
//
// ErrLineTooLong and ErrBareLF leave a Parser that can still read the tag, and
// Finish goes on. io.EOF is the end between two commands. After another error
// of the connection, such as a deadline, Begin may be called again and loses
// nothing; errors that are final come again.
func (r *Reader) Begin() error {
	if err := r.Finish(); err != nil {
		return err
	}
	r.input.settle()
	line, err := r.readLine(r.limits.LineBytesMax)
	if err != nil && r.state != inBadLine {
		return r.atEOF(err)
	}
	r.lineBytes, r.memoryBytes, r.literals, r.skipped = len(line), 0, 0, 0
	r.parser.begin(line)
	return err
}

// Line reads a bare line inside a command: the client's part of AUTHENTICATE,
// or DONE (RFC 9051 6.2.2, 6.3.13). It is without its CRLF and valid until the
// next call of the Reader. A line of more than max bytes is ErrLineTooLong.
// Deadlines as with Begin.
func (r *Reader) Line(max int) ([]byte, error) {
	if r.err != nil {
		return nil, r.err
	}
	if r.state == inLiteral || r.state == inBadLine || r.announced.at >= 0 {
		return nil, errNoLine
	}
	if r.state == atBoundary {
		r.input.settle()
	}
	keep := r.input.keep
	line, err := r.readLine(max)
	if err != nil {
		return nil, r.atEOF(err)
	}
	// The line's place is free again for the next one.
	r.input.keep = min(keep, r.input.r-len(line)-len("\r\n"))
	return line, nil
}

// Wait blocks until at least one byte of what comes next has been received,
// and consumes nothing. Deadlines as with Begin.
func (r *Reader) Wait() error {
	if r.err != nil || r.input.size() > 0 {
		return r.err
	}
	if r.state == atBoundary {
		r.input.settle()
	}
	return r.fill()
}

// Rest gives back what is held between two commands, if no byte of the next has come,
// until one does.
func (r *Reader) Rest() {
	if r.state == atBoundary {
		r.input.rest()
	}
}

// Buffered is the number of bytes received and not yet consumed: between
// commands, those of further commands.
func (r *Reader) Buffered() int { return r.input.size() }

// Ahead returns, between commands, the first line of the next one, with its end, when
// Begin would return it without reading from the connection: a run of such commands can
// be worked off together. It is nil otherwise, and consumes nothing.
func (r *Reader) Ahead() []byte {
	unread := r.input.unread()
	i := bytes.IndexByte(unread[r.input.scanned:], '\n')
	if i < 0 {
		return nil
	}
	return unread[:r.input.scanned+i+1]
}

// atEOF tells the end of the stream between lines from an end inside of one.
func (r *Reader) atEOF(err error) error {
	if err == io.EOF && r.input.size() > 0 {
		return io.ErrUnexpectedEOF
	}
	return err
}

// fill waits for more bytes, saying before what there is to say.
func (r *Reader) fill() error {
	if err := r.beforeRead(); err != nil {
		return err
	}
	return r.input.fill()
}

func (r *Reader) beforeRead() error {
	if r.err == nil && r.BeforeRead != nil {
		r.err = r.BeforeRead()
	}
	return r.err
}
