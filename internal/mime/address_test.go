package mime

import (
	"strings"
	"testing"
	"time"
)

func TestParseAddresses(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"", "NIL"},
		{" , ,", "NIL"},
		{"a@b.c", "(||a|b.c)"},
		{"a@b.c, d@e.f", "(||a|b.c)(||d|e.f)"},
		{"<a@b.c>", "(||a|b.c)"},
		{"John Doe <jd@x.org>", "(John Doe||jd|x.org)"},
		{"John   Doe\t<jd@x.org>", "(John Doe||jd|x.org)"},
		{`"Doe, John" <jd@x.org>`, "(Doe, John||jd|x.org)"},
		{`"a \"b\" \\c" <jd@x.org>`, `(a "b" \c||jd|x.org)`},
		{`J. "R" Smith <a@b>`, "(J. R Smith||a|b)"},
		{"jd@x.org (John Doe)", "(John Doe||jd|x.org)"},
		{"jd@x.org (John (the) Doe)", "(John (the) Doe||jd|x.org)"},
		{"(x) John (y) <jd(z)@(a)x.org>(b)", "(John||jd|x.org)"},
		{"=?utf-8?q?J=C3=B6rg?= <j@x>", "(=?utf-8?q?J=C3=B6rg?=||j|x)"},
		{"=?utf-8?q?Doe,_J?= <j@x>", "(=?utf-8?q?Doe,_J?=||j|x)"},
		{`"john doe"@x.org`, "(||john doe|x.org)"},
		{`"a.b".c@x.org`, "(||a.b.c|x.org)"},
		{"john . doe @ x . org", "(||john.doe|x.org)"},
		{"a@[192.0.2.1]", "(||a|[192.0.2.1])"},
		{"a@[IPv6:2001:db8::1]", "(||a|[IPv6:2001:db8::1])"},
		{"<@x,@y:a@b.c>", "(|@x,@y|a|b.c)"},
		{"N <@x:a@b.c>", "(N|@x|a|b.c)"},
		{"Undisclosed recipients:;", "{Undisclosed recipients:}{;}"},
		{`"My group": a@b, N <c@d>; e@f`, "{My group:}(||a|b)(N||c|d){;}(||e|f)"},
		{"g: a@b, c@d", "{g:}(||a|b)(||c|d){;}"},
		{"g: h: a@b;", "{g:}{;}{h:}(||a|b){;}"},
		{":;", "{:}{;}"},
		{";", "NIL"},
		{"a@b; c@d", "(||a|b)(||c|d)"},
		{"root", "(||root|)"},
		{"John Doe", "(John Doe|||)"},
		{"John Doe jd@x.org", "(John Doe||jd|x.org)"},
		{"jd@x.org <jd@x.org>", "(jd@x.org||jd|x.org)"},
		{"a@b@c", "(||a@b|c)"},
		{"<>", "(|||)"},
		{"N <>", "(N|||)"},
		{"N <root>", "(N||root|)"},
		{"N <a@b", "(N||a|b)"},
		{"N <a@b, M <c@d>", "(N||a|b)(M||c|d)"},
		{"N <a@b> junk, c@d", "(N||a|b)(||c|d)"},
		{"\"N <a@b>, c@d", "(||N <a@b>, c@d|)"},
		{"(a@b", "NIL"},
		{"a@b, ()", "(||a|b)"},
		{"\xe4@b", "(||\xe4|b)"},
		{"jörg@exämple.org", "(||jörg|exämple.org)"},
	} {
		if got := addressList(parseAddresses(test.in)); got != test.want {
			t.Errorf("%q:\n%s, want\n%s", test.in, got, test.want)
		}
	}
}

func TestEnvelope(t *testing.T) {
	s := parse("From: a@b\nTo:\nSubject:\nSender: \nBcc: x@y\nDate: now\nsubject: second\nto: c@d\n" +
		"Message-ID:\n <m@i>\nCc: one\n ,two@x\n\n")
	e := s.Envelope
	if e.Subject == nil || *e.Subject != "" || e.InReplyTo != nil || *e.Date != "now" || *e.MessageID != "<m@i>" {
		t.Errorf("subject %v in-reply-to %v date %v id %v", e.Subject, e.InReplyTo, e.Date, e.MessageID)
	}
	// RFC 9051 7.5.2: empty is as good as absent; Sender and Reply-To are From then.
	for i, test := range []struct {
		got  []Address
		want string
	}{
		{e.From, "(||a|b)"}, {e.Sender, "(||a|b)"}, {e.ReplyTo, "(||a|b)"},
		{e.To, "NIL"}, {e.Cc, "(||one|)(||two|x)"}, {e.Bcc, "(||x|y)"},
	} {
		if got := addressList(test.got); got != test.want {
			t.Errorf("%d: %s, want %s", i, got, test.want)
		}
	}
	if !s.Date.IsZero() || s.MessageID != "m@i" {
		t.Errorf("date %v id %q", s.Date, s.MessageID)
	}
}

// A list that is too long must not end in half an address.
func TestAddressesCut(t *testing.T) {
	s := parse("To: " + strings.Repeat("someone@example.org, ", 10000) + "\n\n")
	to := s.Envelope.To
	if n := len(to); n < 3000 || n > addressesMax {
		t.Fatalf("%d addresses", n)
	}
	for _, a := range to {
		if a.Mailbox != "someone" || a.Host != "example.org" {
			t.Fatalf("%+v", a)
		}
	}
	if n := len(parseAddresses("g:" + strings.Repeat("a,", 9000))); n > addressesMax+1 {
		t.Errorf("%d addresses", n)
	}
}

func FuzzAddress(f *testing.F) {
	for _, seed := range []string{"a@b, c <d@e>", "g: <@x:a@b>;", `"\"(<[@:;,`, "a <b(c\"d", "=?a?q?b,c?= <d>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		defer slow(t, time.Now())
		open := false
		list := parseAddresses(s)
		for _, a := range list {
			switch a.Kind {
			case GroupStart, GroupEnd:
				if open == (a.Kind == GroupStart) {
					t.Fatalf("groups are not balanced: %s", addressList(list))
				}
				open = !open
			}
			if len(a.Name)+len(a.Mailbox)+len(a.Host)+len(a.Route) > 2*len(s)+2 {
				t.Fatalf("%+v grew out of %q", a, s)
			}
		}
		if open || len(list) > 2*len(s) {
			t.Fatalf("%s", addressList(list))
		}
	})
}
