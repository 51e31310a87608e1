package imapclient

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refusedWith wants an *Error of a kind and code.
func refusedWith(t *testing.T, err error, kind, code string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Kind != kind || e.Code != code {
		t.Fatalf("error %v, want %s [%s]", err, kind, code)
	}
}

func TestGreeting(t *testing.T) {
	for _, c := range []struct{ said, kind string }{
		{"* PREAUTH [CAPABILITY IMAP4rev1] hello anna", "PREAUTH"},
		{"* OK", "OK"},
		{"* BYE too many", ""},
		{"* NO", ""},
		{"A1 OK", ""},
		{"HTTP/1.1 200 OK", ""},
		{"", ""},
	} {
		ours, theirs := net.Pipe()
		go func() { fmt.Fprint(theirs, c.said+"\r\n"); theirs.Close() }()
		client, err := New(ours, Options{})
		if (err == nil) != (c.kind != "") {
			t.Errorf("%q: %v", c.said, err)
		}
		if err == nil && client.Greeting().Kind != c.kind {
			t.Errorf("%q: kind %q", c.said, client.Greeting().Kind)
		}
	}
}

func TestLogin(t *testing.T) {
	talk(t, Options{}, hello+`
		C: A1 LOGIN anna {3+}
		C: ü"
		S: A1 NO [AUTHENTICATIONFAILED] wrong
		C: A2 LOGIN "anna b" "pa\"ss"
		S: A2 OK [CAPABILITY IMAP4rev1 MOVE] welcome
		C: A3 LOGOUT
		S: * BYE see you
		S: A3 OK done
	`, func(t *testing.T, c *Client) {
		refusedWith(t, c.Login("anna", "ü\""), "NO", "AUTHENTICATIONFAILED")
		check(t, c.Login("anna b", `pa"ss`))
		if !c.Has("MOVE") || c.Has("SASL-IR") {
			t.Error("capabilities of before the login")
		}
		check(t, c.Logout())
	})
}

func TestAuthenticatePlain(t *testing.T) {
	talk(t, Options{}, hello+`
		C: A1 AUTHENTICATE PLAIN AGFubmEAc2VjcmV0
		S: A1 OK welcome
		C: A2 CAPABILITY
		S: * CAPABILITY IMAP4rev1 
		S: A2 OK done
		C: A3 AUTHENTICATE PLAIN
		S: + 
		C: AGFubmEAc2VjcmV0
		S: A3 OK welcome
		C: A4 CAPABILITY
		S: * CAPABILITY IMAP4rev1
		S: A4 OK done
		C: A5 AUTHENTICATE PLAIN
		S: A5 BAD already
	`, func(t *testing.T, c *Client) {
		check(t, c.AuthenticatePlain("anna", "secret"))
		check(t, c.AuthenticatePlain("anna", "secret"))
		refusedWith(t, c.AuthenticatePlain("anna", "secret"), "BAD", "")
	})
}

func TestSelect(t *testing.T) {
	talk(t, Options{}, hello+`
		C: A1 SELECT B&APw-cher
		S: * FLAGS (\Answered \Seen work)
		S: * OK [PERMANENTFLAGS (\Seen \*)] limited
		S: * 172 EXISTS
		S: * 1 RECENT
		S: * OK [UNSEEN 12] first
		S: * OK [UIDVALIDITY 3857529045] valid
		S: * OK [UIDNEXT 4392] next
		S: * OK [HIGHESTMODSEQ 715194045007] so far
		S: A1 OK [READ-WRITE] done
		C: A2 EXAMINE other
		S: * OK [CLOSED] was
		S: * 3 EXISTS
		S: * OK [UIDVALIDITY 1] valid
		S: A2 OK [READ-ONLY] done
		C: A3 SELECT none
		S: A3 NO [NONEXISTENT] no such mailbox
	`, func(t *testing.T, c *Client) {
		m, err := c.Select("Bücher")
		check(t, err)
		want := Mailbox{
			Name: "Bücher", Exists: 172, Recent: 1, Unseen: 12, UIDValidity: 3857529045, UIDNext: 4392, HighestModSeq: 715194045007,
			Flags: []string{`\Answered`, `\Seen`, "work"}, PermanentFlags: []string{`\Seen`, `\*`},
		}
		if fmt.Sprint(m) != fmt.Sprint(want) {
			t.Errorf("%+v", m)
		}
		m, err = c.Examine("other")
		check(t, err)
		if !m.ReadOnly || m.Exists != 3 || m.Recent != 0 || c.Mailbox().Exists != 3 {
			t.Errorf("%+v", m)
		}
		_, err = c.Select("none")
		refusedWith(t, err, "NO", "NONEXISTENT")
	})
}

