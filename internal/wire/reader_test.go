package wire

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
)

// Whatever a handler does, the next command seen is the next one sent: the
// bodies of refused and abandoned literals are never commands (RFC 7888 3).
func TestNoHandlerBreaksTheFraming(t *testing.T) {
	readers(t, func(t *testing.T, slow func(io.Reader) io.Reader) {
		for seed := range uint64(3000) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			client := &peer{}
			for n := range 20 {
				client.commands = append(client.commands, randomCommand(rnd, n))
			}
			r := NewReader(slow(client), Limits{LineBytesMax: 150, LiteralBytesMax: 100})
			r.Continue = client.proceed
			for n := range 20 {
				if err := r.Begin(); err != nil && !Recoverable(err) {
					t.Fatalf("seed %d: command %d: %v", seed, n, err)
				}
				if tag, want := string(r.Parser().Tag()), "A"+strconv.Itoa(n); tag != want {
					t.Fatalf("seed %d: command %q was run, want %q", seed, tag, want)
				}
				misbehave(rnd, r.Parser())
				if rnd.IntN(2) == 0 { // Begin does it otherwise
					if err := r.Finish(); err != nil {
						t.Fatalf("seed %d: Finish of %d: %v", seed, n, err)
					}
				}
			}
			if err := r.Begin(); err != io.EOF {
				t.Fatalf("seed %d: at the end: %v", seed, err)
			}
		}
	})
}

func TestRefusedLiterals(t *testing.T) {
	long := strings.Repeat("x", 300)
	tests := []struct{ name, in, want string }{
		{"no literal", "a NOOP\r\nb NOOP\r\n", "a b"},
		{"non-synchronising", "a APPEND x {8+}\r\nc NOOP\r\n\r\nb NOOP\r\n", "a b"},
		{"literal8", "a APPEND x ~{8+}\r\nc NOOP\r\n\r\nb NOOP\r\n", "a b"},
		{"empty", "a {0+}\r\n\r\nb NOOP\r\n", "a b"},
		{"several", "a {3+}\r\nx\r\n {2+}\r\n\r\n {1+}\r\nx\r\nb NOOP\r\n", "a b"},
		{"non-synchronising, then refused", "a {3+}\r\nxyz {5}\r\nb NOOP\r\n", "a b"},
		{"leading zeros", "a {0000000000000000000000000003+}\r\nx\r\n\r\nb NOOP\r\n", "a b"},
		{"no count", "a {+}\r\nb NOOP\r\n", "a b"},
		{"empty braces", "a {}\r\nb {\r\nc }\r\nd +}\r\n", "a b c d"},
		{"garbage in the count", "a {5+ \r\nb {5++}\r\nc {5+}x\r\nd {-5+}\r\ne {5 +}\r\n", "a b c d e"},
		{"inside an open quote", "a \"{3+}\r\nx\r\n\r\nb NOOP\r\n", "a b"},
		{"braces in braces", "a {{3+}\r\nxyz\r\nb {3{3+}\r\nxyz\r\nc NOOP\r\n", "a b c"},
		{"behind a line that is too long", "a " + long + "{3+}\r\nx\r\n\r\nb NOOP\r\n", "a b"},
		{"count across the limit", "a " + long[:195] + "{0000003+}\r\nx\r\n\r\nb NOOP\r\n", "a b"},
		{"too long, then refused", "a " + long + "{3}\r\nb NOOP\r\n", "a b"},
		{"behind a bare LF", "a \nc NOOP {3+}\r\nx\r\n\r\nb NOOP\r\n", "a b"},
		{"announced before a bare LF", "a {9+}\nc NOOP\r\nb NOOP\r\n", "a b"},
		{"bare CR", "a \rc NOOP\r\nb NOOP\r\n", "a b"},
		{"CR before CRLF", "a {3+}\r\r\nb NOOP\r\n", "a b"},
		{"no text", "\r\nb NOOP\r\n", " b"},
	}
	readers(t, func(t *testing.T, slow func(io.Reader) io.Reader) {
		for _, test := range tests {
			r := server(slow(strings.NewReader(test.in)), Limits{LineBytesMax: 200})
			if strings.Contains(test.name, "then refused") {
				r = server(&peer{commands: split(test.in, "}\r\n")}, Limits{LineBytesMax: 200})
			}
			var tags []string
			for {
				err := r.Begin()
				if err == io.EOF {
					break
				}
				if err != nil && !Recoverable(err) {
					t.Errorf("%s: %v", test.name, err)
					break
				}
				tags = append(tags, string(r.Parser().Tag()))
			}
			if got := strings.Join(tags, " "); got != test.want {
				t.Errorf("%s: run were %q, want %q", test.name, got, test.want)
			}
		}
	})
}

