package mime

import (
	"fmt"
	"strings"
	"testing"
)

// leaves shows the tree in short: type(children) and the body of leaves.
func leaves(p *Part, message string) string {
	name := p.Type + "/" + p.Subtype
	switch {
	case p.Message != nil:
		return name + "[" + leaves(p.Message, message) + "]"
	case p.Children != nil:
		var all []string
		for _, child := range p.Children {
			all = append(all, leaves(child, message))
		}
		return p.Subtype + "(" + strings.Join(all, " ") + ")"
	case name == "text/plain":
		name = ""
	}
	return fmt.Sprintf("%s%q", name, message[p.Body:p.End])
}

func TestTree(t *testing.T) {
	const mixed = "Content-Type: multipart/mixed; boundary=b\n\n"
	for _, test := range []struct{ name, message, want string }{
		{"empty", "", `""`},
		{"no body", "Subject: x\n", `""`},
		{"no body, no line end", "Subject: x", `""`},
		{"empty line only", "\nbody", `"body"`},
		{"no header", "Dear all\n\nhello: x\n", `"Dear all\n\nhello: x\n"`},
		{"no header, no line end", "Dear all", `"Dear all"`},
		{"folded first line", " x\nSubject: y\n\nbody", `" x\nSubject: y\n\nbody"`},
		{"mbox", "From a Mon Jan 1\nSubject: x\n\nbody", `"body"`},
		{"junk in the header", "Subject: x\njunk\nContent-Type: text/html\n\nbody", `text/html"body"`},
		{"empty line with spaces", "Subject: x\n  \nbody: no\n\nx", `"x"`},
		{"NUL", "Subject: \x00\x00\n\n\x00a\x00", `"\x00a\x00"`},
		{"bare CR", "Subject: x\r\r\nDate: y\r\n\r\na\rb\r\r\n", `"a\rb\r\r\n"`},
		{"space before the colon", "Content-Type : text/html\n\nx", `text/html"x"`},
		{"first wins", "Content-Type: text/html\nContent-Type: text/css\n\nx", `text/html"x"`},

		{"usual", mixed + "pre\n--b\n\none\n--b\n\ntwo\n--b--\npost\n", `mixed("one" "two")`},
		{"no last boundary", mixed + "--b\n\none\n--b\n\ntwo\n", `mixed("one" "two\n")`},
		{"cut in a boundary", mixed + "--b\n\none\n--b", `mixed("one")`},
		{"cut after a boundary", mixed + "--b\n\none\n--b\n", `mixed("one" "")`},
		{"parts after the last boundary", mixed + "--b\n\none\n--b--\n--b\n\ntwo\n", `mixed("one")`},
		{"last boundary only", mixed + "pre\n--b--\npost\n", `"pre\n--b--\npost\n"`},
		{"no parts", mixed + "pre\n", `"pre\n"`},
		{"no parts, no body", mixed, `""`},
		{"no boundary", "Content-Type: multipart/mixed\n\n--b\n\nx\n--b--\n", `"--b\n\nx\n--b--\n"`},
		{"empty boundary", "Content-Type: multipart/mixed; boundary=\"\"\n\n--\n\nx\n----\n", `"--\n\nx\n----\n"`},
		{"space after", mixed + "--b \t\n\none\n--b-- \n", `mixed("one")`},
		{"space at the boundary's end", "Content-Type: multipart/mixed; boundary=\"b \"\n\n--b\n\none\n--b--\n", `mixed("one")`},
		{"part without empty line", mixed + "--b\nContent-Type: text/html\n--b\nno header here\n--b--", `mixed(text/html"" "no header here")`},
		{"body is only an empty line", mixed + "--b\n\n--b\n\n\n--b--", `mixed("" "")`},
		{"two in a row", mixed + "--b\n--b\n\nx\n--b--", `mixed("" "x")`},
		{"not at the start of a line", mixed + "--b\n\none --b\n --b\n--b--", `mixed("one --b\n --b")`},
		{"dashes", mixed + "--b\n\n-\n--\n---\n-- b\n--b--", `mixed("-\n--\n---\n-- b")`},
		{"boundary on the header's first line", "--b\n\nx", `"--b\n\nx"`},

		{"nested", mixed + "--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\none\n--c\n\ntwo\n--c--\n--b\n\nthree\n--b--",
			`mixed(alternative("one" "two") "three")`},
		{"inner one is not closed", mixed + "--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\none\n--b\n\nthree\n--b--",
			`mixed(alternative("one") "three")`},
		{"inner one begins like the outer", mixed + "--b\nContent-Type: multipart/alternative; boundary=bc\n\n--bc\n\none\n--bc--\n--b\n\ntwo\n--b--",
			`mixed(alternative("one") "two")`},
		{"outer one begins like the inner", strings.Replace(mixed, "=b", "=bc", 1) + "--bc\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\none\n--b--\n--bc\n\ntwo\n--bc--",
			`mixed(alternative("one") "two")`},
		{"the same twice", mixed + "--b\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\none\n--b--\n--b\n\ntwo\n--b--",
			`mixed(alternative("one") "two")`},
		{"outer boundary in the inner preamble", mixed + "--b\nContent-Type: multipart/alternative; boundary=c\n\npre\n--b\n\ntwo\n--b--",
			`mixed("pre" "two")`},

		{"message", "Content-Type: message/rfc822\n\nSubject: x\n\nbody", `message/rfc822["body"]`},
		{"global", "Content-Type: message/global\n\nSubject: x\n\nbody", `message/global["body"]`},
		{"message without body", "Content-Type: message/rfc822\n\nSubject: x\n", `message/rfc822[""]`},
		{"message without anything", "Content-Type: message/rfc822\n\n", `message/rfc822[""]`},
		{"message that is not there", "Content-Type: message/rfc822\n", `message/rfc822[""]`},
		{"message without header", "Content-Type: message/rfc822\n\nno header\n", `message/rfc822["no header\n"]`},
		{"message cut by a boundary", mixed + "--b\nContent-Type: message/rfc822\n--b\nContent-Type: message/rfc822\n\nSubject: x\n--b--",
			`mixed(message/rfc822[""] message/rfc822[""])`},
		{"message in base64", "Content-Type: message/rfc822; name=x\nContent-Transfer-Encoding: base64\n\nYWJj\n", `application/octet-stream"YWJj\n"`},
		{"partial message", "Content-Type: message/partial\n\nSubject: x\n", `message/partial"Subject: x\n"`},
		{"message with parts", "Content-Type: message/rfc822\n\n" + mixed + "--b\n\none\n--b--\n", `message/rfc822[mixed("one")]`},

		{"digest", "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: x\n\none\n--b\nContent-Type: text/plain\n\ntwo\n--b\nno header\n--b--",
			`digest(message/rfc822["one"] "two" message/rfc822["no header"])`},
		{"digest with garbage", "Content-Type: multipart/digest; boundary=b\n\n--b\nContent-Type: x\n\none\n--b--", `digest("one")`},
		{"garbage", "Content-Type: text\n\nx", `"x"`},
		{"more garbage", "Content-Type: ;;=/\"\n\nx", `"x"`},
		{"comments", "Content-Type: (a) text (b(c)) / (d) html (e) ; (f) charset (g) = (h) utf-8 (i)\n\nx", `text/html"x"`},
	} {
		for _, end := range []string{"\n", "\r\n"} {
			message := strings.ReplaceAll(test.message, "\n", end)
			want := strings.ReplaceAll(test.want, `\n`, strings.Trim(fmt.Sprintf("%q", end), `"`))
			s := parse(message)
			check(t, s, int64(len(message)))
			checkSplits(t, s, message)
			checkRecord(t, s)
			if got := leaves(s.Root, message); got != want {
				t.Errorf("%s, %q: %s, want %s", test.name, end, got, want)
			}
		}
	}
}