func TestAppend(t *testing.T) {
	talk(t, Options{}, "S: * OK [CAPABILITY IMAP4rev1 LITERAL-] hello"+`
		C: A1 APPEND INBOX (\Seen work) "17-Jul-1996 02:44:25 -0700" {6+}
		C: a: b
		C: 
		S: A1 OK [APPENDUID 38505 3955] done
		C: A2 APPEND INBOX {5000}
		S: A2 NO [OVERQUOTA] too much
		C: A3 APPEND INBOX {5000}
		S: * 7 EXISTS
		S: + go on
		C: `+strings.Repeat("x", 4998)+`
		C: 
		S: A3 OK done
	`, func(t *testing.T, c *Client) {
		date := time.Date(1996, 7, 17, 2, 44, 25, 0, time.FixedZone("", -7*3600))
		validity, uid, err := c.Append("INBOX", strings.NewReader("a: b\r\n"), 6, AppendOptions{Flags: []string{`\Seen`, "work"}, Date: date})
		check(t, err)
		if validity != 38505 || uid != 3955 {
			t.Errorf("APPENDUID %d %d", validity, uid)
		}
		big := strings.Repeat("x", 4998) + "\r\n"
		_, _, err = c.Append("INBOX", strings.NewReader(big), 5000, AppendOptions{})
		refusedWith(t, err, "NO", "OVERQUOTA")
		_, uid, err = c.Append("INBOX", strings.NewReader(big), 5000, AppendOptions{})
		check(t, err)
		if uid != 0 {
			t.Errorf("uid %d out of nothing", uid)
		}
	})
}

// TestAppendLies checks that a source of another size than announced ends the connection:
// the server must not take what follows for the message.
func TestAppendLies(t *testing.T) {
	for _, src := range []string{"short", "much too long"} {
		ours, theirs := net.Pipe()
		go func() {
			fmt.Fprint(theirs, strings.TrimPrefix(hello[:len(hello)-1], "S: ")+"\r\n")
			io.Copy(io.Discard, theirs)
		}()
		c, err := New(ours, Options{})
		check(t, err)
		if _, _, err = c.Append("INBOX", strings.NewReader(src), 10, AppendOptions{}); err == nil {
			t.Errorf("%q was appended", src)
		}
		if err := c.Noop(); err == nil {
			t.Error("the connection lives on")
		}
	}
}

func TestMailboxes(t *testing.T) {
	talk(t, Options{}, hello+`
		C: A1 CREATE a/b
		S: A1 OK done
		C: A2 RENAME a/b "c d"
		S: A2 NO [ALREADYEXISTS] is there
	`, func(t *testing.T, c *Client) {
		check(t, c.Create("a/b"))
		refusedWith(t, c.Rename("a/b", "c d"), "NO", "ALREADYEXISTS")
	})
	talk(t, Options{}, hello+`
		C: A1 LIST "" "%"
		S: * LIST (\Noselect) "/" B&APw-cher (OLDNAME (x))
		S: * LIST () NIL {5}
		S: plain
		S: A1 OK done
		C: A2 STATUS INBOX (MESSAGES MAILBOXID UIDNEXT)
		S: * STATUS INBOX (MESSAGES 231 MAILBOXID (F2212) UIDNEXT 44292)
		S: A2 OK done
	`, func(t *testing.T, c *Client) {
		all, err := c.List("", "%")
		check(t, err)
		if len(all) != 2 || all[0].Name != "Bücher" || all[0].Delimiter != "/" || all[0].Attributes[0] != `\Noselect` || all[1].Name != "plain" || all[1].Delimiter != "" {
			t.Errorf("%+v", all)
		}
		st, err := c.Status("INBOX", "MESSAGES", "MAILBOXID", "UIDNEXT")
		check(t, err)
		if st["MESSAGES"] != 231 || st["UIDNEXT"] != 44292 {
			t.Errorf("%v", st)
		}
	})
}

