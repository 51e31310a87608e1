package mime

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"
)

// bombs are messages made to hurt, as a beginning and something to repeat.
var bombs = []struct {
	name, start, repeat string
	bytes               int
}{
	{"parts", "Content-Type: multipart/mixed; boundary=b\n\n", "--b\n\nx\n", 8 << 20},
	{"empty parts", "Content-Type: multipart/mixed; boundary=b\n\n", "--b\n", 8 << 20},
	{"parts with headers", "Content-Type: multipart/mixed; boundary=b\n\n",
		"--b\nContent-Type: text/html; x*0=y; x*1=z\nContent-ID: <" + strings.Repeat("x", 4000) + ">\n\n<p>x\n", 32 << 20},
	{"levels", "", "Content-Type: multipart/mixed; boundary=b\n\n--b\n", 8 << 20},
	{"messages", "", "Content-Type: message/rfc822\nSubject: x\n\n", 8 << 20},
	{"messages with addresses", "", "Content-Type: message/rfc822\nTo: " + strings.Repeat("a,", 30000) + "\n\n", 8 << 20},
	{"digest of messages", "Content-Type: multipart/digest; boundary=b\n\n", "--b\n\nFrom: a@b\nTo: " + strings.Repeat("<@", 20000) + "\n\nx\n", 32 << 20},
	{"one field", "Subject: ", "x", 32 << 20},
	{"folds", "References: ", " <a@b>\n", 32 << 20},
	{"fields", "", "To: a@b, c@d\nX: y\n", 32 << 20},
	{"header without line end", "", "a", 32 << 20},
	{"parameters", "Content-Type: text/plain", "; x*99999=y; x*1*=%C3", 8 << 20},
	{"parameters in lines", "Content-Type: text/plain", ";\n x*0*=a''%41", 8 << 20},
	{"comments", "From: ", "(", 8 << 20},
	{"quotes", "From: ", "\"\\", 8 << 20},
	{"words", "From: ", "a ", 8 << 20},
	{"at signs", "From: ", "a@", 8 << 20},
	{"angles", "From: ", "<@", 8 << 20},
	{"groups", "From: ", "a:", 8 << 20},
	{"encoded words", "Subject: ", "=?", 8 << 20},
	{"encoded addresses", "From: ", "=?a?q?", 8 << 20},
	{"dashes", "Content-Type: multipart/mixed; boundary=" + strings.Repeat("-", 900) + "\n\n", "--\n", 8 << 20},
	{"almost boundaries", "Content-Type: multipart/mixed; boundary=" + strings.Repeat("b", 70) + "x\n\n", "--" + strings.Repeat("b", 71) + "\n", 32 << 20},
	{"line ends", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n", "\n", 32 << 20},
	{"markup", "Content-Type: text/html\n\n", "<a &", 8 << 20},
}

// TestBombs holds memory and time. Time is generous: it catches what is not linear.
func TestBombs(t *testing.T) {
	for _, bomb := range bombs {
		t.Run(bomb.name, func(t *testing.T) {
			chunk := []byte(strings.Repeat(bomb.repeat, 1+(64<<10)/len(bomb.repeat)))
			p := NewParser()
			p.Write([]byte(bomb.start))
			size := int64(len(bomb.start))
			before := heapBytes()
			began := time.Now()
			for size < int64(bomb.bytes) {
				p.Write(chunk)
				size += int64(len(chunk))
			}
			s := p.Close()
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("%v for %d MB", took, size>>20)
			}
			if grown := heapBytes() - before; grown > 16<<20 {
				t.Errorf("%d KB are kept", grown>>10)
			}
			check(t, s, size)
			record := Append(nil, s)
			if len(record) > 3<<20/2 {
				t.Errorf("the record takes %d bytes", len(record))
			}
			if _, err := Decode(record); err != nil {
				t.Error(err)
			}
			runtime.KeepAlive(p)
		})
	}
}

func heapBytes() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// What lies beyond a limit is one opaque part that reaches to the end.
func TestPartsLimit(t *testing.T) {
	message := "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\nx\n", 2*partsMax) + "--b--\n"
	s := parse(message)
	check(t, s, int64(len(message)))
	children := s.Root.Children
	last := children[len(children)-1]
	if len(children) != partsMax || last.Type != "application" || last.End != int64(len(message)) || last.Body != last.Header {
		t.Errorf("%d parts, the last is %+v", len(children), last)
	}
	if message[last.Header:last.Header+7] != "\nx\n--b\n" {
		t.Errorf("the rest begins with %q", message[last.Header:][:7])
	}
}

