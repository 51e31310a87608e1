package imap

import (
	"bytes"
	"testing"

	"postfach/internal/mail"
	"postfach/internal/store/mem"
)

// FuzzSession feeds whole sessions with anything: no input may panic, hang, or make
// the server say a line that is none.
func FuzzSession(f *testing.F) {
	for _, seed := range []string{
		"a NOOP\r\nb FETCH 1:* (FLAGS BODY[1.MIME]<0.5>)\r\nc STORE 1:3 +FLAGS (\\Deleted x)\r\nd EXPUNGE\r\n",
		"a APPEND INBOX (\\Seen) \"01-Jan-2020 00:00:00 +0000\" {3+}\r\nabc\r\nb UID MOVE 1:* Trash\r\nc SELECT Trash\r\n",
		"a APPEND INBOX {5}\r\nhello\r\nb APPEND INBOX ~{3+}\r\na\x00b\r\nc CHECK\r\n",
		"a APPEND INBOX (\\Seen) {1+}\r\na {2+}\r\nbc\r\nb FETCH 1:* (BINARY[1]<0.5> BINARY.SIZE[] BINARY.PEEK[1.2])\r\n",
		"a REPLACE 2 INBOX (\\Seen) {1+}\r\na\r\nb UID REPLACE * Sent ~{2+}\r\n\x00c\r\nc NOOP\r\n",
		"a APPEND Sent CATENATE (TEXT {1+}\r\na URL \"/INBOX/;UID=1/;SECTION=HEADER.FIELDS%20(Subject)/;PARTIAL=1.5\")\r\nb APPEND x CATENATE (URL y)\r\n",
		"a CREATE a/b/c\r\nb LIST \"\" (%\r\nc LIST \"\" \"*\"\r\nd RENAME a z\r\ne DELETE z/b/c\r\nf LSUB \"\" *\r\n",
		"a SEARCH OR (NOT SEEN TEXT x) UID 1:* SINCE 1-Jan-2020\r\nb UID SEARCH CHARSET UTF-8 SUBJECT {1+}\r\n\xff\r\n",
		"a IDLE\r\nDONE\r\nb STATUS INBOX (MESSAGES RECENT)\r\nc CLOSE\r\nd UNSELECT\r\ne ENABLE X\r\nf ID NIL\r\n",
		"a NOTIFY SET STATUS (SELECTED (MessageNew (UID BODY[]<0.5>) MessageExpunge)) (SUBTREE (a INBOX) (MailboxName))\r\nb CREATE a/b\r\n",
		"a NOTIFY NONE\r\nb STORE 1:2 +FLAGS (\\Deleted)\r\nc EXPUNGE\r\nd COPY * INBOX\r\ne NOTIFY SET (PERSONAL (X))\r\nf NOOP\r\n",
		"a SETMETADATA \"\" (/private/filters/values/x \"NOT FILTER y\" /shared/a ~{2+}\r\n\x00a)\r\nb GETMETADATA (DEPTH 1 MAXSIZE 5) \"\" (/private)\r\nc SEARCH FILTER x\r\n",
		"a SORT RETURN (UPDATE PARTIAL 1:2) (REVERSE SIZE) UTF-8 UNSEEN\r\nb STORE 1:3 +FLAGS (\\Seen)\r\nc CANCELUPDATE \"a\"\r\nd LIST \"\" % RETURN (METADATA (/private/x))\r\n",
		"a FETCH 4294967295:* ALL\r\nb {10+}\r\n\r\nc UID\r\n* BAD\r\n{\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, c := selectedSession(t, mem.New(mail.SystemEnv(quietLog)), 5)
		defer s.close()
		c.keep = true
		c.feed = append([]byte(nil), text...)
		for n := 0; !s.over; n++ {
			if n > len(text)+10 {
				t.Fatal("the session does not end")
			}
			if err := s.step(); err != nil {
				break
			}
		}
		if out := c.said; s.w.Flush() == nil && len(out) > 0 && !bytes.HasSuffix(c.said, []byte("\r\n")) {
			t.Fatalf("the last line does not end: %q", out[max(0, len(out)-80):])
		}
	})
}