// split makes commands that end behind each last appearance of end.
func split(in, end string) [][]string {
	i := strings.LastIndex(in, end) + len(end)
	return [][]string{{in[:i]}, {in[i:]}}
}

func TestLiteralsAreReadExactly(t *testing.T) {
	for _, size := range []int{0, 1, 511, 512, 513, 5000, pooledBytes - 1, pooledBytes, 100_000} {
		for _, announced := range []string{"{%}", "{%+}", "~{%}", "~{%+}"} {
			readers(t, func(t *testing.T, slow func(io.Reader) io.Reader) {
				for by := range 2 {
					body := strings.Repeat("b NOOP\r\n", size/8+1)[:size]
					head := "a APPEND INBOX " + strings.ReplaceAll(announced, "%", strconv.Itoa(size)) + "\r\n"
					client := &peer{commands: [][]string{{head + body, " (X)\r\n"}}}
					if !strings.Contains(announced, "+") {
						client.commands = [][]string{{head, body + " (X)\r\n"}}
					} else {
						client.commands = [][]string{{head + body + " (X)\r\n"}}
					}
					client.commands = append(client.commands, []string{"c NOOP\r\n"})
					r := NewReader(slow(client), Limits{})
					r.Continue = client.proceed
					p := r.Parser()
					p.LiteralPlus = true
					if err := r.Begin(); err != nil {
						t.Fatal(err)
					}
					tag := p.Tag()
					p.SP()
					p.Word()
					p.SP()
					p.Mailbox()
					p.SP()
					l := p.Literal()
					if err := l.Accept(); err != nil {
						t.Fatalf("%s %d: %v", announced, size, err)
					}
					got, err := whole(l, by)
					if got != body || err != nil {
						t.Fatalf("%s: %d bytes of %d, %v", announced, len(got), size, err)
					}
					if l.Binary != (announced[0] == '~') || l.Sync == strings.Contains(announced, "+") || l.Size != int64(size) {
						t.Errorf("%s: %+v", announced, l)
					}
					p.SP()
					flags := p.FlagList(nil, 5)
					p.End()
					if p.Err() != nil || len(flags) != 1 || string(flags[0]) != "X" || string(tag) != "a" {
						t.Errorf("%s %d: behind it: %q %q %v", announced, size, tag, flags, p.Err())
					}
					if err := r.Begin(); err != nil || string(p.Tag()) != "c" {
						t.Errorf("%s %d: next command: %v", announced, size, err)
					}
				}
			})
		}
	}
}

func TestLongText(t *testing.T) {
	readers(t, func(t *testing.T, slow func(io.Reader) io.Reader) {
		exact := "a " + strings.Repeat("x", 198)
		r := server(slow(strings.NewReader(exact+"\r\n"+exact+"y\r\nb NOOP\r\n")), Limits{LineBytesMax: 200})
		if err := r.Begin(); err != nil {
			t.Errorf("at the limit: %v", err)
		}
		if err := r.Begin(); err != ErrLineTooLong {
			t.Errorf("above the limit: %v", err)
		}
		p := r.Parser()
		if tag := string(p.Tag()); tag != "a" {
			t.Errorf("tag of a long line: %q", tag)
		}
		p.SP()
		p.Atom()
		if p.End(); p.Err() == nil {
			t.Error("a line that is too long has an end")
		}
		if err := r.Begin(); err != nil || string(p.Tag()) != "b" {
			t.Errorf("behind it: %v", err)
		}
		// The limit is for the text of all lines of a command.
		r = server(slow(strings.NewReader("a {1+}\r\nx "+exact[:195]+"\r\nb NOOP\r\n"+exact[:195]+"\r\n")), Limits{LineBytesMax: 200})
		r.Begin()
		p = r.Parser()
		p.Tag()
		p.SP()
		p.AString()
		if p.SP(); p.Err() != ErrLineTooLong {
			t.Errorf("two lines: %v", p.Err())
		}
		if err := r.Begin(); err != nil || string(p.Tag()) != "b" {
			t.Errorf("behind two lines: %v", err)
		}
		if err := r.Begin(); err != nil {
			t.Errorf("the next command's text: %v", err)
		}
	})
	// RFC 2683 3.2.1.5: any 10,000 UIDs fit the default.
	var set Set
	for n := range uint32(10_000) {
		set.Ranges = append(set.Ranges, Range{4_000_000_000 + 2*n, 4_000_000_000 + 2*n})
	}
	p := parse(t, "a UID FETCH "+set.String()+" FLAGS")
	var got Set
	p.Tag()
	p.SP()
	p.Word()
	p.SP()
	p.Word()
	p.SP()
	if p.Set(&got); p.Err() != nil || len(got.Ranges) != 10_000 {
		t.Errorf("10,000 UIDs: %d, %v", len(got.Ranges), p.Err())
	}
}

