package mime

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// parse reads a whole message in one write.
func parse(message string) *Structure {
	p := NewParser()
	p.Write([]byte(message))
	return p.Close()
}

// crlf writes a message of the tests with the line ends of a real one.
func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// dump shows a structure so that it can be compared with the message by eye: what a part is, the first and
// last bytes of its body, its size and line ends.
func dump(s *Structure, message string) string {
	var b strings.Builder
	e := s.Envelope
	text := func(name string, v *string) {
		if v != nil {
			fmt.Fprintf(&b, "%s: %s\n", name, *v)
		}
	}
	text("date", e.Date)
	text("subject", e.Subject)
	fmt.Fprintf(&b, "from: %s\n", addressList(e.From))
	fmt.Fprintf(&b, "sender: %s\nreply-to: %s\n", addressList(e.Sender), addressList(e.ReplyTo))
	fmt.Fprintf(&b, "to: %s\n", addressList(e.To))
	if e.Cc != nil {
		fmt.Fprintf(&b, "cc: %s\n", addressList(e.Cc))
	}
	text("in-reply-to", e.InReplyTo)
	text("message-id", e.MessageID)
	if !s.Date.IsZero() {
		fmt.Fprintf(&b, "sent: %s\n", s.Date.Format("2006-01-02 15:04:05 -0700"))
	}
	if s.References != nil {
		fmt.Fprintf(&b, "references: %s\n", strings.Join(s.References, " "))
	}
	fmt.Fprintf(&b, "preview: %s\nattachment: %v\n", s.Preview, s.HasAttachment)
	dumpPart(&b, s.Root, "", message)
	return b.String()
}

func dumpPart(b *strings.Builder, p *Part, number, message string) {
	indent := strings.Repeat("  ", strings.Count(number, ".")+strings.Count(number, " "))
	fmt.Fprintf(b, "%s[%s] %s/%s%s", indent, strings.TrimSpace(number), p.Type, p.Subtype, paramList(p.Params))
	fmt.Fprintf(b, " %s %d bytes %d lines", p.Encoding, p.Size(), p.Lines)
	for _, s := range []string{p.ID, p.Description, p.MD5, strings.Join(p.Language, ","), p.Location} {
		if s != "" {
			fmt.Fprintf(b, " %q", s)
		}
	}
	if p.Disposition != "" {
		fmt.Fprintf(b, " <%s%s>", p.Disposition, paramList(p.DispositionParams))
	}
	body := message[p.Body:p.End]
	fmt.Fprintf(b, "\n%s    header %d-%d %q\n%s    body %d-%d %q ... %q\n", indent,
		p.Header, p.Body, cut(message[p.Header:p.Body], 30), indent, p.Body, p.End, cut(body, 30), cutEnd(body, 30))
	if p.Message != nil {
		subject := "NIL"
		if p.Envelope.Subject != nil {
			subject = *p.Envelope.Subject
		}
		fmt.Fprintf(b, "%s    message %q from %s\n", indent, subject, addressList(p.Envelope.From))
		dumpPart(b, p.Message, number+" ", message)
	}
	for i, child := range p.Children {
		n := strings.TrimSpace(number)
		if n != "" {
			n += "."
		}
		dumpPart(b, child, fmt.Sprintf("%s%d", n, i+1), message)
	}
}

func paramList(params []Param) string {
	var b strings.Builder
	for _, p := range params {
		fmt.Fprintf(&b, "; %s=%q", p.Name, p.Value)
	}
	return b.String()
}

func addressList(list []Address) string {
	if list == nil {
		return "NIL"
	}
	var b strings.Builder
	for _, a := range list {
		switch a.Kind {
		case GroupStart:
			fmt.Fprintf(&b, "{%s:}", a.Mailbox)
		case GroupEnd:
			b.WriteString("{;}")
		default:
			fmt.Fprintf(&b, "(%s|%s|%s|%s)", a.Name, a.Route, a.Mailbox, a.Host)
		}
	}
	return b.String()
}

func cut(s string, n int) string    { return s[:min(n, len(s))] }
func cutEnd(s string, n int) string { return s[max(0, len(s)-n):] }

// check fails unless the structure keeps what the package promises about any message.
func check(t *testing.T, s *Structure, size int64) {
	t.Helper()
	if s.Root.Header != 0 || s.Root.End != size {
		t.Fatalf("the message is %d-%d, its size %d", s.Root.Header, s.Root.End, size)
	}
	if s.Envelope == nil {
		t.Fatal("no envelope")
	}
	if n := len([]rune(s.Preview)); n > 200 {
		t.Fatalf("preview of %d characters", n)
	}
	parts := 0
	var visit func(p *Part, level int)
	visit = func(p *Part, level int) {
		parts++
		if level > levelsMax || p.Header > p.Body || p.Body > p.End || p.Lines < 0 || p.Lines > p.Size() {
			t.Fatalf("level %d: header %d body %d end %d lines %d", level, p.Header, p.Body, p.End, p.Lines)
		}
		if (p.Message != nil) != p.isMessage() || (p.Message != nil) != (p.Envelope != nil) {
			t.Fatalf("%s/%s with message %v, envelope %v", p.Type, p.Subtype, p.Message, p.Envelope)
		}
		if (p.Type == "multipart") != (len(p.Children) > 0) {
			t.Fatalf("%s/%s with %d children", p.Type, p.Subtype, len(p.Children))
		}
		if p.Message != nil {
			if p.Message.Header != p.Body || p.Message.End != p.End {
				t.Fatalf("message %d-%d in body %d-%d", p.Message.Header, p.Message.End, p.Body, p.End)
			}
			visit(p.Message, level+1)
		}
		after := p.Body
		for _, child := range p.Children {
			if child.Header < after || child.End > p.End {
				t.Fatalf("part %d-%d after %d in %d-%d", child.Header, child.End, after, p.Body, p.End)
			}
			after = child.End
			visit(child, level+1)
		}
	}
	visit(s.Root, 1)
	if parts > partsMax+1 {
		t.Fatalf("%d parts", parts)
	}
}

// slow fails a fuzz run on an input that takes long for its size.
func slow(t *testing.T, began time.Time) {
	if took := time.Since(began); took > time.Second {
		t.Fatalf("took %v", took)
	}
}
