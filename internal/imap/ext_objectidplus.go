package imap

import (
	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/wire"
)

// extObjectIDPlus tells all ids of a thing together, and selects mailboxes by them
// (draft-ietf-mailmaint-imap-objectid-bis).
var extObjectIDPlus = family{
	name: "OBJECTID+",
	rfc:  "RFC 8474 revised (draft-ietf-mailmaint-imap-objectid-bis)",
	doc:  "All ids of a mailbox or a message in one item, that of the account among them, and SELECT by ids.",
	capabilities: []capability{
		{word: "OBJECTID+", when: loggedIn},
	},
	enables:      []enable{{"OBJECTID+", (*session).enableObjectIDs}},
	selectParams: []selectParam{{"OBJECTID", parseSelectIDs}},
	renamed: []func(*session, mail.MailboxID){
		func(s *session, id mail.MailboxID) {
			if s.idsCode != nil {
				s.ok.code = s.appendIDsCode(s.ok.code[:0], id)
			}
		},
	},
	statusItems: []statusItem{
		{
			name: "OBJECTID",
			write: func(w *wire.Writer, st *statusOf) {
				w.Byte('(').Bytes(appendMailboxIDs(nil, st.session, st.ID)).Byte(')')
			},
			prepare: func(s *session, _ *mailbox.Mailbox) error {
				s.useObjectIDs()
				return nil
			},
		},
	},
	fetchItems: []fetchItem{
		{name: "OBJECTID", needs: needsRecord, begins: (*session).useObjectIDs, write: writeMessageIDs},
	},
	codes: []string{"OBJECTID"},
}

// accountPrefix begins an ACCOUNTID. Hexadecimal digits follow.
const accountPrefix = 'A'

// enableObjectIDs replaces the code MAILBOXID. It can't be undone.
func (s *session) enableObjectIDs() { s.idsCode = appendObjectIDCode }

// useObjectIDs enables the extension for a client that uses it without having done so, and
// says it.
func (s *session) useObjectIDs() {
	if s.idsCode == nil {
		s.enableObjectIDs()
		s.w.Raw("* ENABLED OBJECTID+\r\n")
	}
}

func appendObjectIDCode(dst []byte, s *session, id mail.MailboxID) []byte {
	dst = appendMailboxIDs(append(dst, "OBJECTID ("...), s, id)
	return append(dst, ')')
}

// appendMailboxIDs appends the ids of a mailbox, or only of the account when the name
// stands for none.
func appendMailboxIDs(dst []byte, s *session, id mail.MailboxID) []byte {
	if id != 0 {
		dst = append(appendMailboxID(append(dst, "MAILBOXID "...), id), ' ')
	}
	dst = append(dst, "ACCOUNTID "...)
	return append(append(dst, accountPrefix), s.account.ID.String()...)
}

// writeMessageIDs leaves out what a message has not.
func writeMessageIDs(m *fetched, _ *fetchAtt) {
	w := m.s.w
	w.Raw("OBJECTID (EMAILID ").Byte(emailPrefix).Number64(uint64(m.row.Fixed.Message))
	if m.record.Thread != 0 {
		w.Raw(" THREADID ").Byte(threadPrefix).Number64(uint64(m.record.Thread))
	}
	w.Byte(')')
}

// objectIDsMax is how many ids a SELECT can name.
const objectIDsMax = 20

// parseSelectIDs reads ids by which the mailbox is looked for, before the name. What is not
// known of them is passed over.
func parseSelectIDs(s *session, p *wire.Parser, q *selectRequest) {
	q.before = append(q.before, (*session).useObjectIDs)
	if !p.TryList() {
		return
	}
	var id mail.MailboxID
	elsewhere := false
	for n := 0; p.Err() == nil; n++ {
		key, value := string(appendUpper(nil, p.Word())), parseObjectID(p)
		switch key {
		case "MAILBOXID":
			id = mail.MailboxID(min(idNumber(value, mailboxPrefix), 1<<32-1))
		case "ACCOUNTID":
			elsewhere = elsewhere || string(value) != string(accountPrefix)+s.account.ID.String()
		}
		if !p.TrySP() {
			break
		}
		if n == objectIDsMax {
			p.Fail("at most 20 ids")
		}
	}
	p.Expect(')')
	if !elsewhere {
		q.find = func(tree *mailbox.Tree) *mailbox.Mailbox { return tree.ByID(id) }
	}
}