func TestLevelsLimit(t *testing.T) {
	var b strings.Builder
	for i := range 2 * levelsMax {
		fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d.\n\n--b%d.\n", i, i)
	}
	for i := 2*levelsMax - 1; i >= 0; i-- {
		fmt.Fprintf(&b, "\n--b%d.\n\nafter %d\n--b%d.--\n", i, i, i)
	}
	s := parse(b.String())
	check(t, s, int64(b.Len()))
	p, levels := s.Root, 1
	for ; p.Type == "multipart"; levels++ {
		if len(p.Children) != 2 {
			t.Fatalf("level %d: %d parts", levels, len(p.Children))
		}
		p = p.Children[0]
	}
	if levels != levelsMax || p.Type != "application" {
		t.Errorf("%d levels, then %s/%s", levels, p.Type, p.Subtype)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(example), uint16(7))
	for _, bomb := range bombs {
		f.Add([]byte(bomb.start+strings.Repeat(bomb.repeat[:min(40, len(bomb.repeat))], 5)), uint16(3))
	}
	f.Fuzz(func(t *testing.T, message []byte, at uint16) {
		defer slow(t, time.Now())
		s := parse(string(message))
		check(t, s, int64(len(message)))
		p := NewParser()
		i := min(int(at), len(message))
		p.Write(message[:i])
		p.Write(message[i:])
		cut := p.Close()
		record := Append(nil, s)
		if !bytes.Equal(Append(nil, cut), record) {
			t.Fatalf("cut at %d:\n%s\nwhole:\n%s", i, dump(cut, string(message)), dump(s, string(message)))
		}
		again, err := Decode(record)
		if err != nil || !bytes.Equal(Append(nil, again), record) {
			t.Fatalf("%v: the record differs", err)
		}
		for part := range s.Root.All() {
			text := PlainText(bytes.NewReader(message[part.Body:part.End]), part)
			if n, err := io.Copy(io.Discard, text); err != nil || n > 16*part.Size()+64 {
				t.Fatalf("%d bytes of text from %d, %v", n, part.Size(), err)
			}
		}
		all, _ := io.ReadAll(FilterHeader(bytes.NewReader(message[:s.Root.Body]), nil, true))
		if !bytes.Equal(all, message[:s.Root.Body]) {
			t.Fatalf("header %q, filtered %q", message[:s.Root.Body], all)
		}
	})
}

func benchmarkParse(b *testing.B, message string) {
	data := []byte(message)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		p := NewParser()
		for rest := data; len(rest) > 0; {
			n := min(len(rest), 32<<10)
			p.Write(rest[:n])
			rest = rest[n:]
		}
		p.Close()
	}
}

const benchmarkHeader = "From: A <a@example.org>\r\nTo: B <b@example.org>\r\nSubject: s\r\nDate: Fri, 21 Nov 1997 09:55:06 -0600\r\n" +
	"Message-ID: <x@y>\r\nReceived: from a by b; Fri, 21 Nov 1997 09:55:06 -0600\r\n"

var benchmarkLines = strings.Repeat(strings.Repeat("x", 76)+"\r\n", 128<<10)

func BenchmarkPlainBody(b *testing.B) { benchmarkParse(b, benchmarkHeader+"\r\n"+benchmarkLines) }

func BenchmarkMultipartBody(b *testing.B) {
	benchmarkParse(b, benchmarkHeader+"Content-Type: multipart/mixed; boundary=abc\r\n\r\n--abc\r\n\r\nx\r\n--abc\r\n\r\n"+benchmarkLines+"--abc--\r\n")
}

func BenchmarkSmallMessage(b *testing.B) {
	benchmarkParse(b, benchmarkHeader+"Content-Type: text/plain; charset=utf-8\r\n\r\n"+benchmarkLines[:2000])
}

// BenchmarkLetter is a message as most are: in plain text and in HTML, with what mail programs write in front.
func BenchmarkLetter(b *testing.B) {
	benchmarkParse(b, "Received: from mail.example.org (mail.example.org [192.0.2.1]) by mx.example.com with ESMTPS id abc123\r\n"+
		"\tfor <anna@example.com>; Fri, 21 Nov 1997 09:55:06 -0600\r\nReferences: <1@example.org>\r\n <2@example.org>\r\n"+
		"In-Reply-To: <2@example.org>\r\nCc: Chris <chris@example.net>, \"D, E\" <de@example.net>\r\n"+benchmarkHeader+
		"MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"=_abc\"\r\n\r\n--=_abc\r\n"+
		"Content-Type: text/plain; charset=\"utf-8\"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"+benchmarkLines[:2000]+
		"\r\n--=_abc\r\nContent-Type: text/html; charset=\"utf-8\"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>"+
		benchmarkLines[:4000]+"\r\n--=_abc--\r\n")
}

func BenchmarkEncode(b *testing.B) {
	s := parse(example)
	var record []byte
	b.ReportAllocs()
	for b.Loop() {
		record = Append(record[:0], s)
	}
}

func BenchmarkDecode(b *testing.B) {
	record := Append(nil, parse(example))
	b.ReportAllocs()
	for b.Loop() {
		Decode(record)
	}
}

func BenchmarkBase64(b *testing.B) {
	text := strings.Repeat(strings.Repeat("QUJD", 19)+"\r\n", 10000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		r, _ := DecodedBody(strings.NewReader(text), "base64")
		io.Copy(io.Discard, r)
	}
}
