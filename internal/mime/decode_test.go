package mime

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime/quotedprintable"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

// read reads all of r, also one byte at a time, which must give the same.
func read(t *testing.T, open func() io.Reader) string {
	t.Helper()
	whole, err := io.ReadAll(open())
	if err != nil {
		t.Fatal(err)
	}
	single, err := io.ReadAll(iotest.OneByteReader(open()))
	if err != nil || !bytes.Equal(single, whole) {
		t.Fatalf("%q, %v; read byte by byte %q", whole, err, single)
	}
	return string(whole)
}

func TestDecodedBody(t *testing.T) {
	for _, test := range []struct{ encoding, in, want string }{
		{"7bit", "a\r\nb", "a\r\nb"},
		{"", "x", "x"},
		{"Binary", "\x00\xff", "\x00\xff"},
		{"base64", "", ""},
		{"base64", "aGVsbG8=", "hello"},
		{"BASE64", "aGVs\r\nbG8=\r\n", "hello"},
		{"base64", "aGVsbG8", "hello"},
		{"base64", "aGV!sb\x00G8 =\n", "hello"},
		{"base64", "aGVsbG8=aGVsbG8=", "hellohello"},
		{"base64", "aGVsbG8hIQ==\r\n", "hello!!"},
		{"base64", "a", ""},
		{"base64", "====", ""},
		{"quoted-printable", "a=3Db=3db", "a=b=b"},
		{"quoted-printable", "a=\r\nb=\nc", "abc"},
		{"quoted-printable", "a= \t\r\nb", "ab"},
		{"quoted-printable", "a  \t\r\nb \nc", "a\r\nb\r\nc"},
		{"quoted-printable", "a=20\r\nb", "a \r\nb"},
		{"quoted-printable", "a =\r\nb", "a b"},
		{"quoted-printable", "a=ZZ=4x=", "a=ZZ=4x"},
		{"quoted-printable", "a=4", "a=4"},
		{"quoted-printable", "= x", "= x"},
		{"quoted-printable", "==41", "=A"},
		{"quoted-printable", "a\rb", "a\rb"},
		{"quoted-printable", "\xe4 b", "\xe4 b"},
		{"x-uuencode", "junk\nbegin 644 a.txt\r\n%:&5L;&\\\n`\nend\njunk", "hello"},
		{"uuencode", "begin 644 a\n#:&5L", "hel"},
		{"x-uue", "no beginning", ""},
	} {
		got := read(t, func() io.Reader {
			r, ok := DecodedBody(strings.NewReader(test.in), test.encoding)
			if !ok {
				t.Errorf("%s is not known", test.encoding)
			}
			return r
		})
		if got != test.want {
			t.Errorf("%s %q: %q, want %q", test.encoding, test.in, got, test.want)
		}
	}
	if _, ok := DecodedBody(strings.NewReader(""), "x-gzip64"); ok {
		t.Error("x-gzip64 is known")
	}
}

// Good input decodes as the standard library says.
func TestDecodersAgainstLibrary(t *testing.T) {
	var data []byte
	for i := range 20_000 {
		data = append(data, byte(i*i>>3))
	}
	in := base64.StdEncoding.EncodeToString(data)
	for i := 76; i < len(in); i += 78 {
		in = in[:i] + "\r\n" + in[i:]
	}
	r, _ := DecodedBody(strings.NewReader(in), "base64")
	if got, _ := io.ReadAll(r); !bytes.Equal(got, data) {
		t.Error("base64 differs")
	}
	var b bytes.Buffer
	w := quotedprintable.NewWriter(&b)
	w.Binary = true
	w.Write(data)
	w.Close()
	r, _ = DecodedBody(&b, "quoted-printable")
	if got, _ := io.ReadAll(r); !bytes.Equal(got, data) {
		t.Error("quoted-printable differs")
	}
}

