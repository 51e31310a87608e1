package search

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"postfach/internal/mail"
	"postfach/internal/mime"
)

// one is an Opener with one message, which counts how often it is opened.
type one struct {
	text       []byte
	structures int
	bodies     int
	open       int
	err        error
}

func (o *one) Message(context.Context, mail.MessageID) (*mail.Message, error) {
	return &mail.Message{Thread: 7}, o.err
}

func (o *one) Release() {}

func (o *one) Structure(context.Context, mail.MessageID) (*mime.Structure, error) {
	o.structures++
	p := mime.NewParser()
	_, _ = p.Write(o.text)
	return p.Close(), o.err
}

func (o *one) Body(context.Context, mail.MessageID) (mail.Body, error) {
	if o.err != nil {
		return nil, o.err
	}
	o.bodies++
	o.open++
	return &body{bytes.NewReader(o.text), o}, nil
}

type body struct {
	*bytes.Reader
	of *one
}

func (b *body) Close() error {
	b.of.open--
	return nil
}

func crlf(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }

// letter has a header with encoded words, quoted-printable, base64, HTML, a message
// in it and an attachment.
var letter = crlf(`Date: Sat, 1 Mar 2025 23:30:00 -0800
From: =?utf-8?q?J=C3=BCrgen_M=C3=BCller?= <jm@example.org>
To: "Doe, John" <john@example.com>, friends: a@b.example, c@d.example;
Cc:
Subject: =?iso-8859-1?q?Gr=FC=DFe?= aus
 Wien
X-Two: first
X-Two: second
Message-ID: <1@example.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

preamble
--b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable
Content-Description: spoken

Stra=C3=9Fe und =
Caf=C3=A9
--b
Content-Type: text/html; charset=us-ascii

<p>Kaffee <b>und</b> K&uuml;chen</p>
--b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: base64

w5xiZXJyYXNjaHVuZw==
--b
Content-Type: message/rfc822

Subject: innerer Brief
From: kim@example.net

inwendig
--b
Content-Type: application/octet-stream; name=geheim.bin

versteckt
--b--
`)

func TestTexts(t *testing.T) {
	for _, c := range []struct {
		name string
		key  Key
		want bool
	}{
		{"from, decoded", From("jürgen müller"), true},
		{"from, address", From("JM@EXAMPLE.ORG"), true},
		{"from, as written", From("utf-8"), false},
		{"to, name", To("doe, john <"), true},
		{"to, in a group", To("C@d.example"), true},
		{"to, the group's name", To("Friends"), true},
		{"to is not from", To("jm@example.org"), false},
		{"from, empty text", From(""), true},
		{"cc, empty field", Cc(""), false},
		{"bcc, no field", Bcc(""), false},
		{"subject over a fold", Subject("grüße AUS WIEN"), true},
		{"subject, composed otherwise", Subject("Gru\u0308ße"), true},
		{"subject, of the inner message", Subject("innerer"), false},
		{"header, second of two", Header("x-two", "SECOND"), true},
		{"header, first of two", Header("X-TWO", "first"), true},
		{"header, other name", Header("X-T", "first"), false},
		{"header, empty text", Header("Message-Id", ""), true},
		{"header, empty text, no field", Header("X-Three", ""), false},
		{"header, decoded", Header("Subject", "ße aus"), true},
		{"header, not that of a part", Header("Content-Description", ""), false},
		{"body, quoted-printable over a soft break", Body("straße und café"), true},
		{"body, html without markup", Body("kaffee und küchen"), true},
		{"body, markup", Body("<b>"), false},
		{"body, base64", Body("überrasch"), true},
		{"body, inner message", Body("INWENDIG"), true},
		{"body, not its header", Body("innerer Brief"), false},
		{"body, not the header", Body("Wien"), false},
		{"body, not an attachment", Body("versteckt"), false},
		{"body, empty text", Body(""), true},
		{"text, body", Text("überrasch"), true},
		{"text, header", Text("subject: grüße"), true},
		{"text, header of a part", Text("Content-Description: spoken"), true},
		{"text, inner header", Text("innerer brief"), true},
		{"text, nowhere", Text("nirgends"), false},
		{"text, not over the end of a field", Text("wien x-two"), false},
	} {
		o := &one{text: letter}
		s := New(c.key, o)
		for range 2 { // the second time nothing is left of the first
			got, err := s.Matches(t.Context(), &Row{Fixed: new(mail.Fixed)})
			if err != nil || got != c.want {
				t.Errorf("%s: %v, %v, want %v", c.name, got, err, c.want)
			}
		}
		if o.open != 0 {
			t.Errorf("%s: %d bodies are left open", c.name, o.open)
		}
	}
}

