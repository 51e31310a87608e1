package imap

import (
	"bytes"
	"strings"
	"testing"

	"postfach/internal/mime"
	"postfach/internal/wire"
)

// described writes what an item says about a message.
func described(text string, rev2 bool, write func(*fetched, *fetchAtt)) string {
	p := mime.NewParser()
	_, _ = p.Write([]byte(strings.ReplaceAll(text, "\n", "\r\n")))
	var out bytes.Buffer
	m := &fetched{s: &session{w: wire.NewWriter(&out), rev2: rev2}, structure: p.Close()}
	write(m, nil)
	if err := m.s.w.Flush(); err != nil {
		return "error: " + err.Error()
	}
	return out.String()
}

// The expected texts are written by hand after RFC 9051 7.5.2 and 9, envelope.
func TestEnvelope(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{
			"the example of RFC 3501 7.4.2 has all fields",
			`Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)
Subject: IMAP4rev1 WG mtg summary and minutes
From: Terry Gray <gray@cac.washington.edu>
To: imap@cac.washington.edu
Cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>
Message-ID: <B27397-0100000@cac.washington.edu>

x
`,
			`ENVELOPE ("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev1 WG mtg summary and minutes" ` +
				`(("Terry Gray" NIL "gray" "cac.washington.edu")) ` +
				`(("Terry Gray" NIL "gray" "cac.washington.edu")) ` +
				`(("Terry Gray" NIL "gray" "cac.washington.edu")) ` +
				`((NIL NIL "imap" "cac.washington.edu")) ` +
				`((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU")) ` +
				`NIL NIL "<B27397-0100000@cac.washington.edu>")`,
		},
		{
			"nothing at all", "\n",
			`ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)`,
		},
		{
			"present but empty: a string is empty, addresses are NIL",
			"Subject:\nTo:\n\n",
			`ENVELOPE (NIL "" NIL NIL NIL NIL NIL NIL NIL NIL)`,
		},
		{
			"a group begins with its name and ends with four NILs",
			"To: A Group:Ed <e@x.example>,j@y.example;, k@z.example\nCc: Undisclosed recipients:;\n\n",
			`ENVELOPE (NIL NIL NIL NIL NIL ` +
				`((NIL NIL "A Group" NIL)("Ed" NIL "e" "x.example")(NIL NIL "j" "y.example")(NIL NIL NIL NIL)(NIL NIL "k" "z.example")) ` +
				`((NIL NIL "Undisclosed recipients" NIL)(NIL NIL NIL NIL)) ` +
				`NIL NIL NIL)`,
		},
		{
			"quotes are escaped, a route is kept, no host is no group",
			"From: \"Q \\\"quick\\\"\" <@r.example:q@s.example>\nTo: root\n\n",
			`ENVELOPE (NIL NIL ` +
				`(("Q \"quick\"" "@r.example" "q" "s.example")) ` +
				`(("Q \"quick\"" "@r.example" "q" "s.example")) ` +
				`(("Q \"quick\"" "@r.example" "q" "s.example")) ` +
				`((NIL NIL "root" "")) NIL NIL NIL NIL)`,
		},
		{
			"eight bits need a literal, encoded words stay",
			"Subject: Gr\xfc\xdfe\nIn-Reply-To: =?utf-8?q?=C3=BC?=\n\n",
			"ENVELOPE (NIL {5}\r\nGr\xfc\xdfe NIL NIL NIL NIL NIL NIL \"=?utf-8?q?=C3=BC?=\" NIL)",
		},
	} {
		if got := described(c.text, false, writeEnvelopeItem); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
}

const twoParts = `Content-Type: multipart/mixed; boundary="cut"; charset=x
Content-Language: en, de

--cut
Content-Type: text/plain; charset=utf-8

one
two
--cut
Content-Type: image/png; name*=utf-8''gr%C3%BC%C3%9F.png
Content-ID: <pic@x.example>
Content-Description: a picture
Content-Transfer-Encoding: base64
Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==
Content-Disposition: attachment; filename="a \"b\".png"; size=3
Content-Language: fr
Content-Location: http://x.example/a.png

AAAA
--cut--
`

const twoPartsBody = `(` +
	`("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 8 1)` +
	`("image" "png" ("name*" "utf-8''gr%C3%BC%C3%9F.png") "<pic@x.example>" "a picture" "base64" 4)` +
	` "mixed")`

const twoPartsStructure = `(` +
	`("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 8 1 NIL NIL NIL NIL)` +
	`("image" "png" ("name*" "utf-8''gr%C3%BC%C3%9F.png") "<pic@x.example>" "a picture" "base64" 4` +
	` "Q2hlY2sgSW50ZWdyaXR5IQ==" ("attachment" ("filename" "a \"b\".png" "size" "3")) "fr" "http://x.example/a.png")` +
	` "mixed" ("boundary" "cut" "charset" "x") NIL ("en" "de") NIL)`

// forwarded is a message in a message; its body is 38 bytes in 4 lines.
func forwarded(subtype string) string {
	return "Content-Type: message/" + subtype + "\nContent-Disposition: inline\n\nSubject: in\nFrom: a@b.example\n\nhi\n"
}

// The expected texts are written by hand after RFC 9051 7.5.2 and 9, body.
func TestBodyStructure(t *testing.T) {
	const inner = `(NIL "in" ((NIL NIL "a" "b.example")) ((NIL NIL "a" "b.example")) ((NIL NIL "a" "b.example")) NIL NIL NIL NIL NIL)`
	for _, c := range []struct {
		name, text            string
		rev2                  bool
		wantShort, wantFullOf string
	}{
		{
			"no MIME: the defaults of RFC 2045", "Subject: x\n\nhello\nworld\n", false,
			`("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 14 2)`,
			`("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 14 2 NIL NIL NIL NIL)`,
		},
		{"two parts", twoParts, false, twoPartsBody, twoPartsStructure},
		{
			"a multipart without parts is text, since the grammar has no empty one",
			"Content-Type: multipart/mixed; boundary=x\n\nnone\n", false,
			`("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 6 1)`,
			`("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 6 1 NIL NIL NIL NIL)`,
		},
		{
			"message/rfc822: envelope, body and lines of what is in it", forwarded("rfc822"), false,
			`("message" "rfc822" NIL NIL NIL "7bit" 38 ` + inner + ` ("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 4 1) 4)`,
			`("message" "rfc822" NIL NIL NIL "7bit" 38 ` + inner +
				` ("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 4 1 NIL NIL NIL NIL) 4 NIL ("inline" NIL) NIL NIL)`,
		},
		{
			"message/global is a file before IMAP4rev2", forwarded("global"), false,
			`("message" "global" NIL NIL NIL "7bit" 38)`,
			`("message" "global" NIL NIL NIL "7bit" 38 NIL ("inline" NIL) NIL NIL)`,
		},
		{
			"message/global is a message in IMAP4rev2", forwarded("global"), true,
			`("message" "global" NIL NIL NIL "7bit" 38 ` + inner + ` ("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 4 1) 4)`,
			`("message" "global" NIL NIL NIL "7bit" 38 ` + inner +
				` ("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 4 1 NIL NIL NIL NIL) 4 NIL ("inline" NIL) NIL NIL)`,
		},
	} {
		if got, want := described(c.text, c.rev2, writeBodyShort), "BODY "+c.wantShort; got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, want)
		}
		if got, want := described(c.text, c.rev2, writeBodyStructure), "BODYSTRUCTURE "+c.wantFullOf; got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, want)
		}
	}
}