func TestDecodedText(t *testing.T) {
	for _, test := range []struct{ header, body, want string }{
		{"", "a\xc3\xa4\xe4", "aää"},
		{"Content-Type: text/plain; charset=utf-8", "a\xc3\xa4\xe4", "aä\uFFFD"},
		{"Content-Type: text/plain; charset=us-ascii", "\xe4\xc3", "äÃ"},
		{"Content-Type: text/plain; charset=\"ISO-8859-1\"", "\xe4\x80", "ä€"},
		{"Content-Type: text/plain; charset*=''koi8-r", "\xd0\xd2\xc9", "при"},
		{"Content-Type: text/plain; charset=utf-16le", "a\x00\xe4\x00", "aä"},
		{"Content-Type: text/plain; charset=hz-gb-2312", "~{VPND~}", "中文"},
		{"Content-Type: text/plain; charset=x-nobody", "a\xe4", "a\uFFFD"},
		{"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64", "w6Q=", "ä"},
		{"Content-Type: text/plain; charset=iso-8859-15\nContent-Transfer-Encoding: quoted-printable", "=A4=\r\n!", "€!"},
		{"Content-Transfer-Encoding: x-gzip64", "abc", "abc"},
	} {
		part := parse(test.header + "\n\n").Root
		got := read(t, func() io.Reader { return DecodedText(strings.NewReader(test.body), part) })
		if got != test.want {
			t.Errorf("%s %q: %q, want %q", test.header, test.body, got, test.want)
		}
	}
}

func TestReadErrors(t *testing.T) {
	part := parse("Content-Transfer-Encoding: base64\n\n").Root
	broken := io.MultiReader(strings.NewReader("aGVsbG8h"), iotest.ErrReader(os.ErrDeadlineExceeded))
	got, err := io.ReadAll(DecodedText(broken, part))
	if string(got) != "hello!" || err != os.ErrDeadlineExceeded {
		t.Errorf("%q, %v", got, err)
	}
	broken = io.MultiReader(strings.NewReader("A: b\r\n"), iotest.ErrReader(os.ErrDeadlineExceeded))
	got, err = io.ReadAll(FilterHeader(broken, []string{"a"}, false))
	if string(got) != "A: b\r\n" || err != os.ErrDeadlineExceeded {
		t.Errorf("%q, %v", got, err)
	}
}

func TestRecordSize(t *testing.T) {
	s := parse("From: Somebody Else <somebody@example.org>\nTo: Anna <anna@example.com>, Ben <ben@example.net>\n" +
		"Subject: A subject of the usual length, with words\nDate: Fri, 21 Nov 1997 09:55:06 -0600\n" +
		"Message-ID: <CAF0h8oKzqP8Xw7Lk5rN4@mail.example.org>\nReferences: <1@mail.example.org> <2@mail.example.org>\n" +
		"Content-Type: multipart/alternative; boundary=\"----=_Part_1234_5678.9012\"\n\n" +
		"------=_Part_1234_5678.9012\nContent-Type: text/plain; charset=utf-8\n\n" + strings.Repeat("Some words of text. ", 20) +
		"\n------=_Part_1234_5678.9012\nContent-Type: text/html; charset=utf-8\n\n<p>x\n------=_Part_1234_5678.9012--\n")
	if n := len(Append(nil, s)); n > 1024 {
		t.Errorf("a usual message takes %d bytes", n)
	}
}

func TestDecodeCorrupt(t *testing.T) {
	record := Append(nil, parse(example))
	for i := range record {
		if _, err := Decode(record[:i]); err == nil {
			t.Errorf("the first %d of %d bytes were taken", i, len(record))
		}
	}
	if _, err := Decode(append(record, 0)); err == nil {
		t.Error("a byte too many was taken")
	}
	if got := Append([]byte("x"), parse(example)); !bytes.Equal(got[1:], record) || got[0] != 'x' {
		t.Error("Append does not append")
	}
}

func FuzzDecode(f *testing.F) {
	for _, message := range []string{"", example, "Date: 1 Jan 2000 00:00 +0100\nFrom: g:a@b;\nSender: c\n\n"} {
		f.Add(Append(nil, parse(message)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Decode(b)
		if err != nil {
			return
		}
		for p := range s.Root.All() {
			if p.Header > p.Body || p.Body > p.End || p.End > s.Root.End {
				t.Fatalf("%+v", p)
			}
		}
		again, err := Decode(Append(nil, s))
		if err != nil || !reflect.DeepEqual(again, s) {
			t.Fatalf("%+v, %v, want %+v", again, err, s)
		}
	})
}
