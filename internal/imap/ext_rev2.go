package imap

import (
	"postfach/internal/mailbox"
)

// extRev2 is the newer protocol beside the older one: a client that enables it is told
// what RFC 9051 says where it differs from RFC 3501 (RFC 9051 appendix E). Most of it are
// extensions that are here anyway; where the core tells something else, it asks
// session.rev2.
var extRev2 = family{
	name: "IMAP4rev2",
	rfc:  "RFC 9051",
	doc:  "ESEARCH instead of SEARCH, names in UTF-8, no \\Recent: as clients that enable it want it.",
	capabilities: []capability{
		{word: "IMAP4rev2"},
	},
	enables:  []enable{{"IMAP4rev2", (*session).enableRev2}},
	selected: []func(*session, *mailbox.View){listSelected},
}

func (s *session) enableRev2() {
	s.rev2 = true
	s.acceptUTF8()
}

// listSelected tells the name and the attributes of the mailbox that SELECT has opened, and
// that the client knows it by another name (RFC 9051 6.3.2).
func listSelected(s *session, v *mailbox.View) {
	if !s.rev2 {
		return
	}
	tree := s.account.Tree()
	s.depend(tree.Ticket)
	l := s.listedAs(tree, v.State().Name)
	l.extended = true
	if s.selectedAs != l.name {
		l.oldName = s.selectedAs
	}
	s.writeListed(&l)
}
