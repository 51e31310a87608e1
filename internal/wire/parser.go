package wire

import "errors"

// Parser reads the inside of one command or response. Its methods are named
// after the grammar (RFC 9051 9) and its error is sticky: the first method that
// does not find what it wants records a SyntaxError, and from then on every
// method does nothing and returns zero values. So a handler reads all that it
// wants and asks for Err once.
//
// Byte slices are valid until Reader.Finish. Literals inside AString, String and
// NString are read into memory; a synchronising one is asked for on the way.
//
// The modes stay as they are set from one command to the next.
type Parser struct {
	// QuotedUTF8 accepts UTF-8 between quotes (RFC 9051 4.3, RFC 6855 3).
	QuotedUTF8 bool
	// NamesUTF8: mailbox names are UTF-8, an "&" is an "&" (after ENABLE
	// IMAP4rev2 or UTF8=ACCEPT). Otherwise they are modified UTF-7.
	NamesUTF8 bool
	// LiteralPlus allows {n+} above 4096 bytes: the server announced LITERAL+.
	// Otherwise it is a TooBigError (RFC 7888 5).
	LiteralPlus bool
	// LiteralNUL lets literals that are streamed hold NUL: for mail that is
	// broken already and must not get lost.
	LiteralNUL bool
	// SavedSet accepts "$" where a set is due (RFC 9051 6.4.4.1).
	SavedSet bool

	r       *Reader
	text    []byte // the line being read
	pos     int
	base    int // offset of the line in the command's text
	depth   int
	err     error
	literal Literal
}

// NewParser returns a Parser of a text that came in some other way than as a command. It
// can have no literals.
func NewParser(text []byte) *Parser {
	r := &Reader{limits: Limits{}.withDefaults(), announced: noAnnouncement, state: inLine}
	r.parser.r = r
	r.parser.begin(text)
	return &r.parser
}

// begin starts a command with its first line.
func (p *Parser) begin(line []byte) {
	p.text, p.pos, p.base = line, 0, 0
	p.depth, p.err = 0, nil
	p.literal = Literal{}
}

// Err is the first thing that went wrong: a *SyntaxError, *TooBigError,
// *LimitError, ErrLineTooLong, ErrBareLF or ErrNUL is the client's fault and
// Finish goes on from it; any other is an error of the connection.
func (p *Parser) Err() error { return p.err }

// Recoverable tells whether a Parser's or Begin's error concerns one command
// only: it is answered, and the next command can be read.
func Recoverable(err error) bool {
	var syntax *SyntaxError
	var tooBig *TooBigError
	var limit *LimitError
	return err == ErrLineTooLong || err == ErrBareLF || err == ErrNUL ||
		errors.As(err, &syntax) || errors.As(err, &tooBig) || errors.As(err, &limit)
}

// Fail records that something else was expected here, for a grammar above this
// one. The first error stays.
func (p *Parser) Fail(expected string) {
	if p.err == nil {
		p.stop(&SyntaxError{Expected: expected, At: p.base + p.pos})
	}
}

// stop records an error and leaves nothing to read.
func (p *Parser) stop(err error) {
	if p.err == nil {
		p.err = err
		p.text, p.pos = nil, 0
	}
}

// Peek returns the next byte of the text without consuming it; 0 at the end.
func (p *Parser) Peek() byte {
	if p.pos == len(p.text) {
		p.afterLiteral()
	}
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

// afterLiteral reads the text behind a literal, only when it is wanted: a
// streamed literal comes before.
func (p *Parser) afterLiteral() {
	if p.err != nil || p.r.state != inLiteral {
		return
	}
	p.base = p.r.lineBytes
	line, err := p.r.nextLine()
	if err != nil {
		p.stop(err)
		return
	}
	p.text, p.pos = line, 0
}

// End expects the end of the command, its CRLF. Nothing may be run before: a
// command that does not end where it should is none.
func (p *Parser) End() {
	p.Peek()
	if p.err == nil && (p.pos < len(p.text) || p.r.state != inLine || p.r.announced.at >= 0) {
		p.Fail("CRLF")
	}
}

// AtEnd tells whether the command ends here.
func (p *Parser) AtEnd() bool {
	p.Peek()
	return p.err == nil && p.pos == len(p.text) && p.r.announced.at < 0
}

// Try consumes b if it is next.
func (p *Parser) Try(b byte) bool {
	if p.Peek() != b || p.pos == len(p.text) {
		return false
	}
	p.pos++
	return true
}

// Expect consumes b.
func (p *Parser) Expect(b byte) {
	if !p.Try(b) && p.err == nil {
		p.Fail(`"` + string(rune(b)) + `"`)
	}
}

// SP expects exactly one space (RFC 9051 9, note 2).
func (p *Parser) SP() {
	if !p.Try(' ') {
		p.Fail("SP")
	}
}

// TrySP consumes a space if there is one.
func (p *Parser) TrySP() bool { return p.Try(' ') }

// TryList consumes a space and the parenthesis that opens a list, if both are next.
func (p *Parser) TryList() bool {
	if p.Peek() != ' ' || p.pos+1 >= len(p.text) || p.text[p.pos+1] != '(' {
		return false
	}
	p.pos += 2
	return true
}

// Enter goes one level deeper in what nests (search keys, bodies, lists) and
// tells whether that is allowed; if not, the error is a LimitError. Each true
// needs a Leave.
func (p *Parser) Enter() bool {
	if p.err != nil {
		return false
	}
	if p.depth >= p.r.limits.NestingMax {
		p.stop(&LimitError{What: "levels of parentheses", Max: p.r.limits.NestingMax})
		return false
	}
	p.depth++
	return true
}

// Leave comes back from Enter.
func (p *Parser) Leave() { p.depth-- }
