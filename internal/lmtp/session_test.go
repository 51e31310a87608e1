package lmtp

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
)

// trace is what is written in front of a message to a recipient.
func trace(recipient string) string {
	return "Return-Path: <me@x.test>\r\nDelivered-To: " + recipient + "\r\n"
}

// The example of RFC 2033 4.2, with our users.
func TestExampleOfRFC2033(t *testing.T) {
	w := newWorld(t, Limits{}, mailbox.Limits{})
	p := w.dial()
	p.hello()
	p.send("MAIL FROM:<chris@bar.com>")
	p.expect("250 2.1.0 *")
	p.send("RCPT TO:<anna@foo.edu>", "RCPT TO:<jones@foo.edu>", "RCPT TO:<carl@foo.edu>", "DATA")
	p.expect("250 2.1.5 *", "550 5.1.1 *", "250 2.1.5 *", "354 *")
	p.send("Blah blah blah...", "...etc. etc. etc.", ".")
	p.expect("250 2.1.5 *", "250 2.1.5 *")
	p.send("QUIT")
	p.expect("221 2.0.0 *")
	p.closed()
	want := "Return-Path: <chris@bar.com>\r\nDelivered-To: anna@foo.edu\r\nBlah blah blah...\r\n..etc. etc. etc.\r\n"
	if got := w.messages(1, "INBOX"); !slices.Equal(got, []string{want}) {
		t.Errorf("anna has %q", got)
	}
	if got := w.messages(3, "INBOX"); len(got) != 1 || !strings.Contains(got[0], "Delivered-To: carl@foo.edu\r\n") {
		t.Errorf("carl has %q", got)
	}
	if n := w.metrics.Delivered.Value(); n != 2 {
		t.Errorf("%d counted", n)
	}
}

func TestCommands(t *testing.T) {
	w := newWorld(t, Limits{BadCommandsMax: 100}, mailbox.Limits{})
	p := w.dial()
	for _, c := range [][2]string{
		{"MAIL FROM:<a@b>", "503 5.5.1 *"},
		{"HELO x", "500 5.5.1 *"},
		{"EHLO x", "500 5.5.1 *"}, // RFC 2033 4.1
		{"LHLO", "501 5.5.4 *"},
		{"hello", "500 5.5.1 *"},
		{"", "500 5.5.1 *"},
		{"NOOP x", "250 2.0.0 *"},
		{"HELP", "214 2.0.0 *"},
		{"VRFY anna", "252 2.1.5 *"},
		{"NO\x00OP", "500 5.5.2 *"},
		{strings.Repeat("x", 3000), "500 5.5.6 *"},
		{strings.Repeat("x", 100_000), "500 5.5.6 *"},
	} {
		p.send(c[0])
		p.expect(c[1])
	}
	p.raw("NOOP\n") // RFC 5321 2.3.8
	p.expect("500 5.5.2 *")
	p.hello()
	for _, c := range [][2]string{
		{"RCPT TO:<anna>", "503 5.5.1 *"},
		{"DATA", "503 5.5.1 *"},
		{"MAIL", "501 5.5.2 *"},
		{"MAIL FROM", "501 5.5.2 *"},
		{"MAIL FROM:a@b", "501 5.5.2 *"},
		{"MAIL FROM:<a@b", "501 5.5.2 *"},
		{"MAIL FROM:<a@b>x", "501 5.5.2 *"},
		{"MAIL FROM:<a b@c>", "553 5.1.7 *"},
		{"MAIL FROM:<a@b> BODY=BINARYMIME", "501 5.5.4 *"},
		{"MAIL FROM:<a@b> SIZE=x", "501 5.5.4 *"},
		{"MAIL FROM:<a@b> SIZE=1 SIZE=1", "501 5.5.4 *"},
		{"MAIL FROM:<a@b> SIZE=99999999999", "552 5.3.4 *"},
		{"MAIL FROM:<a@b> SMTPUTF8=1", "501 5.5.4 *"},
		{"MAIL FROM:<a@b> AUTH=<>", "555 5.5.4 *"},
		{"MAIL FROM:<\u00fc@b>", "553 5.6.7 *"},
		{"mail from:<a@b> body=8bitmime size=100 smtputf8", "250 2.1.0 *"},
		{"MAIL FROM:<a@b>", "503 5.5.1 *"},
		{"DATA", "503 5.5.1 *"}, // RFC 2033 4.2
		{"RCPT TO:<>", "501 5.5.2 *"},
		{"RCPT TO:<anna> NOTIFY=NEVER", "555 5.5.4 *"},
		{"RCPT TO:<an na@b>", "553 5.1.3 *"},
		{"RCPT TO:<nobody@b>", "550 5.1.1 *"},
		{"RCPT TO:<\u00fc@b>", "550 5.1.1 *"}, // SMTPUTF8 was asked for
		{"RCPT TO:<anna>", "250 2.1.5 *"},
		{"RCPT TO: <ANNA@b>", "250 2.1.5 *"},
		{"RCPT TO:<@x.test,@y.test:anna@b>", "250 2.1.5 *"}, // a source route
		{"RCPT TO:<\"anna\"@b>", "250 2.1.5 *"},
		{"DATA now", "501 5.5.4 *"},
		{"RSET", "250 2.0.0 *"},
		{"RCPT TO:<anna>", "503 5.5.1 *"},
		{"MAIL FROM:<>", "250 2.1.0 *"},
		{"RCPT TO:<anna>", "250 2.1.5 *"},
		{"RSET", "250 2.0.0 *"},
		{"MAIL FROM:<\"a > b\"@c>", "250 2.1.0 *"},
	} {
		p.send(c[0])
		p.expect(c[1])
	}
	p.hello() // resets too
	p.send("RCPT TO:<anna>")
	p.expect("503 5.5.1 *")
}

