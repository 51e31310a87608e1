package clients

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postfach/internal/imapclient"
)

// sharedMail is a folder of odd real messages that may lie beside the repository.
const sharedMail = "../../../shared/mail"

// message makes the n-th of a series of varied messages. All lines end with CRLF, and each
// message says its number.
func message(n int) []byte {
	rnd := rand.New(rand.NewPCG(1, uint64(n)))
	var b strings.Builder
	fmt.Fprintf(&b, "Message-ID: <%s>\r\nFrom: =?utf-8?q?J=C3=B6rg?= <joerg@example.org>\r\nTo: anna@example.org\r\n", messageID(n))
	fmt.Fprintf(&b, "Subject: message %d\r\nDate: Thu, 1 Jan 2026 12:%02d:%02d +0100\r\n", n, n/60%60, n%60)
	switch n % 5 {
	case 0: // nothing but headers
		return []byte(b.String() + "\r\n")
	case 1:
		b.WriteString("\r\n.\r\n..\r\n.dots\r\nFrom here\r\n\r\n\r\n")
	case 2:
		b.WriteString("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGrüße, žluťoučký kůň\r\n")
	case 3:
		b.WriteString("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\none\r\n--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nbody\r\n--x--\r\n")
	case 4:
		fmt.Fprintf(&b, "X-Long: %s\r\n\r\n", strings.Repeat("word ", 150))
	}
	for range rnd.IntN(200) {
		b.WriteString(strings.Repeat("text ", rnd.IntN(14)))
		b.WriteString("\r\n")
	}
	return []byte(b.String())
}

func messageID(n int) string { return fmt.Sprintf("%d.series@example.org", n) }

// oddMessages reads the shared folder, with CRLF line ends; none when it is missing.
func oddMessages(t *testing.T) map[string][]byte {
	files, _ := filepath.Glob(filepath.Join(sharedMail, "*.msg"))
	if len(files) == 0 {
		t.Log("LEFT OUT: odd real messages, since the shared mail folder is missing")
	}
	all := make(map[string][]byte)
	for _, f := range files {
		b, err := os.ReadFile(f)
		must(t, err)
		b = bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
		if bytes.IndexByte(bytes.ReplaceAll(b, []byte("\r\n"), nil), '\r') < 0 && bytes.IndexByte(b, 0) < 0 {
			all[filepath.Base(f)] = b
		}
	}
	return all
}

// appendSeries appends messages from..to-1 of the series, pipelined.
func appendSeries(t *testing.T, c *imapclient.Client, mailbox string, from, to int) {
	t.Helper()
	var sent []*imapclient.Command
	for n := from; n < to; n++ {
		m := message(n)
		sent = append(sent, c.SendAppend(mailbox, bytes.NewReader(m), int64(len(m)), imapclient.AppendOptions{}))
	}
	for i, cmd := range sent {
		if _, err := cmd.Wait(); err != nil {
			t.Fatalf("APPEND of message %d: %v", from+i, err)
		}
	}
}

// bodies fetches all messages of a mailbox by the Message-ID that they say.
func bodies(t *testing.T, c *imapclient.Client, mailbox string) map[string][]byte {
	t.Helper()
	_, err := c.Examine(mailbox)
	must(t, err)
	all := make(map[string][]byte)
	for m, err := range c.UIDFetch("1:*", "(UID BODY.PEEK[])") {
		must(t, err)
		id := idOf(m.Body())
		if _, twice := all[id]; twice {
			t.Errorf("message %s is there twice", id)
		}
		all[id] = m.Body()
	}
	return all
}

// idOf is the Message-ID that a message says first.
func idOf(m []byte) string {
	_, rest, _ := strings.Cut(string(m), "Message-ID: <")
	id, _, _ := strings.Cut(rest, ">")
	return id
}

// sameSeries checks that a mailbox has messages 0..n-1 of the series, byte for byte.
func sameSeries(t *testing.T, got map[string][]byte, n int) {
	t.Helper()
	if len(got) != n {
		t.Errorf("%d messages, want %d", len(got), n)
	}
	wrong := 0
	for i := range n {
		if b, ok := got[messageID(i)]; !ok || !bytes.Equal(b, message(i)) {
			if wrong++; wrong <= 3 {
				t.Errorf("message %d: found %v\n%.300q\nwant\n%.300q", i, ok, b, message(i))
			}
		}
	}
}