// Of the bytes before a boundary only one CR and the LF belong to it.
func TestCRBeforeBoundary(t *testing.T) {
	message := "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\r\n--b--"
	s := parse(message)
	checkSplits(t, s, message)
	if got := leaves(s.Root, message); got != `mixed("one\r")` {
		t.Error(got)
	}
}

func TestLines(t *testing.T) {
	message := crlf("Content-Type: multipart/mixed; boundary=b\n\npre\n--b\n\none\ntwo\n--b\nContent-Type: message/rfc822\n\nSubject: x\n\nthree\n\n--b\n\n--b--\n")
	root := parse(message).Root
	// RFC 2046 5.1.1: the line end before a boundary is not the body's.
	for i, want := range []int64{1, 3, 0} {
		if got := root.Children[i].Lines; got != want {
			t.Errorf("part %d: %d lines, want %d", i+1, got, want)
		}
	}
	if got := root.Children[1].Message.Lines; got != 1 {
		t.Errorf("2.1: %d lines, want 1", got)
	}
	if root.Lines != 15 {
		t.Errorf("%d lines, want 15", root.Lines)
	}
}

func TestDescribe(t *testing.T) {
	part := parse("Content-Type: Text/X-Foo; Charset=UTF-8; name=\"a;b\"\nContent-ID: <i@d>\n" +
		"Content-Description: =?utf-8?q?d?=\n  more\nContent-Transfer-Encoding: (x) Base64 (y)\nContent-MD5: Q2hlY2s=\n" +
		"Content-Disposition: Attachment; FileName=x.txt\nContent-Language: en, (x) de-AT ,,fr\n" +
		"Content-Location: http://h/a\n b\n\n").Root
	want := `[] text/x-foo; charset="UTF-8"; name="a;b" base64 0 bytes 0 lines "<i@d>" "=?utf-8?q?d?=  more" "Q2hlY2s=" ` +
		`"en,de-AT,fr" "http://h/ab" <attachment; filename="x.txt">`
	var b strings.Builder
	dumpPart(&b, part, "", strings.Repeat(" ", int(part.End)))
	if got, _, _ := strings.Cut(b.String(), "\n"); got != want {
		t.Errorf("\n%s, want\n%s", got, want)
	}
}