func TestWhereMailGoes(t *testing.T) {
	w := newWorld(t, Limits{}, mailbox.Limits{})
	w.create(1, "Lists/Go")
	w.create(1, "INBOX/work")
	w.create(1, "shop")
	w.create(1, "Shop")
	p := w.dial()
	p.hello()
	for _, c := range []struct {
		recipient string
		account   mail.AccountID
		mailbox   string
	}{
		{"anna@x.test", 1, "INBOX"},
		{"anna+lists/go@x.test", 1, "Lists/Go"},
		{"anna+WORK@x.test", 1, "INBOX/work"},
		{"anna+Shop@x.test", 1, "Shop"},
		{"anna+shop@x.test", 1, "shop"},
		{"anna+nothing@x.test", 1, "INBOX"},
		{"anna+junk@x.test", 1, "Junk"},
		{"anna+sent@x.test", 1, "INBOX"},
		{"anna+@x.test", 1, "INBOX"},
		{"BERT@Example.Org", 2, "INBOX"},
	} {
		p.to(c.recipient)
		p.send("DATA", "Subject: to "+c.recipient, ".")
		p.expect("354 *", "250 2.1.5 *")
		all := w.messages(c.account, c.mailbox)
		want := trace(c.recipient) + "Subject: to " + c.recipient + "\r\n"
		if !slices.Contains(all, want) {
			t.Errorf("%s: not in %s: %q", c.recipient, c.mailbox, all)
		}
	}
	p.send("MAIL FROM:<>", "RCPT TO:<bert@other.test>")
	p.expect("250 2.1.0 *", "550 5.1.1 *")
}

// Two recipients that mean one mailbox get one copy and two answers (RFC 2033 4.2).
func TestSameRecipientTwice(t *testing.T) {
	w := newWorld(t, Limits{}, mailbox.Limits{})
	p := w.dial()
	p.hello()
	p.to("anna@a.test", "anna@b.test", "anna@a.test", "carl@a.test")
	p.send("DATA", "x", ".")
	p.expect("354 *", "250 2.1.5 *", "250 2.1.5 *", "250 2.1.5 *", "250 2.1.5 *")
	if n := len(w.messages(1, "INBOX")); n != 1 {
		t.Errorf("anna has %d copies", n)
	}
}

// Whole transactions in one write, with a message whose text looks like commands.
func TestPipelining(t *testing.T) {
	w := newWorld(t, Limits{}, mailbox.Limits{})
	p := w.dial()
	var all strings.Builder
	all.WriteString("LHLO c\r\n")
	for i := range 50 {
		fmt.Fprintf(&all, "MAIL FROM:<me@x.test>\r\nRCPT TO:<anna>\r\nRCPT TO:<nobody>\r\nDATA\r\nQUIT\r\n%d\r\n..\r\n.\r\n", i)
	}
	all.WriteString("QUIT\r\n")
	p.raw(all.String())
	p.expect("250-mx.test", "250-*", "250-*", "250-*", "250-*", "250-*", "250 SIZE *")
	for range 50 {
		p.expect("250 2.1.0 *", "250 2.1.5 *", "550 5.1.1 *", "354 *", "250 2.1.5 *")
	}
	p.expect("221 2.0.0 *")
	p.closed()
	got := w.messages(1, "INBOX")
	if len(got) != 50 {
		t.Fatalf("%d messages", len(got))
	}
	for i, m := range got {
		if want := trace("anna") + fmt.Sprintf("QUIT\r\n%d\r\n.\r\n", i); m != want {
			t.Errorf("message %d is %q", i, m)
		}
	}
}

// Every byte comes through, whatever it is and however long the message.
func TestByteForByte(t *testing.T) {
	w := newWorld(t, Limits{}, mailbox.Limits{})
	p := w.dial()
	p.hello()
	var every strings.Builder
	for i := range 256 {
		every.WriteByte(byte(i))
	}
	for _, body := range []string{
		"", "\r\n", "no header\r\n", "bare\nLF\rCR\r\n", every.String() + "\r\n",
		strings.Repeat(strings.Repeat("x", 5000)+"\r\n.dot\r\n", 300),
		strings.Repeat("\n", 20_000) + "\r\n",
	} {
		p.to("anna", "carl")
		p.send("DATA")
		p.expect("354 *")
		stuffed := strings.ReplaceAll("\r\n"+body, "\r\n.", "\r\n..")[2:]
		p.raw(stuffed + ".\r\n")
		p.expect("250 2.1.5 *", "250 2.1.5 *")
		p.to("bert@example.org")
		half := len(body) / 2
		p.raw(fmt.Sprintf("BDAT %d\r\n%sBDAT %d last\r\n%s", half, body[:half], len(body)-half, body[half:]))
		p.expect("250 2.0.0 *", "250 2.1.5 *")
		for id, name := range map[mail.AccountID]string{1: "anna", 2: "bert@example.org", 3: "carl"} {
			all := w.messages(id, "INBOX")
			if got := all[len(all)-1]; got != trace(name)+body {
				t.Errorf("%s: %d bytes came back of %d", name, len(got), len(body))
			}
		}
	}
}