func TestFinalErrors(t *testing.T) {
	tests := []struct {
		name, in string
		want     error
	}{
		{"skip too big", "a {70000000+}\r\n", ErrSkipTooBig},
		{"2^63", "a {9223372036854775808+}\r\n", ErrSkipTooBig},
		{"absurd", "a {" + strings.Repeat("9", 1000) + "+}\r\n", ErrSkipTooBig},
		{"sum too big", "a {40+}\r\n" + strings.Repeat("x", 40) + "{67108860+}\r\n", ErrSkipTooBig},
		{"did not wait", "a {9}\r\nb NOOP\r\n\r\n", ErrNotWaited},
		{"ends in a literal", "a {9+}\r\nb N", io.ErrUnexpectedEOF},
		{"ends in text", "a {1+}\r\nb N", io.ErrUnexpectedEOF},
	}
	for _, test := range tests {
		r := server(strings.NewReader(test.in), Limits{})
		if err := r.Begin(); err != nil {
			t.Errorf("%s: Begin: %v", test.name, err)
		}
		for range 2 {
			if err := r.Finish(); err != test.want {
				t.Errorf("%s: Finish: %v, want %v", test.name, err, test.want)
			}
			if err := r.Begin(); err != test.want {
				t.Errorf("%s: Begin after it: %v, want %v", test.name, err, test.want)
			}
		}
	}
	r := server(strings.NewReader("a X\r\nDON"), Limits{})
	r.Begin()
	if _, err := r.Line(9); err != io.ErrUnexpectedEOF {
		t.Errorf("half a line: %v", err)
	}
	r = server(strings.NewReader("a {9+}\r\n"), Limits{})
	r.Begin()
	if _, err := r.Line(9); err != errNoLine {
		t.Errorf("a line in place of a literal: %v", err)
	}
	endless := server(endlessReader{}, Limits{})
	if err := endless.Begin(); err != ErrLineTooLong {
		t.Errorf("endless line: %v", err)
	}
	if err := endless.Finish(); err != ErrSkipTooBig {
		t.Errorf("endless line: Finish: %v", err)
	}
	if n := len(endless.input.buf); n > 1<<20 {
		t.Errorf("endless line: a buffer of %d bytes", n)
	}
	if err := server(strings.NewReader("a NO"), Limits{}).Begin(); err != io.ErrUnexpectedEOF {
		t.Errorf("half a command: %v", err)
	}
}

type endlessReader struct{}

func (endlessReader) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

// A session may wait with a deadline and lose nothing.
func TestDeadlines(t *testing.T) {
	src := &hesitant{text: "a IDLE\r\nDONE\r\nb NOOP\r\n"}
	r := server(src, Limits{})
	retry := func(f func() error) (n int) {
		for err := f(); err != nil; err = f() {
			if err != os.ErrDeadlineExceeded {
				t.Fatal(err)
			}
			n++
		}
		return n
	}
	if n := retry(r.Begin); n != len("a IDLE\r\n") {
		t.Errorf("%d deadlines", n)
	}
	p := r.Parser()
	p.Tag()
	p.SP()
	p.ExpectWord("IDLE")
	if p.End(); p.Err() != nil {
		t.Error(p.Err())
	}
	var line []byte
	retry(func() (err error) { line, err = r.Line(10); return err })
	if string(line) != "DONE" {
		t.Errorf("line %q", line)
	}
	retry(r.Wait)
	retry(r.Begin)
	if tag := string(p.Tag()); tag != "b" {
		t.Errorf("tag %q", tag)
	}
}

// hesitant gives a byte after every deadline that has passed.
type hesitant struct {
	text  string
	ready bool
}

func (h *hesitant) Read(b []byte) (int, error) {
	if h.ready = !h.ready; h.ready {
		return 0, os.ErrDeadlineExceeded
	}
	if h.text == "" {
		return 0, io.EOF
	}
	b[0], h.text = h.text[0], h.text[1:]
	return 1, nil
}

