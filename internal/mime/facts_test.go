package mime

import (
	"fmt"
	"strings"
	"testing"
)

func TestParseDate(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"Fri, 21 Nov 1997 09:55:06 -0600", "1997-11-21 09:55:06 -0600"},
		{"21 Nov 1997 09:55 +0530", "1997-11-21 09:55:00 +0530"},
		{"Fri, 21 Nov 97 09(comment):55:06 EST", ""},
		{"Fri, 21 Nov 97 09:55:06 EST", "1997-11-21 09:55:06 -0500"},
		{"Fri,21 Nov 1997 09:55:06 +0000 (UTC)", "1997-11-21 09:55:06 +0000"},
		{"1 jan 49 00:00 GMT", "2049-01-01 00:00:00 +0000"},
		{"1 Jan 50 00:00 UT", "1950-01-01 00:00:00 +0000"},
		{"1 Jan 100 00:00 Z", "2000-01-01 00:00:00 +0000"},
		{"Wed Jun 12 10:20:30 2002", "2002-06-12 10:20:30 +0000"},
		{"12-Jun-2002 10:20:30 PDT", "2002-06-12 10:20:30 -0700"},
		{"12 June 2002 10:20:30+02:00", "2002-06-12 10:20:30 +0200"},
		{"12 Jun 2002", "2002-06-12 00:00:00 +0000"},
		{"Mon, 21 Aug 95 13:30:57 -600", "1995-08-21 13:30:57 -0600"},
		{"30 Feb 2002 10:00 +0000", ""},
		{"31 Dec 2016 23:59:60 +0000", "2017-01-01 00:00:00 +0000"},
		{"0 Jan 2002 10:00 +0000", ""},
		{"32 Jan 2002 10:00 +0000", ""},
		{"1 Jan 1899 10:00 +0000", ""},
		{"", ""},
		{"yesterday", ""},
		{"99999999999999999999 Jan 2002", ""},
		{"-", ""},
	} {
		got := ""
		if date := parseDate(test.in); !date.IsZero() {
			got = date.Format("2006-01-02 15:04:05 -0700")
		}
		if test.in == "Fri, 21 Nov 97 09(comment):55:06 EST" {
			continue // A comment inside a time: any answer will do.
		}
		if got != test.want {
			t.Errorf("%q: %q, want %q", test.in, got, test.want)
		}
	}
}

func TestMessageIDs(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"", "[]"},
		{"<a@b>", "[a@b]"},
		{" <a@b>\t<c@d> (x) <a@b>", "[a@b c@d]"},
		{"Your message of Monday <a@b>", "[a@b]"},
		{`<"01KF8JCEOCBS0045PS"@xxx.yyy.com>`, "[01KF8JCEOCBS0045PS@xxx.yyy.com]"},
		{"<a @ b>", "[a@b]"},
		{"<<a@b>", "[a@b]"},
		{"a@b c@d,", "[a@b c@d]"},
		{"nothing", "[]"},
		{"<>", "[]"},
		{"<a", "[]"},
		{"<" + strings.Repeat("a", 2000) + ">", "[]"},
	} {
		if got := fmt.Sprint(messageIDs(test.in)); got != test.want {
			t.Errorf("%q: %s, want %s", test.in, got, test.want)
		}
	}
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, "<%d@x> ", i)
	}
	ids := messageIDs(b.String())
	if len(ids) != idsMax || ids[0] != "0@x" || ids[1] != "901@x" || ids[99] != "999@x" {
		t.Errorf("%d ids: %v", len(ids), ids)
	}
}

func TestFacts(t *testing.T) {
	s := parse("Message-ID: <m@x>\nIn-Reply-To: <r@x>\nReferences: <a@x>\n <r@x>\n\n")
	if s.MessageID != "m@x" || fmt.Sprint(s.InReplyTo) != "[r@x]" || fmt.Sprint(s.References) != "[a@x r@x]" {
		t.Errorf("%q %q %q", s.MessageID, s.InReplyTo, s.References)
	}
}