func TestSearch(t *testing.T) {
	talk(t, Options{}, hello+`
		C: A1 SEARCH UNSEEN
		S: * SEARCH 2 84 882 (MODSEQ 917162500)
		S: A1 OK done
		C: A2 UID SEARCH ALL
		S: * SEARCH
		S: A2 OK done
		C: A3 UID SEARCH 1:*
		S: * ESEARCH (TAG "A3") UID COUNT 4 ALL 2,10:12
		S: A3 OK done
		C: A4 UID SEARCH 1:*
		S: * ESEARCH (TAG "A4") UID ALL 1:4294967295
	`, func(t *testing.T, c *Client) {
		for _, want := range [][]uint32{{2, 84, 882}, {}, {2, 10, 11, 12}} {
			got, err := map[int]func(string) ([]uint32, error){3: c.Search, 0: c.UIDSearch, 4: c.UIDSearch}[len(want)](
				map[int]string{3: "UNSEEN", 0: "ALL", 4: "1:*"}[len(want)])
			check(t, err)
			if !slices.Equal(got, want) {
				t.Errorf("found %v, want %v", got, want)
			}
		}
		if _, err := c.UIDSearch("1:*"); err == nil {
			t.Error("four billion messages were taken")
		}
	})
}

func TestCopyAndMove(t *testing.T) {
	var news []string
	o := Options{News: func(n News) { news = append(news, fmt.Sprint(n.What, " ", n.Number)) }}
	talk(t, o, hello+`
		C: A1 SELECT INBOX
		S: * 4 EXISTS
		S: A1 OK [READ-WRITE] done
		C: A2 UID COPY 304,319:320 other
		S: A2 OK [COPYUID 38505 304,319:320 3956:3958] done
		C: A3 MOVE 2:3 other
		S: * OK [COPYUID 38505 11:12 5,9] moved
		S: * 3 EXPUNGE
		S: * 2 EXPUNGE
		S: A3 OK done
		C: A4 UID COPY 99 other
		S: A4 OK nothing
		C: A5 EXPUNGE
		S: * 3 EXPUNGE
	`, func(t *testing.T, c *Client) {
		_, err := c.Select("INBOX")
		check(t, err)
		copied, err := c.UIDCopy("304,319:320", "other")
		check(t, err)
		if copied.UIDValidity != 38505 || copied.Source.String() != "304,319:320" || copied.Target.String() != "3956:3958" {
			t.Errorf("%+v", copied)
		}
		moved, err := c.Move("2:3", "other")
		check(t, err)
		pairs := map[uint32]uint32{}
		moved.Pairs(func(a, b uint32) bool { pairs[a] = b; return true })
		if len(pairs) != 2 || pairs[11] != 5 || pairs[12] != 9 {
			t.Errorf("%v", pairs)
		}
		if c.Mailbox().Exists != 2 || !slices.Equal(news, []string{"EXISTS 4", "OK 0", "EXPUNGE 3", "EXPUNGE 2"}) {
			t.Errorf("%d exist, news %v", c.Mailbox().Exists, news)
		}
		if copied, err = c.UIDCopy("99", "other"); err != nil || copied.UIDValidity != 0 {
			t.Errorf("%+v, %v", copied, err)
		}
		if c.Expunge() == nil {
			t.Error("a message that is not there was expunged")
		}
	})
}
