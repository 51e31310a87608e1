package wire

import (
	"errors"
	"fmt"
)

var (
	// ErrLineTooLong is returned for a command whose text is longer than
	// Limits.LineBytesMax. Finish goes on to the next command.
	ErrLineTooLong = errors.New("line too long")
	// ErrBareLF is returned for a line with an LF that no CR precedes. The
	// line goes on to its CRLF; Finish skips it.
	ErrBareLF = errors.New("line break must be CRLF, found a bare LF")

	// ErrSkipTooBig ends the connection: what has to be skipped to find the
	// next command is more than Limits.SkipBytesMax.
	ErrSkipTooBig = errors.New("refused literal is too big to skip")
	// ErrNotWaited ends the connection: a client sent a synchronising literal
	// without waiting for "+" (RFC 9051 4.3), and it was refused. The bytes
	// that follow are a message, or commands, and nobody can tell.
	ErrNotWaited = errors.New("client did not wait for the continuation of a literal")

	// ErrLiteralSize poisons a Writer: a literal's source gave fewer or more
	// bytes than were announced.
	ErrLiteralSize = errors.New("literal is not as long as announced")
	// ErrTorn poisons a Writer: output was discarded after a part of its line
	// had left already.
	ErrTorn = errors.New("output ends inside a line")
	// ErrNUL is returned for a NUL in a literal that is not a literal8 (RFC
	// 9051 9, note 3).
	ErrNUL = errors.New("NUL in a literal")

	// ErrInflate is returned for bytes that can't be decompressed, or decompress to
	// nothing for too long.
	ErrInflate = errors.New("compressed data makes no sense")

	errNoLiteral = errors.New("wire: literal read without Accept or after its command")
	errNoLine    = errors.New("wire: Line called where no line can follow")
	errNotAtom   = errors.New("wire: not an atom")
	errEmptySet  = errors.New("wire: empty set")
)

// SyntaxError says what the grammar wants and does not find: a BAD.
type SyntaxError struct {
	Expected string // in the RFC's words, for the client's eyes
	At       int    // offset in the command's text; bodies of literals don't count
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("expected %s at byte %d", e.Expected, e.At)
}

// TooBigError is a literal beyond what is accepted there: [TOOBIG] (RFC 4469 4.2,
// RFC 7888 5).
type TooBigError struct {
	Size int64 // bytes as announced; -1: more than a 63-bit number holds
	Max  int64 // bytes
}

func (e *TooBigError) Error() string {
	return fmt.Sprintf("literal too big: more than %d bytes", e.Max)
}

// LimitError is too many of something: [LIMIT] (RFC 5530 3).
type LimitError struct {
	What string
	Max  int
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("too many %s: more than %d", e.What, e.Max)
}
