package imap

import (
	"io"
	"slices"
	"strings"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/wire"
)

// metadataEntry is an entry, or all entries below one, of which something is to be known (RFC
// 5464 3.2). All others are kept as clients set them.
type metadataEntry struct {
	name   string // in small letters; with a slash at its end: all below it
	server bool   // of the server; else of mailboxes
	// value returns what the entry is, where that follows from something else; nil: it is kept.
	value func(m *mailbox.Mailbox) (value string, there bool)
	// check refuses what a client sets; nil: anything will do.
	check func(s *session, o annotated, e mailbox.AnnotationEntry) error
}

// metadataEntryOf finds the row of an entry, or nil.
func metadataEntryOf(name string, server bool) (found *metadataEntry) {
	for _, f := range rowsOf {
		for i := range f.metadataEntries {
			r := &f.metadataEntries[i]
			if r.server == server && (r.name == name || strings.HasSuffix(r.name, "/") && strings.HasPrefix(name, r.name)) {
				found = r
			}
		}
	}
	return found
}

// annotated is what has annotations: a mailbox, or the server.
type annotated struct {
	tree    *mailbox.Tree
	mailbox *mailbox.Mailbox // nil: the server
}

// annotated finds a mailbox; the empty name is the server's (RFC 5464 4.1).
func (s *session) annotated(name string) (annotated, error) {
	o := annotated{tree: s.account.Tree()}
	s.depend(o.tree.Ticket)
	if name == "" {
		return o, nil
	}
	if o.mailbox = o.tree.Lookup(name); o.mailbox == nil {
		return o, no("NONEXISTENT", "no such mailbox")
	}
	return o, nil
}

func (o annotated) id() mail.MailboxID {
	if o.mailbox == nil {
		return 0
	}
	return o.mailbox.ID
}

func (o annotated) value(name string) (string, bool) {
	if row := metadataEntryOf(name, o.mailbox == nil); row != nil && row.value != nil {
		return row.value(o.mailbox)
	}
	n, there := o.tree.Annotation(o.id(), name)
	return n.Value, there
}

// below calls f for the entries below one, down to a depth (-1: all), by name.
func (o annotated) below(name string, depth int, f func(name, value string)) {
	prefix := name + "/"
	list := slices.Clone(o.tree.Annotations(o.id()))
	eachRow(func(f *family) []metadataEntry { return f.metadataEntries }, func(r metadataEntry) {
		if r.value == nil || r.server != (o.mailbox == nil) {
			return
		}
		if value, there := r.value(o.mailbox); there {
			list = append(list, mail.Annotation{Name: r.name, Value: value})
		}
	})
	slices.SortFunc(list, func(a, b mail.Annotation) int { return strings.Compare(a.Name, b.Name) })
	for _, n := range list {
		if rest, ok := strings.CutPrefix(n.Name, prefix); ok && (depth < 0 || strings.Count(rest, "/") < depth) {
			f(n.Name, n.Value)
		}
	}
}

// entryBytesMax is how long the name of an entry can be.
const entryBytesMax = 1000

// parseEntry reads the name of an entry. Case does not matter in it (RFC 5464 3.2): it is
// returned in small letters. To be set, it has to be complete.
func parseEntry(p *wire.Parser, complete bool) string {
	name := strings.ToLower(string(p.AString()))
	if p.Err() == nil && !isEntry(name, complete) {
		p.Fail("the name of an entry: /private/... or /shared/...")
	}
	return name
}

// isEntry holds the rules of RFC 5464 3.2.
func isEntry(name string, complete bool) bool {
	for i := range len(name) {
		if c := name[i]; c < ' ' || c >= 0x7f || c == '*' || c == '%' {
			return false
		}
	}
	parts := strings.Split(name, "/")
	switch {
	case len(name) > entryBytesMax, len(parts) < 2, parts[0] != "", slices.Contains(parts[1:], ""):
		return false
	case parts[1] != "private" && parts[1] != "shared":
		return false
	case complete && len(parts) > 2 && parts[2] == "vendor":
		return len(parts) > 4
	}
	return !complete || len(parts) > 2
}

// parseEntryValue reads a value. One that is too long is refused before it is sent, where the
// client waits for that.
func parseEntryValue(s *session, p *wire.Parser) (value string, gone bool) {
	if c := p.Peek(); c != '{' && c != '~' {
		b, there := p.NString()
		return string(b), !there
	}
	lit := p.Literal()
	switch {
	case p.Err() != nil:
		return "", false
	case lit.Size > int64(s.server.engine.Limits().AnnotationBytesMax):
		s.refused = s.valueTooBig()
		return "", false
	case lit.Accept() != nil:
		return "", false
	}
	var b strings.Builder
	_, _ = io.Copy(&b, lit) // its error is the parser's
	if value = b.String(); !lit.Binary && strings.IndexByte(value, 0) >= 0 {
		p.Fail("a literal8 where there is a NUL")
	}
	return value, false
}

// metadataWriter writes a METADATA response with values, if there are any (RFC 5464 4.4.1).
type metadataWriter struct {
	w       *wire.Writer
	mailbox string
	begun   bool
}

func (m *metadataWriter) entry(name, value string, there bool) {
	if !m.begun {
		m.w.Raw("* METADATA ").Mailbox(m.mailbox).Raw(" (")
	} else {
		m.w.SP()
	}
	m.begun = true
	m.w.AString(name).SP()
	switch {
	case !there:
		m.w.NIL()
	case strings.IndexByte(value, 0) >= 0:
		_ = m.w.Literal8(int64(len(value)), strings.NewReader(value))
	default:
		m.w.String(value)
	}
}

func (m *metadataWriter) end() {
	if m.begun {
		m.w.Byte(')').CRLF()
	}
}