func TestLines(t *testing.T) {
	readers(t, func(t *testing.T, slow func(io.Reader) io.Reader) {
		r := server(slow(strings.NewReader("a AUTHENTICATE X\r\n"+strings.Repeat("cmVzcG9uc2U=\r\n", 9)+
			strings.Repeat("x", 99)+"\r\nb NOOP\r\n")), Limits{})
		if err := r.Begin(); err != nil {
			t.Fatal(err)
		}
		tag := r.Parser().Tag()
		for range 9 {
			if line, err := r.Line(50); string(line) != "cmVzcG9uc2U=" || err != nil {
				t.Errorf("%q %v", line, err)
			}
		}
		if _, err := r.Line(50); err != ErrLineTooLong {
			t.Errorf("long line: %v", err)
		}
		if string(tag) != "a" {
			t.Errorf("the tag has become %q", tag)
		}
		if err := r.Begin(); err != nil || string(r.Parser().Tag()) != "b" {
			t.Errorf("behind it: %v", err)
		}
	})
	many := server(strings.NewReader("a X\r\n"+strings.Repeat("line\r\n", 100_000)), Limits{})
	many.Begin()
	for range 100_000 {
		if _, err := many.Line(50); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(many.input.buf); n > pooledBytes {
		t.Errorf("100,000 lines: a buffer of %d bytes", n)
	}
}

// What was said must be on its way before a read may block, and only then.
func TestBeforeRead(t *testing.T) {
	reads := 0
	r := server(strings.NewReader(strings.Repeat("a NOOP\r\n", 60)), Limits{})
	r.BeforeRead = func() error { reads++; return nil }
	for range 60 {
		if err := r.Begin(); err != nil {
			t.Fatal(err)
		}
	}
	if reads != 1 {
		t.Errorf("%d reads for one packet", reads)
	}
	if r.Ahead() != nil || r.Buffered() != 0 {
		t.Error("something is left")
	}
	fault := errors.New("not durable")
	r.BeforeRead = func() error { return fault }
	if err := r.Begin(); err != fault {
		t.Error(err)
	}
}

func TestAheadAndReset(t *testing.T) {
	r := server(strings.NewReader("a STARTTLS\r\nb NOOP\r\nc NO"), Limits{})
	r.Begin()
	if line := r.Ahead(); string(line) != "b NOOP\r\n" || r.Buffered() != len("b NOOP\r\nc NO") {
		t.Errorf("%q is ahead with %d bytes", line, r.Buffered())
	}
	r.Begin()
	if line := r.Ahead(); line != nil {
		t.Errorf("%q is ahead, which is half a command", line)
	}
	r.Reset(strings.NewReader("d NOOP\r\n"))
	if err := r.Begin(); err != nil || string(r.Parser().Tag()) != "d" {
		t.Errorf("bytes from before the reset are a command: %v", err)
	}
}

// However the text before a literal lies in the buffer, its reads are large.
func TestLiteralsAreReadInLargePieces(t *testing.T) {
	for _, accept := range []bool{true, false} {
		for pad := range 40 {
			head := "a " + strings.Repeat("x", pooledBytes-40+pad) + " {1000000+}\r\n"
			r := server(io.MultiReader(strings.NewReader(head), io.LimitReader(endlessReader{}, 1_000_000),
				strings.NewReader("\r\nb NOOP\r\n")), Limits{})
			reads := 0
			r.BeforeRead = func() error { reads++; return nil }
			p := r.Parser()
			p.LiteralPlus = true
			r.Begin()
			p.Tag()
			p.SP()
			p.Atom()
			p.SP()
			if l := p.Literal(); accept {
				l.Accept()
				if n, err := l.WriteTo(io.Discard); n != 1_000_000 || err != nil {
					t.Fatal(n, err)
				}
			}
			if err := r.Begin(); err != nil || string(p.Tag()) != "b" || reads > 150 {
				t.Fatalf("pad %d, accept %v: %d reads, %v", pad, accept, reads, err)
			}
		}
	}
}

func TestParkedReaderHasNoBuffer(t *testing.T) {
	r := server(strings.NewReader("a "+strings.Repeat("x", 5000)+"\r\n"), Limits{})
	r.Begin()
	if r.input.pooled == nil {
		t.Error("no pooled buffer for a long line")
	}
	r.Begin() // waits for more
	if r.input.pooled != nil || len(r.input.buf) != smallBytes {
		t.Error("a waiting Reader keeps its buffer")
	}
}

func TestRestingReaderHasNoBuffer(t *testing.T) {
	r := server(strings.NewReader("a NOOP\r\nb NOOP\r\n"), Limits{})
	r.Begin()
	r.Finish()
	r.Rest()
	if r.Buffered() != len("b NOOP\r\n") {
		t.Error("a Reader that rests forgets what it has received")
	}
	r.Begin()
	r.Finish()
	r.Rest()
	if r.input.small != nil || r.input.buf != nil {
		t.Error("a Reader that rests keeps its buffer")
	}
	if err := r.Begin(); err != io.EOF {
		t.Error(err)
	}
}