func TestHasAttachment(t *testing.T) {
	part := func(header string) string { return "--b\n" + header + "\n\nx\n" }
	multi := func(subtype string, parts ...string) string {
		return "Content-Type: multipart/" + subtype + "; boundary=b\n\n" + strings.Join(parts, "") + "--b--\n"
	}
	text, html := part("Content-Type: text/plain"), part("Content-Type: text/html")
	for _, test := range []struct {
		message string
		want    bool
	}{
		{"\nx", false},
		{"Content-Type: application/pdf\n\nx", true},
		{"Content-Disposition: attachment\n\nx", true},
		{multi("alternative", text, html), false},
		{multi("alternative", text, html, part("Content-Type: text/calendar")), false},
		{multi("mixed", text, part("Content-Type: application/pdf")), true},
		{multi("mixed", text, part("Content-Type: image/png")), true},
		{multi("mixed", text, part("Content-Type: image/png\nContent-Disposition: inline")), false},
		{multi("related", html, part("Content-Type: image/png")), false},
		{multi("related", html, part("Content-Type: image/png\nContent-Disposition: attachment")), true},
		{multi("mixed", text, part("Content-Type: text/plain; name=a.txt")), true},
		{multi("mixed", text, text), false},
		{multi("mixed", text, part("Content-Type: message/rfc822")), true},
		{multi("signed", text, part("Content-Type: application/pgp-signature; name=signature.asc")), false},
	} {
		if got := parse(test.message).HasAttachment; got != test.want {
			t.Errorf("%v, want %v:\n%s", got, test.want, test.message)
		}
	}
}
