package wire

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseURL(t *testing.T) {
	for text, want := range map[string]URL{
		"/Drafts;UIDVALIDITY=385759045/;UID=20/;section=HEADER": {Mailbox: "Drafts", UIDValidity: 385759045, UID: 20, Section: "HEADER"},
		"/Drafts/;UID=3002":                               {Mailbox: "Drafts", UID: 3002},
		"/a/b/;uid=4294967295/;Section=1.2.MIME":          {Mailbox: "a/b", UID: 4294967295, Section: "1.2.MIME"},
		"/x/;UID=1/;PARTIAL=5":                            {Mailbox: "x", UID: 1, Partial: true, From: 5},
		"/x/;UID=1/;SECTION=1/;PARTIAL=0.1024":            {Mailbox: "x", UID: 1, Section: "1", Partial: true, Length: 1024},
		"/x/;UID=1/;SECTION=HEADER.FIELDS%20(To%20Cc)":    {Mailbox: "x", UID: 1, Section: "HEADER.FIELDS (To Cc)"},
		"/%C3%9Cber%20%26%3b%2F/;UID=1":                   {Mailbox: "Über &;/", UID: 1},
		"/R&D@x:y=(z)~!$'*+,/;UID=1":                      {Mailbox: "R&D@x:y=(z)~!$'*+,", UID: 1},
		"/%2E%2E/;UID=1":                                  {Mailbox: "..", UID: 1},
		"/x/;UID=1/;PARTIAL=9223372036854775807.1":        {Mailbox: "x", UID: 1, Partial: true, From: 1<<63 - 1, Length: 1},
		"/x;UIDVALIDITY=1/;UID=1/;SECTION=a/b/;PARTIAL=0": {Mailbox: "x", UIDValidity: 1, UID: 1, Section: "a/b", Partial: true},
	} {
		if got, ok := ParseURL([]byte(text)); !ok || got != want {
			t.Errorf("%s: %+v %v, want %+v", text, got, ok, want)
		}
	}
	for _, text := range []string{
		"", "/", "//", "x", ";UID=1", "x/;UID=1", "/;UID=1", "//;UID=1", "//host/x/;UID=1", "imap://host/x/;UID=1", "/x", "/x?ALL", "/x;UIDVALIDITY=1",
		"/x;UID=1", "/x/;UID=0", "/x/;UID=01", "/x/;UID=", "/x/;UID=1/", "/x/;UID=4294967296", "/x/;UID=1x", "/x/;UID=-1", "/x/;UID=1,2",
		"/x;UIDVALIDITY=0/;UID=1", "/x;UIDVALIDITY=1;UID=1", "/x;UIDVALIDITY=/;UID=1", "/x/;UID=1;SECTION=1", "/x/;UID=1/;SECTION=", "/x/;UID=1/;SECTION=1]",
		"/x/;UID=1/;PARTIAL=", "/x/;UID=1/;PARTIAL=0.0", "/x/;UID=1/;PARTIAL=0.", "/x/;UID=1/;PARTIAL=0-5", "/x/;UID=1/;PARTIAL=.5", "/x/;UID=1/;PARTIAL=1/;SECTION=1",
		"/x/;UID=1/;PARTIAL=9223372036854775808", "/x/;UID=1/;UID=1", "/x/;UID=1;URLAUTH=anonymous:INTERNAL:00", "/x/;UID=1;EXPIRE=2020-01-01T00:00:00Z",
		"/a b/;UID=1", "/%zz/;UID=1", "/%f/;UID=1", "/%ff/;UID=1", "/\xc3\x9c/;UID=1", "/../x/;UID=1", "/x/./y/;UID=1", "/x\"/;UID=1", "/x\\/;UID=1", "/x;;UID=1",
	} {
		if got, ok := ParseURL([]byte(text)); ok {
			t.Errorf("%s: %+v", text, got)
		}
	}
}

// A URL that was understood can be written again from what was understood.
func FuzzParseURL(f *testing.F) {
	for _, seed := range []string{"/x;UIDVALIDITY=1/;UID=2/;SECTION=1.MIME/;PARTIAL=3.4", "/%C3%9C/;UID=1", "/a/b/;uid=7/;partial=0", "//h/x/;UID=1"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		u, ok := ParseURL(text)
		if !ok {
			return
		}
		if u.UID == 0 || u.Mailbox == "" || !utf8.ValidString(u.Mailbox) || u.From < 0 || u.Length < 0 {
			t.Fatalf("%q: %+v", text, u)
		}
		encoded := func(s string) string {
			var b strings.Builder
			for i := range len(s) {
				fmt.Fprintf(&b, "%%%02x", s[i])
			}
			return b.String()
		}
		again := "/" + encoded(u.Mailbox)
		if u.UIDValidity > 0 {
			again += fmt.Sprintf(";UIDVALIDITY=%d", u.UIDValidity)
		}
		again += fmt.Sprintf("/;UID=%d", u.UID)
		if u.Section != "" {
			again += "/;SECTION=" + encoded(u.Section)
		}
		if u.Partial {
			again += fmt.Sprintf("/;PARTIAL=%d", u.From)
			if u.Length > 0 {
				again += fmt.Sprintf(".%d", u.Length)
			}
		}
		if other, ok := ParseURL([]byte(again)); !ok || other != u {
			t.Fatalf("%q is %+v, %q is %+v %v", text, u, again, other, ok)
		}
	})
}