func TestDays(t *testing.T) {
	day := func(s string) Day {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return DayOf(d)
	}
	on := func(s string) func(Day) bool { return func(d Day) bool { return d == day(s) } }
	before := func(s string) func(Day) bool { return func(d Day) bool { return d < day(s) } }
	zone := func(s string) mail.Stamp {
		d, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return mail.StampOf(d)
	}
	for _, c := range []struct {
		name string
		key  Key
		date mail.Stamp
		want bool
	}{
		// RFC 9051 6.4.4: "disregarding time and timezone".
		{"late in the west", Internal(on("2025-03-01")), zone("2025-03-01T23:30:00-08:00"), true},
		{"early in the east", Internal(on("2025-03-02")), zone("2025-03-02T00:30:00+09:00"), true},
		{"not the day in UTC", Internal(on("2025-03-01")), zone("2025-03-02T00:30:00+09:00"), false},
		{"before", Internal(before("2025-03-02")), zone("2025-03-01T23:59:59+00:00"), true},
		{"before is without the day", Internal(before("2025-03-01")), zone("2025-03-01T00:00:00+00:00"), false},
		{"before 1970", Internal(on("1969-12-31")), zone("1969-12-31T23:59:59+00:00"), true},
		{"sent, in its own zone", Sent(on("2025-03-01")), mail.Stamp{}, true},
		{"sent, not in UTC", Sent(on("2025-03-02")), mail.Stamp{}, false},
	} {
		s := New(c.key, &one{text: letter})
		if got, err := s.Matches(t.Context(), &Row{Fixed: &mail.Fixed{Date: c.date}}); err != nil || got != c.want {
			t.Errorf("%s: %v, %v, want %v", c.name, got, err, c.want)
		}
	}
	undated := New(Sent(before("2030-01-01")), &one{text: crlf("Subject: x\n\n")})
	if got, _ := undated.Matches(t.Context(), &Row{Fixed: new(mail.Fixed)}); got {
		t.Error("a message without a date was sent before 2030")
	}
}

func TestLogic(t *testing.T) {
	yes, no := All(), Not(All())
	for i, c := range []struct {
		key  Key
		want bool
	}{
		{And(), true}, {Or(), false},
		{And(yes, yes), true}, {And(yes, no), false}, {And(no, yes), false},
		{Or(no, yes), true}, {Or(yes, no), true}, {Or(no, no), false},
		{Not(And(yes, no)), true}, {Not(Or(no, Text("überrasch"))), false},
		{And(Text("überrasch"), Header("X-Two", "second"), Not(Body("nirgends"))), true},
		{Or(Text("nirgends"), Body("inwendig")), true},
		{And(Text("nirgends"), Body("inwendig")), false},
		{Thread(7), true}, {Thread(8), false}, {Not(Thread(0)), true}, {And(Text("überrasch"), Thread(7)), true},
	} {
		s := New(c.key, &one{text: letter})
		if got, err := s.Matches(t.Context(), &Row{Fixed: new(mail.Fixed)}); err != nil || got != c.want {
			t.Errorf("%d: %v, %v, want %v", i, got, err, c.want)
		}
	}
}

// What is cheap decides first, and a message is opened once for all keys.
func TestCheapFirst(t *testing.T) {
	seen := Test(func(r *Row) bool { return r.Flags.Has(mail.Seen) })
	tree := func() Key {
		return And(Text("a"), Body("b"), Header("X-Two", "second"), Subject("wien"), Or(Text("c"), Header("X-Two", "first")), Thread(7), seen)
	}
	o := &one{text: letter}
	s := New(tree(), o)
	if got, err := s.Matches(t.Context(), &Row{Fixed: new(mail.Fixed)}); got || err != nil {
		t.Error(got, err)
	}
	if o.structures+o.bodies != 0 {
		t.Error("opened, though the flags decide")
	}
	if got, err := s.Matches(t.Context(), &Row{Flags: mail.Seen, Fixed: new(mail.Fixed)}); !got || err != nil {
		t.Error(got, err)
	}
	if o.structures != 1 || o.bodies != 1 {
		t.Errorf("opened %d structures and %d bodies", o.structures, o.bodies)
	}
	o = &one{text: letter}
	s = New(And(Text("a"), Thread(8)), o)
	if got, err := s.Matches(t.Context(), &Row{Fixed: new(mail.Fixed)}); got || err != nil || o.structures+o.bodies != 0 {
		t.Error(got, err, "opened, though the thread decides")
	}
	if New(seen, o).Opens() || !New(tree(), o).Opens() {
		t.Error("Opens is wrong")
	}
}

// A message that can't be read matches nothing, not even a NOT.
func TestUnreadable(t *testing.T) {
	for _, key := range []Key{
		Text("x"), Header("x", "x"), Subject("x"), Sent(func(Day) bool { return true }),
		Not(Text("x")), Or(Text("x"), Not(Text("x"))), Thread(7), Not(Thread(8)),
	} {
		o := &one{text: letter, err: mail.Errorf(mail.Corrupt, "broken")}
		if got, err := New(key, o).Matches(t.Context(), &Row{Fixed: new(mail.Fixed)}); got || !mail.Is(err, mail.Corrupt) {
			t.Error(got, err)
		}
	}
}

func TestContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, key := range []Key{Text("x"), Header("x", "x")} {
		o := &one{text: letter}
		if _, err := New(key, o).Matches(ctx, &Row{Fixed: new(mail.Fixed)}); !mail.Is(err, mail.Unavailable) {
			t.Error(err)
		}
		if o.open != 0 {
			t.Error("left open")
		}
	}
}
