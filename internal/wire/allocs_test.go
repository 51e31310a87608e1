package wire

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"
)

// loop gives the same bytes for ever.
type loop struct {
	text string
	at   int
}

func (l *loop) Read(b []byte) (int, error) {
	n := copy(b, l.text[l.at:])
	l.at = (l.at + n) % len(l.text)
	return n, nil
}

// commands returns a function that reads one command of a loop of them.
func commands(text string, f func(p *Parser)) func() {
	r := server(&loop{text: text}, Limits{})
	p := r.Parser()
	return func() {
		if err := r.Begin(); err != nil {
			panic(err)
		}
		f(p)
		if p.End(); p.Err() != nil {
			panic(p.Err())
		}
		r.Finish()
	}
}

func TestReadingAllocatesNothing(t *testing.T) {
	var set Set
	body := strings.Repeat("x", 100_000)
	tests := []struct {
		name string
		f    func()
	}{
		{"NOOP", commands("a1 NOOP\r\n", func(p *Parser) {
			p.Tag()
			p.SP()
			p.ExpectWord("NOOP")
		})},
		{"FETCH", commands("a1 FETCH 1:* (FLAGS UID)\r\n", func(p *Parser) {
			p.Tag()
			p.SP()
			p.ExpectWord("FETCH")
			p.SP()
			p.Set(&set)
			set.Resolve(10_000)
			p.SP()
			p.Expect('(')
			for !p.Try(')') {
				p.Word()
				p.TrySP()
			}
		})},
		{"STORE", commands("a1 UID STORE 3,1,2:5 +FLAGS.SILENT (\\Seen)\r\n", func(p *Parser) {
			p.Tag()
			p.SP()
			p.Word()
			p.SP()
			p.Word()
			p.SP()
			p.Set(&set)
			set.Resolve(10_000)
			p.SP()
			p.Try('+')
			p.Word()
			p.SP()
			p.Expect('(')
			p.Flag()
			p.Expect(')')
		})},
		{"strings", commands("a1 LOGIN \"a\\\"b\" {3+}\r\nxyz\r\n", func(p *Parser) {
			p.Tag()
			p.SP()
			p.Word()
			p.SP()
			p.AString()
			p.SP()
			p.AString()
		})},
		{"APPEND", commands("a1 APPEND INBOX \"17-Jul-1996 02:44:25 +0000\" {100000}\r\n"+body+"\r\n", func(p *Parser) {
			p.Tag()
			p.SP()
			p.Word()
			p.SP()
			p.Mailbox()
			p.SP()
			p.DateTime()
			p.SP()
			l := p.Literal()
			l.Accept()
			l.WriteTo(io.Discard)
		})},
	}
	for _, test := range tests {
		if n := testing.AllocsPerRun(200, test.f); n != 0 {
			t.Errorf("%s: %v allocations", test.name, n)
		}
	}
}

func TestWritingAllocatesNothing(t *testing.T) {
	w := NewWriter(io.Discard)
	set := Set{Ranges: []Range{{1, 4}, {7, 7}}}
	now := time.Date(2024, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))
	tag, header := []byte("a1"), []byte("Subject: hi\r\n\r\n")
	body := bytes.NewReader(make([]byte, 200_000))
	tests := []struct {
		name string
		f    func()
	}{
		{"OK", func() { w.Bytes(tag).Raw(" OK done").CRLF() }},
		{"FETCH", func() {
			for n := range uint32(5000) {
				w.Raw("* ").Number(n).Raw(" FETCH (UID ").Number(n).Raw(" FLAGS (").Flag(`\Seen`).SP().Flag("$Junk").
					Raw(") MODSEQ (").Number64(uint64(n)).Raw(") INTERNALDATE ").DateTime(now).Byte(')').CRLF()
			}
		}},
		{"strings", func() {
			w.String("a \"b\"").StringBytes(header).NString(nil).AString("x").Mailbox("Entwürfe").Text("text").CRLF()
		}},
		{"set", func() { w.Set(&set).CRLF() }},
		{"literal", func() {
			body.Seek(0, io.SeekStart)
			w.Literal(200_000, body)
			w.CRLF()
		}},
	}
	for _, test := range tests {
		n := testing.AllocsPerRun(100, func() {
			test.f()
			if err := w.Flush(); err != nil {
				panic(err)
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations", test.name, n)
		}
	}
}

func BenchmarkFetchCommand(b *testing.B) {
	var set Set
	f := commands("a1 FETCH 1:* (FLAGS UID)\r\n", func(p *Parser) {
		p.Tag()
		p.SP()
		p.Word()
		p.SP()
		p.Set(&set)
		p.SP()
		p.Expect('(')
		for !p.Try(')') {
			p.Word()
			p.TrySP()
		}
	})
	b.ReportAllocs()
	for b.Loop() {
		f()
	}
}

func BenchmarkFetchResponse(b *testing.B) {
	w := NewWriter(io.Discard)
	b.ReportAllocs()
	for b.Loop() {
		w.Raw("* ").Number(12345).Raw(" FETCH (UID ").Number(1234567).Raw(" FLAGS (").Flag(`\Seen`).Raw("))\r\n")
	}
}
