package wire

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// one reads a text with one method, and wants nothing behind it.
func one[T any](t *testing.T, text string, f func(*Parser) T) string {
	t.Helper()
	p := parse(t, text)
	v := f(p)
	p.End()
	var syntax *SyntaxError
	switch err := p.Err(); {
	case errors.As(err, &syntax):
		return fmt.Sprintf("%s at %d", syntax.Expected, syntax.At)
	case err != nil:
		return err.Error()
	}
	return fmt.Sprintf("%v", v)
}

func text(f func(*Parser) []byte) func(*Parser) string {
	return func(p *Parser) string { return string(f(p)) }
}

func TestWordsAndStrings(t *testing.T) {
	tests := []struct {
		name string
		f    func(*Parser) []byte
		in   string
		want string
	}{
		{"tag", (*Parser).Tag, "a.1]", "a.1]"},
		{"tag", (*Parser).Tag, "+", "tag at 0"},
		{"tag", (*Parser).Tag, "a+", "CRLF at 1"},
		{"tag", (*Parser).Tag, "", "tag at 0"},
		{"atom", (*Parser).Atom, "AUTH=PLAIN", "AUTH=PLAIN"},
		{"atom", (*Parser).Atom, "a]", "CRLF at 1"},
		{"atom", (*Parser).Atom, "(", "atom at 0"},
		{"atom", (*Parser).Atom, "a\x00", "CRLF at 1"},
		{"atom", (*Parser).Atom, "\x7f", "atom at 0"},
		{"atom", (*Parser).Atom, "ü", "atom at 0"},
		{"word", (*Parser).Word, "BODY.PEEK", "BODY.PEEK"},
		{"word", (*Parser).Word, "BODY[TEXT]", "CRLF at 4"},
		{"word", (*Parser).Word, "APPENDLIMIT=5", "CRLF at 11"},
		{"astring", (*Parser).AString, "a]+b", "a]+b"},
		{"astring", (*Parser).AString, "~x", "~x"},
		{"astring", (*Parser).AString, "a*", "CRLF at 1"},
		{"astring", (*Parser).AString, `"a b"`, "a b"},
		{"astring", (*Parser).AString, `""`, ""},
		{"astring", (*Parser).AString, "", "astring at 0"},
		{"astring", (*Parser).AString, "{5}", "unexpected EOF"},
		{"astring", (*Parser).AString, "{5+}\r\na\r\nb)", "a\r\nb)"},
		{"astring", (*Parser).AString, "{5}\r\na\r\nb)", "a\r\nb)"},
		{"astring", (*Parser).AString, "{0}\r\n", ""},
		{"astring", (*Parser).AString, "{3+}\r\na\x00b", "NUL in a literal"},
		{"astring", (*Parser).AString, "~{3+}\r\nabc", "CRLF at 1"},
		{"astring", (*Parser).AString, "{x}", "literal at 0"},
		{"astring", (*Parser).AString, "{3} ", "literal at 0"},
		{"astring", (*Parser).AString, "{65537}", "literal too big: more than 65536 bytes"},
		{"astring", (*Parser).AString, "{9223372036854775808}", "literal too big: more than 9223372036854775807 bytes"},
		{"string", (*Parser).String, "atom", "string at 0"},
		{"quoted", (*Parser).String, `"a\"b\\c"`, `a"b\c`},
		{"quoted", (*Parser).String, `"\\"`, `\`},
		{"quoted", (*Parser).String, `"a\b"`, "quoted-specials at 3"},
		{"quoted", (*Parser).String, `"a\`, "quoted-specials at 3"},
		{"quoted", (*Parser).String, `"a`, `""" at 2`},
		{"quoted", (*Parser).String, `"a\""x`, `CRLF at 5`},
		{"quoted", (*Parser).String, "\"a\rb\"", "QUOTED-CHAR at 2"},
		{"quoted", (*Parser).String, "\"a\x00b\"", "QUOTED-CHAR at 2"},
		{"quoted", (*Parser).String, "\"\\\"\x00b\"", "QUOTED-CHAR at 3"},
		{"quoted", (*Parser).String, "\"a\tb\x01\"", "a\tb\x01"}, // TEXT-CHAR: any CHAR but CR and LF
		{"quoted", (*Parser).String, `"ü"`, "QUOTED-CHAR at 1"},
		{"quoted", (*Parser).String, `"\"ü"`, "QUOTED-CHAR at 3"},
		{"flag", (*Parser).Flag, `\Seen`, `\Seen`},
		{"flag", (*Parser).Flag, `$Junk`, `$Junk`},
		{"flag", (*Parser).Flag, `\*`, "flag at 1"},
		{"flag", (*Parser).Flag, `\`, "flag at 1"},
		{"flag", (*Parser).Flag, `\\Seen`, "flag at 1"},
		{"flag-perm", (*Parser).FlagPerm, `\*`, `\*`},
		{"flag-perm", (*Parser).FlagPerm, `\Seen`, `\Seen`},
		{"text", (*Parser).Text, "any (text] at \"all", "any (text] at \"all"},
		{"text", (*Parser).Text, "", ""},
		{"text", (*Parser).Text, "a\x00", "text at 1"},
		{"until", func(p *Parser) []byte { b := p.Until(']'); p.Try(']'); return b }, "a b]", "a b"},
		{"until", func(p *Parser) []byte { return p.Until(']') }, "a b", `"]" at 0`},
	}
	for _, test := range tests {
		if got := one(t, test.in, text(test.f)); got != test.want {
			t.Errorf("%s of %q: %q, want %q", test.name, test.in, got, test.want)
		}
	}
}

func TestQuotedUTF8(t *testing.T) {
	for in, want := range map[string]string{
		`"ü"`: "ü", `"\"ü"`: `"ü`, `"ü\""`: `ü"`, "\"\xff\"": "UTF-8", "\"\\\"\xff\"": "UTF-8", "\"\xff\\\"\"": "UTF-8",
	} {
		p := parse(t, in)
		p.QuotedUTF8 = true
		got := string(p.String())
		var syntax *SyntaxError
		if errors.As(p.Err(), &syntax) {
			got = syntax.Expected
		}
		if got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestNString(t *testing.T) {
	for in, want := range map[string]string{
		"NIL": "<nil>", "nil": "<nil>", `"NIL"`: "NIL", `""`: "", "{3+}\r\nNIL": "NIL",
		"~{3+}\r\na\x00b": "a\x00b", "NILS": "nstring at 0", "x": "nstring at 0", "": "nstring at 0",
	} {
		got := one(t, in, func(p *Parser) string {
			if s, ok := p.NString(); ok {
				return string(s)
			}
			return "<nil>"
		})
		if got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	tests := []struct {
		f        func(*Parser) uint64
		in, want string
	}{
		{func(p *Parser) uint64 { return uint64(p.Number()) }, "0", "0"},
		{func(p *Parser) uint64 { return uint64(p.Number()) }, "4294967295", "4294967295"},
		{func(p *Parser) uint64 { return uint64(p.Number()) }, "4294967296", "number at 0"},
		{func(p *Parser) uint64 { return uint64(p.Number()) }, "", "number at 0"},
		{func(p *Parser) uint64 { return uint64(p.Number()) }, "-1", "number at 0"},
		{func(p *Parser) uint64 { return uint64(p.NZNumber()) }, "1", "1"},
		{func(p *Parser) uint64 { return uint64(p.NZNumber()) }, "0", "nz-number at 0"},
		{func(p *Parser) uint64 { return uint64(p.NZNumber()) }, "01", "nz-number at 0"},
		{(*Parser).Number64, "9223372036854775807", "9223372036854775807"},
		{(*Parser).Number64, "9223372036854775808", "number64 at 0"},
		{(*Parser).Number64, strings.Repeat("9", 10_000), "number64 at 0"},
	}
	for _, test := range tests {
		if got := one(t, test.in, test.f); got != test.want {
			t.Errorf("%.30q: %q, want %q", test.in, got, test.want)
		}
	}
}

func TestFlagLists(t *testing.T) {
	for in, want := range map[string]string{
		"()": "[]", `(\Seen a)`: `[\Seen a]`, "(a": `")" at 2`, "(a )": "flag at 3", "(a b c d)": "too many flags: more than 3",
		`\Seen a`: `[\Seen a]`, "a": "[a]", "": "flag at 0", "a ": "flag at 2", "( a)": "flag at 1",
	} {
		got := one(t, in, func(p *Parser) string { return fmt.Sprintf("%s", p.Flags(nil, 3)) })
		if got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestMailboxNames(t *testing.T) {
	tests := []struct {
		in        string
		utf8      bool
		want, pat string
	}{
		{"inBox", false, "INBOX", "inBox"},
		{`"INBOX"`, false, "INBOX", "INBOX"},
		{"{5+}\r\niNbOx", true, "INBOX", "iNbOx"},
		{"INBOX/x", false, "INBOX/x", "INBOX/x"},
		{`""`, false, "", ""},
		{"&ANw-ber", false, "Über", "Über"},
		{"&ANw-ber", true, "&ANw-ber", "&ANw-ber"},
		{`"R&D"`, false, "R&D", "R&D"},
		{`"R&-D"`, false, "R&D", "R&D"},
		{`"R&D"`, true, "R&D", "R&D"}, // Thunderbird with UTF8=ACCEPT
		{`"Jobs & More"`, true, "Jobs & More", "Jobs & More"},
		{"{5+}\r\n\xc3\x9cber", true, "Über", "Über"},
		{"{5+}\r\n\xc3\x9cber", false, "Über", "Über"},
		{"{4+}\r\n\xdcber", true, "error", "error"},
		{"{4+}\r\n\xdcber", false, "error", "error"},
		{"a*%b", false, "error", "a*%b"},
		{`"*"`, false, "*", "*"},
	}
	for _, test := range tests {
		name := func(f func(*Parser) string) string {
			p := parse(t, test.in)
			p.NamesUTF8 = test.utf8
			s := f(p)
			if p.End(); p.Err() != nil {
				return "error"
			}
			return s
		}
		if got := name((*Parser).Mailbox); got != test.want {
			t.Errorf("mailbox %q: %q, want %q", test.in, got, test.want)
		}
		if got := name((*Parser).ListMailbox); got != test.pat {
			t.Errorf("pattern %q: %q, want %q", test.in, got, test.pat)
		}
	}
}

func TestNesting(t *testing.T) {
	p := parse(t, strings.Repeat("(", 10_000)+strings.Repeat(")", 10_000))
	var down func() int
	down = func() int {
		if !p.Try('(') || !p.Enter() {
			return 0
		}
		defer p.Leave()
		n := down()
		p.Expect(')')
		return n + 1
	}
	if n := down(); n != 100 {
		t.Errorf("%d levels", n)
	}
	var limit *LimitError
	if !errors.As(p.Err(), &limit) || limit.Max != 100 {
		t.Error(p.Err())
	}
}

func TestFirstErrorStays(t *testing.T) {
	p := parse(t, "a b {3+}\r\nxyz c")
	p.Tag()
	p.SP()
	p.Number()
	first := p.Err()
	var set Set
	p.Set(&set)
	p.Mailbox()
	p.ListMailbox()
	p.FlagList(nil, 3)
	p.DateTime()
	p.Date()
	p.Text()
	p.Until('x')
	p.PeekWord()
	p.TryWord("B")
	p.ExpectWord("B")
	p.Expect('b')
	p.NString()
	p.FlagPerm()
	p.AtEnd()
	p.End()
	if l := p.Literal(); l.Accept() != first {
		t.Errorf("Accept: %v", l.Accept())
	}
	if p.Err() != first || first == nil || p.Enter() || p.Peek() != 0 {
		t.Errorf("%v, then %v", first, p.Err())
	}
}

func TestStreamedLiterals(t *testing.T) {
	p := parse(t, "{3+}\r\na\x00b")
	if l := p.Literal(); l.Accept() != nil {
		t.Error("not accepted")
	} else if _, err := whole(l, 0); err != ErrNUL {
		t.Errorf("NUL: %v", err)
	}
	p = parse(t, "{3+}\r\na\x00b")
	p.LiteralNUL = true
	l := p.Literal()
	if _, err := l.Read(make([]byte, 3)); err == nil || l.Accept() != nil || l.Accept() != nil {
		t.Error("read before it was accepted")
	}
	if s, err := whole(l, 1); s != "a\x00b" || err != nil {
		t.Errorf("%q, %v", s, err)
	}
	p.r.Finish()
	if _, err := l.Read(make([]byte, 3)); err == nil || err == io.EOF || l.Accept() == nil {
		t.Errorf("read after its command: %v", err)
	}

	p = parse(t, "{5}\r\nab")
	l = p.Literal()
	l.Accept()
	if s, err := whole(l, 0); s != "ab\r\n" || err != io.ErrUnexpectedEOF || p.r.Begin() != io.ErrUnexpectedEOF {
		t.Errorf("cut off: %q, %v", s, err)
	}

	// RFC 7888 5: without LITERAL+ 4096 bytes are the most.
	for size, want := range map[int]bool{4096: true, 4097: false} {
		p = parse(t, fmt.Sprintf("~{%d+}", size))
		p.LiteralPlus = false
		p.Literal()
		var tooBig *TooBigError
		if p.Err() == nil != want || (!want && !errors.As(p.Err(), &tooBig)) {
			t.Errorf("LITERAL-, %d bytes: %v", size, p.Err())
		}
	}
	p = parse(t, "{4097}")
	p.LiteralPlus = false
	if p.Literal(); p.Err() != nil {
		t.Errorf("LITERAL-, synchronising: %v", p.Err())
	}
}

// An announced literal is no end of a command, whoever has read past it.
func TestEndBeforeLiteral(t *testing.T) {
	for _, in := range []string{"{3}", "{3+}\r\nabc"} {
		p := parse(t, in)
		if p.Literal(); p.AtEnd() {
			t.Errorf("%q: at its end", in)
		}
		if p.End(); p.Err() == nil {
			t.Errorf("%q: an end behind a literal that was not accepted", in)
		}
		p = parse(t, in)
		p.Text()
		if p.End(); p.Err() == nil {
			t.Errorf("%q: an end behind a text", in)
		}
	}
}

// Offsets and the limit of text go on behind literals, whose bodies don't count.
func TestTextOfSeveralLines(t *testing.T) {
	in := "a {5+}\r\n12345 {5+}\r\n12345 b\r\n"
	for limit, want := range map[int]string{13: "expected number at byte 12", 12: ErrLineTooLong.Error()} {
		r := server(strings.NewReader(in), Limits{LineBytesMax: limit})
		r.Begin()
		p := r.Parser()
		p.Tag()
		p.SP()
		p.AString()
		p.SP()
		p.AString()
		p.SP()
		if p.Number(); p.Err() == nil || p.Err().Error() != want {
			t.Errorf("%d bytes of text: %v, want %s", limit, p.Err(), want)
		}
	}
}

// All literals of a command share the memory that there is for them.
func TestMemoryForLiterals(t *testing.T) {
	r := server(strings.NewReader("a {40+}\r\n"+strings.Repeat("x", 40)+" {40+}\r\n"+strings.Repeat("x", 40)+"\r\nb NOOP\r\n"),
		Limits{LiteralBytesMax: 60})
	r.Begin()
	p := r.Parser()
	p.Tag()
	p.SP()
	p.AString()
	p.SP()
	if p.Err() != nil {
		t.Error(p.Err())
	}
	var tooBig *TooBigError
	if p.AString(); !errors.As(p.Err(), &tooBig) || tooBig.Max != 20 || tooBig.Size != 40 {
		t.Error(p.Err())
	}
	if err := r.Begin(); err != nil || string(p.Tag()) != "b" {
		t.Errorf("behind it: %v", err)
	}
}

func TestNumberOfLiterals(t *testing.T) {
	r := server(strings.NewReader("a"+strings.Repeat(" {1+}\r\nx", 11)+"\r\nb NOOP\r\n"), Limits{LiteralsMax: 10})
	r.Begin()
	p := r.Parser()
	p.Tag()
	for range 11 {
		p.SP()
		p.AString()
	}
	var limit *LimitError
	if !errors.As(p.Err(), &limit) {
		t.Error(p.Err())
	}
	if err := r.Begin(); err != nil || string(p.Tag()) != "b" {
		t.Errorf("behind it: %v", err)
	}
}

// A handler that asks for the literal and is told that the connection is gone.
func TestContinueFails(t *testing.T) {
	r := NewReader(strings.NewReader("a {3}\r\n"), Limits{})
	r.Continue = func() error { return io.ErrClosedPipe }
	r.Begin()
	p := r.Parser()
	p.Tag()
	p.SP()
	if p.AString(); p.Err() != io.ErrClosedPipe || Recoverable(p.Err()) || r.Finish() != io.ErrClosedPipe {
		t.Error(p.Err())
	}
}

// The same parser reads responses: literals follow unasked, texts may look like
// announcements.
func TestResponses(t *testing.T) {
	in := "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi {5}\r\n" +
		"* 1 FETCH (UID 7 BODY[] {7}\r\na\r\nb\x80\r\n BINARY[1] ~{2}\r\n\x00\n FLAGS (\\Seen))\r\n" +
		"* 2 FETCH (BODY[] {8}\r\nt1 OK x\r\n)\r\n" +
		"+ go on {3}\r\n" +
		"t1 NO [UNKNOWN a b] no\r\n"
	readers(t, func(t *testing.T, slow func(io.Reader) io.Reader) {
		r := NewReader(slow(strings.NewReader(in)), Limits{})
		p := r.Parser()
		begin := func() {
			t.Helper()
			if err := r.Begin(); err != nil {
				t.Fatal(err)
			}
		}
		check := func(got, want string) {
			t.Helper()
			if got != want || p.Err() != nil {
				t.Fatalf("%q, want %q, %v", got, want, p.Err())
			}
		}
		begin()
		p.Expect('*')
		p.SP()
		p.ExpectWord("OK")
		p.SP()
		p.Expect('[')
		check(string(p.Atom()), "CAPABILITY")
		check(string(p.Until(']')), " IMAP4rev1 AUTH=PLAIN")
		p.Expect(']')
		p.SP()
		check(string(p.Text()), "hi {5}")
		p.End()
		begin()
		p.Expect('*')
		p.SP()
		check(fmt.Sprint(p.Number()), "1")
		p.SP()
		p.ExpectWord("FETCH")
		p.SP()
		p.Expect('(')
		p.ExpectWord("UID")
		p.SP()
		check(fmt.Sprint(p.NZNumber()), "7")
		p.SP()
		check(string(p.Word()), "BODY")
		p.Expect('[')
		p.Expect(']')
		p.SP()
		body := p.Literal()
		body.Accept()
		s, _ := whole(body, 0)
		check(s, "a\r\nb\x80\r\n")
		p.SP()
		p.ExpectWord("BINARY")
		check(string(p.Until(' ')), "[1]")
		p.SP()
		binary, _ := p.NString()
		check(string(binary), "\x00\n")
		p.SP()
		p.ExpectWord("FLAGS")
		p.SP()
		check(fmt.Sprintf("%s", p.FlagList(nil, 9)), `[\Seen]`)
		p.Expect(')')
		p.End()
		check("", "")
		begin() // a response that is not looked at
		begin()
		p.Expect('+')
		p.SP()
		check(string(p.Text()), "go on {3}")
		begin()
		check(string(p.Tag()), "t1")
		if err := r.Begin(); err != io.EOF {
			t.Error(err)
		}
	})
}
