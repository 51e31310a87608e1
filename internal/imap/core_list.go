package imap

import (
	"postfach/internal/mailbox"
	"postfach/internal/wire"
)

// coreList tells which mailboxes there are (RFC 3501 6.3.8, 6.3.9; RFC 9051 6.3.9).
var coreList = family{
	name: "LIST",
	rfc:  "RFC 3501 6.3.8",
	doc:  "LIST and LSUB.",
	commands: []command{
		{name: "LIST", states: afterLogin, new: func() request { return new(listRequest) }},
		{name: "LSUB", states: afterLogin, new: func() request { return new(lsubRequest) }},
	},
	listAttributes: []listAttribute{appendSelectability},
	listItems: []listItem{
		{
			// RFC 9051 6.3.9.7
			name:  "OLDNAME",
			has:   func(l *listed) bool { return l.oldName != "" },
			write: func(w *wire.Writer, l *listed) { w.Byte('(').Mailbox(l.oldName).Byte(')') },
		},
	},
}

// listed is a name that LIST or LSUB tells.
type listed struct {
	name       string
	mailbox    *mailbox.Mailbox // nil: there is none by that name
	children   bool             // there are mailboxes below it
	subscribed bool
	extended   bool     // the client knows what RFC 5258, and RFC 9051 after it, have added
	parentOnly bool     // LSUB: not subscribed itself, but a name below it is
	criteria   []string // selection options that a name below it satisfies
	oldName    string   // what the client knows the mailbox by, or nothing

	attributes []byte // room for them
}

// appendSelectability tells that a name can't be selected, in one word: there may be no
// other of its kind (RFC 9051 9, mbx-list-flags).
func appendSelectability(dst []byte, l *listed) []byte {
	switch {
	case l.mailbox != nil && !l.parentOnly:
		return dst
	case l.extended: // RFC 9051 7.3.1: implies \Noselect
		return append(dst, ` \NonExistent`...)
	}
	return append(dst, ` \Noselect`...)
}

// listedAs returns what there is to tell of a name.
func (s *session) listedAs(tree *mailbox.Tree, name string) listed {
	return listed{name: name, mailbox: tree.Lookup(name), children: tree.HasChildren(name), subscribed: tree.Subscribed(name)}
}

// writeListed writes a LIST response (RFC 9051 7.3.1).
func (s *session) writeListed(l *listed) {
	s.writeNamed("* LIST (", l)
	first := true
	eachRow(func(f *family) []listItem { return f.listItems }, func(item listItem) {
		if !item.has(l) {
			return
		}
		if s.w.SP(); first {
			s.w.Byte('(')
		}
		first = false
		s.w.String(item.name).SP()
		item.write(s.w, l)
	})
	if !first {
		s.w.Byte(')')
	}
	s.w.CRLF()
}

// writeNamed writes what LIST and LSUB responses have in common.
func (s *session) writeNamed(response string, l *listed) {
	l.attributes = l.attributes[:0]
	eachRow(func(f *family) []listAttribute { return f.listAttributes }, func(a listAttribute) {
		l.attributes = a(l.attributes, l)
	})
	s.w.Raw(response)
	if len(l.attributes) > 0 {
		s.w.Bytes(l.attributes[1:])
	}
	s.w.Raw(`) "/" `).Mailbox(l.name)
}

// tellSpelling tells a client how a name that it has given is spelt here (RFC 9051
// 6.3.9.7).
func (s *session) tellSpelling(given, name string) {
	if given != name {
		s.tellOldName(given, name)
	}
}

// tellOldName tells that a mailbox which the client knows by one name has another, to
// clients that understand it (RFC 5258 3).
func (s *session) tellOldName(given, name string) {
	if !s.rev2 {
		return
	}
	tree := s.account.Tree()
	s.depend(tree.Ticket)
	l := s.listedAs(tree, name)
	l.extended, l.oldName = true, given
	s.writeListed(&l)
}
