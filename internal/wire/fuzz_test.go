package wire

import (
	"bytes"
	"io"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

var announced = regexp.MustCompile(`(?s)\{([0-9]+)(\+?)\}$`)

// framesOf is framing in the plainest way, for a server that refuses all
// literals: the first line of each command.
func framesOf(in []byte, skipMax int64) (first []string) {
	for begin := true; ; {
		line, rest, found := bytes.Cut(in, []byte("\r\n"))
		if !found {
			return first
		}
		if begin {
			first = append(first, string(line))
		}
		in, begin = rest, true
		if m := announced.FindSubmatch(line); m != nil && len(m[2]) > 0 {
			size, _ := new(big.Int).SetString(string(m[1]), 10)
			if size.Cmp(big.NewInt(min(skipMax, int64(len(in))))) > 0 {
				return first
			}
			in, begin = in[size.Int64():], false
		}
	}
}

// goodPart is what Begin lets a handler see of a line.
func goodPart(line string, max int) string {
	good, _, bareLF := strings.Cut(line, "\n")
	if bareLF && len(good) <= max && len(line) > len(good) {
		return good
	}
	return line[:min(len(line), max)]
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("a NOOP\r\nb NOOP\r\n"))
	f.Add([]byte("a {3+}\r\nxyz {4+}\r\nb {1}\r\nc {0+}\r\nd\r\n"))
	f.Add([]byte("a \n{3+}\r\nx\r\nb\r\n" + strings.Repeat("long", 100) + "{0003+}\r\nabc\r\nd"))
	f.Add([]byte("{18446744073709551619+}\r\n{{5+}\r\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		limits := Limits{LineBytesMax: 60, SkipBytesMax: 1 << 20}
		want := framesOf(in, limits.SkipBytesMax)
		for _, src := range []io.Reader{iotest.OneByteReader(bytes.NewReader(in)), bytes.NewReader(in)} {
			r := server(src, limits)
			var got []string
			var err error
			for {
				if err = r.Begin(); err != nil && !Recoverable(err) {
					break
				}
				got = append(got, string(r.Parser().text))
			}
			for i, line := range got {
				// A last line without its end can be known to be bad.
				if i < len(want) && line != goodPart(want[i], limits.LineBytesMax) {
					t.Fatalf("command %d is %q, want of %q", i, line, want[i])
				}
			}
			if err != ErrNotWaited && len(got) < len(want) || len(got) > len(want)+1 {
				t.Fatalf("%d commands, want %d (%v)", len(got), len(want), err)
			}
		}
	})
}

func FuzzParser(f *testing.F) {
	f.Add("a UID FETCH 1:* (FLAGS BODY.PEEK[1.2]<0.5>)\r\n", []byte("\x00\x06\x03"))
	f.Add("a APPEND \"x\\\"\" (\\Seen) \"17-Jul-1996 02:44:25 -0700\" {3+}\r\nabc\r\nb X\r\n", []byte{0, 2, 9, 12, 14})
	f.Add("a LOGIN {3}\r\nabc ~{2+}\r\nxx NIL\r\n", []byte{0, 2, 4, 2, 4, 6})
	f.Fuzz(func(t *testing.T, in string, calls []byte) {
		for _, role := range []func() error{nil, func() error { return nil }} {
			r := NewReader(strings.NewReader(in), Limits{LiteralBytesMax: 1000, SkipBytesMax: 10_000, NestingMax: 5})
			r.Continue = role
			p := r.Parser()
			for err := r.Begin(); err == nil || Recoverable(err); err = r.Begin() {
				for _, c := range calls {
					callAny(p, c)
				}
				if first := p.Err(); first != nil {
					if callAny(p, 3); p.Err() != first || p.Peek() != 0 {
						t.Fatalf("the error did not stay: %v, %v", first, p.Err())
					}
				}
			}
		}
	})
}

