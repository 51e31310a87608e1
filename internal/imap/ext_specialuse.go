package imap

import (
	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/wire"
)

// extSpecialUse tells what mailboxes are for, so that clients find the place of
// their drafts and sent messages without asking (RFC 6154).
var extSpecialUse = family{
	name: "SPECIAL-USE",
	rfc:  "RFC 6154",
	doc:  "LIST tells what mailboxes are for, and CREATE can say it.",
	capabilities: []capability{
		{word: "SPECIAL-USE", when: loggedIn},
		{word: "CREATE-SPECIAL-USE", when: loggedIn},
	},
	createParams: []createParam{
		{"USE", parseUse},
	},
	listSelections: []listSelection{
		{name: "SPECIAL-USE", selects: func(l *listed) bool { return l.mailbox != nil && l.mailbox.Status().Use != 0 }},
	},
	listReturns: []listReturn{
		{name: "SPECIAL-USE"},
	},
	// Also LSUB tells it: Outlook reads nothing else.
	listAttributes: []listAttribute{appendUses},
	metadataEntries: []metadataEntry{
		{name: "/private/specialuse", value: usesOf, check: keepUses},
	},
	codes: []string{"USEATTR"},
}

// useName pairs a special use with its attribute (RFC 6154 2).
type useName struct {
	use  mail.Use
	name string
}

// useNames are the attributes of RFC 6154 2, RFC 8457 3 and RFC 9979 8.
var useNames = []useName{
	{mail.UseAll, `\All`},
	{mail.UseArchive, `\Archive`},
	{mail.UseDrafts, `\Drafts`},
	{mail.UseFlagged, `\Flagged`},
	{mail.UseJunk, `\Junk`},
	{mail.UseSent, `\Sent`},
	{mail.UseTrash, `\Trash`},
	{mail.UseImportant, `\Important`},
	{mail.UseMemos, `\Memos`},
	{mail.UseScheduled, `\Scheduled`},
	{mail.UseSnoozed, `\Snoozed`},
}

// creatableUses can be given to a mailbox by CREATE. The others are views of
// messages that are elsewhere.
const creatableUses = mail.UseArchive | mail.UseDrafts | mail.UseJunk | mail.UseSent | mail.UseTrash |
	mail.UseMemos | mail.UseScheduled | mail.UseSnoozed

// unknownUse stands for an attribute that CREATE can't give.
const unknownUse mail.Use = 1 << 15

func appendUses(dst []byte, l *listed) []byte {
	if l.mailbox == nil {
		return dst
	}
	use := l.mailbox.Status().Use
	if use == 0 {
		return dst
	}
	for _, u := range useNames {
		if use&u.use != 0 {
			dst = append(append(dst, ' '), u.name...)
		}
	}
	return dst
}

// usesOf returns them as LIST tells them (RFC 6154 4).
func usesOf(m *mailbox.Mailbox) (string, bool) {
	uses := appendUses(nil, &listed{mailbox: m})
	if len(uses) == 0 {
		return "", false
	}
	return string(uses[1:]), true
}

// keepUses: a mailbox has them from CREATE on.
func keepUses(_ *session, o annotated, e mailbox.AnnotationEntry) error {
	if value, there := usesOf(o.mailbox); there == e.Gone || value != e.Value {
		return no("CANNOT", "the use of a mailbox is given by CREATE and stays")
	}
	return nil
}

// parseUse reads the attributes that CREATE gives to a mailbox (RFC 6154 3).
func parseUse(_ *session, p *wire.Parser, q *createRequest) {
	p.SP()
	p.Expect('(')
	for !p.Try(')') && p.Err() == nil {
		q.use |= useOf(p.Flag())
		if p.Peek() != ')' {
			p.SP()
		}
	}
}

func useOf(name []byte) mail.Use {
	for _, u := range useNames {
		if wire.Is(name, string(appendUpper(nil, []byte(u.name)))) {
			return u.use
		}
	}
	return unknownUse
}

// checkUse refuses special uses that a new mailbox can't have.
func (s *session) checkUse(use mail.Use) error {
	if use&^creatableUses != 0 {
		return no("USEATTR", "this use can't be given to a mailbox")
	}
	tree := s.account.Tree()
	for _, u := range useNames {
		if use&u.use != 0 && tree.ByUse(u.use) != nil {
			s.depend(tree.Ticket)
			return no("USEATTR", "another mailbox has the use "+u.name)
		}
	}
	return nil
}
