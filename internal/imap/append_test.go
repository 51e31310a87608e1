package imap

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"postfach/internal/mail"
	"postfach/internal/store/mem"
)

// Messages that are too large for memory are put together, and encoded, from blob to
// blob.
func TestAppendLarge(t *testing.T) {
	for name, store := range map[string]func(*testing.T) keeper{
		"mem":    func(*testing.T) keeper { return mem.New(mail.SystemEnv(quietLog)) },
		"pebble": inPebble,
	} {
		t.Run(name, func(t *testing.T) {
			s, c := selectedSession(t, store(t), 1)
			defer s.close()
			c.keep = true
			say := func(command, want string) {
				t.Helper()
				c.said = nil
				run(t, s, c, command)
				if err := s.w.Flush(); err != nil || !strings.Contains(string(c.said), want) {
					t.Fatalf("%.60s: %.2000s (%v), want %.200s", command, c.said, err, want)
				}
			}
			content := bytes.Repeat([]byte("0123\x0056789"), 3*mail.InlineBytesMax)
			say(fmt.Sprintf("a APPEND INBOX ~{%d+}\r\nSubject: x\r\n\r\n%s\r\n", len(content)+14, content), " 2] done")
			say("b FETCH 2 BINARY.SIZE[1]\r\n", fmt.Sprintf("BINARY.SIZE[1] %d)", len(content)))
			say("c FETCH 2 BINARY.PEEK[1]\r\n", fmt.Sprintf("~{%d}\r\n%s)", len(content), content))
			say("d APPEND INBOX CATENATE (URL /INBOX/;UID=2 TEXT {3+}\r\nabc URL /INBOX/;UID=2/;SECTION=1/;PARTIAL=0.76)\r\n", " 3] done")
			say("e FETCH 3 BODY.PEEK[]\r\n", "abc"+base64.StdEncoding.EncodeToString(content)[:76]+")")
			say("f UID REPLACE 2 INBOX ~{30000+}\r\n"+strings.Repeat("x", 30000)+"\r\n", " 4] replaced")
			say("g FETCH 1:* RFC822.SIZE\r\n", "* 3 FETCH (RFC822.SIZE 30000)")
		})
	}
}