// callAny calls one of the Parser's methods.
func callAny(p *Parser, c byte) {
	var set Set
	methods := []func(){
		func() { p.Tag() }, func() { p.SP() }, func() { p.AString() }, func() { p.Word() }, func() { p.NString() },
		func() { p.Set(&set) }, func() { p.Number() }, func() { p.Number64() }, func() { p.Mailbox() },
		func() { p.ListMailbox() }, func() { p.Flags(nil, 3) }, func() { p.DateTime() }, func() { p.Date() },
		func() { p.Text() }, func() { whole(p.Literal(), 0) }, func() { p.Literal().Accept() },
		func() { p.Try('(') }, func() { p.Until(']') }, func() { p.FlagPerm() }, func() { p.Enter() },
		func() { p.TryWord("NIL") }, func() { p.End() }, func() { p.NZNumber() }, func() { p.TrySP() },
		func() { p.QuotedUTF8 = !p.QuotedUTF8; p.NamesUTF8 = !p.NamesUTF8; p.SavedSet = !p.SavedSet },
		func() { l := p.Literal(); l.Accept(); l.Read(make([]byte, 2)) },
	}
	methods[int(c)%len(methods)]()
}

func FuzzUTF7(f *testing.F) {
	for _, test := range utf7Names {
		f.Add(test.utf7)
		f.Add(test.name)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if utf8.ValidString(s) {
			if got, err := DecodeUTF7([]byte(EncodeUTF7(s))); got != s || err != nil {
				t.Errorf("%q: encoded and decoded: %q, %v", s, got, err)
			}
		}
		lenient, ok := DecodeUTF7Leniently([]byte(s))
		if ok && !utf8.ValidString(lenient) {
			t.Errorf("%q leniently: not UTF-8: %q", s, lenient)
		}
		name, err := DecodeUTF7([]byte(s))
		if err != nil {
			return
		}
		if again := EncodeUTF7(name); again != s {
			t.Errorf("%q and %q are the same name", s, again)
		}
		if lenient != name {
			t.Errorf("%q: %q strictly, %q leniently", s, name, lenient)
		}
	})
}

func FuzzSet(f *testing.F) {
	for _, s := range []string{"1", "2,4:7,9,12:*", "*:4,5:7", "4294967295,1:4294967294", "3,1,2", "*", "1,2:2"} {
		f.Add(s, uint32(15))
	}
	f.Fuzz(func(t *testing.T, text string, top uint32) {
		r := server(strings.NewReader(text+"\r\n"), Limits{})
		if r.Begin() != nil {
			return
		}
		var set Set
		r.Parser().Set(&set)
		if r.Parser().End(); r.Parser().Err() != nil {
			return
		}
		asked := slices.Clone(set.Ranges)
		r.Reset(strings.NewReader(set.String() + "\r\n"))
		r.Begin()
		r.Parser().Set(&set)
		if r.Parser().End(); r.Parser().Err() != nil || !slices.Equal(set.Ranges, asked) {
			t.Errorf("%q has become %v", text, set.Ranges)
		}
		set.Resolve(top)
		for i, r := range set.Ranges {
			if r.First == 0 || r.First > r.Last || i > 0 && uint64(set.Ranges[i-1].Last)+1 >= uint64(r.First) {
				t.Errorf("%q of %d: %v", text, top, set.Ranges)
			}
		}
		for _, r := range asked {
			for _, n := range []uint32{r.First, r.Last} {
				if n == Star {
					n = top
				}
				if n != 0 && !set.Contains(n) && (top != 0 || r.First != Star && r.Last != Star) {
					t.Errorf("%q of %d: %d is missing", text, top, n)
				}
			}
		}
	})
}

func FuzzDate(f *testing.F) {
	f.Add("17-Jul-1996 02:44:25 -0700")
	f.Add(" 7-Feb-1994 21:52:25 +0545")
	f.Add("29-Feb-2024 23:59:60 +0000")
	f.Fuzz(func(t *testing.T, text string) {
		when, ok := parseDateTime([]byte(text))
		if !ok {
			return
		}
		written := AppendDateTime(nil, when)
		again, ok := parseDateTime(written)
		if !ok && when.Year() <= 9999 || ok && !again.Equal(when) {
			t.Errorf("%q: %v, written %q, read %v", text, when, written, again)
		}
	})
}
