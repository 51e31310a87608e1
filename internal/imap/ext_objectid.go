package imap

import (
	"strconv"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/search"
	"postfach/internal/wire"
)

// extObjectID names mailboxes and messages for ever, wherever they go, so that a client
// need not load again what another one has moved (RFC 8474).
var extObjectID = family{
	name: "OBJECTID",
	rfc:  "RFC 8474",
	doc:  "Mailboxes, messages and threads have ids that stay when they are renamed, copied or moved.",
	capabilities: []capability{
		{word: "OBJECTID", when: loggedIn},
	},
	created: []func(*session, mail.MailboxID){
		func(s *session, id mail.MailboxID) { s.ok.code = s.appendIDsCode(s.ok.code[:0], id) }, // RFC 8474 4.1
	},
	selected: []func(*session, *mailbox.View){tellMailboxID},
	statusItems: []statusItem{
		{
			name:  "MAILBOXID",
			write: func(w *wire.Writer, st *statusOf) { w.Byte('(').Bytes(appendMailboxID(nil, st.ID)).Byte(')') },
		},
	},
	fetchItems: []fetchItem{
		{name: "EMAILID", write: func(m *fetched, _ *fetchAtt) {
			m.s.w.Raw("EMAILID (").Byte(emailPrefix).Number64(uint64(m.row.Fixed.Message)).Byte(')')
		}},
		{name: "THREADID", needs: needsRecord, write: writeThreadID},
	},
	searchKeys: []searchKey{
		{name: "EMAILID", parse: emailIDKey},
		{name: "THREADID", parse: threadIDKey},
	},
	codes: []string{"MAILBOXID"},
}

// Each kind of ids begins with its own letter, so that none is a number or NIL, and none is
// of two kinds (RFC 8474 5.2, 8.1). Digits follow.
const (
	mailboxPrefix = 'F'
	emailPrefix   = 'M' // the message, which copies in the account share
	threadPrefix  = 'T'
)

func appendID(dst []byte, prefix byte, n uint64) []byte {
	return strconv.AppendUint(append(dst, prefix), n, 10)
}

func appendMailboxID(dst []byte, id mail.MailboxID) []byte {
	return appendID(dst, mailboxPrefix, uint64(id))
}

// idNumber returns what an id stands for, zero if it is none of this kind.
func idNumber(id []byte, prefix byte) uint64 {
	if len(id) == 0 || id[0] != prefix {
		return 0
	}
	n, err := strconv.ParseUint(string(id[1:]), 10, 64)
	if err != nil || string(appendID(nil, prefix, n)) != string(id) {
		return 0
	}
	return n
}

// objectIDBytesMax is how long an id can be (RFC 8474 7).
const objectIDBytesMax = 255

func parseObjectID(p *wire.Parser) []byte {
	p.SP()
	id := p.Word()
	if len(id) > objectIDBytesMax {
		p.Fail("an id of at most 255 characters")
	}
	return id
}

// mailboxCode appends the response code that tells a mailbox's id. nil: MAILBOXID.
type mailboxCode func(dst []byte, s *session, id mail.MailboxID) []byte

// appendIDsCode appends that code.
func (s *session) appendIDsCode(dst []byte, id mail.MailboxID) []byte {
	if s.idsCode != nil {
		return s.idsCode(dst, s, id)
	}
	dst = appendMailboxID(append(dst, "MAILBOXID ("...), id)
	return append(dst, ')')
}

// tellMailboxID tells the id of the mailbox that has been selected (RFC 8474 4.2).
func tellMailboxID(s *session, v *mailbox.View) {
	s.w.Raw("* OK [").Bytes(s.appendIDsCode(nil, v.Mailbox().ID)).Raw("] this is the mailbox\r\n")
}

// writeThreadID writes NIL for a message without anything that tells its thread (RFC 8474
// 5.3).
func writeThreadID(m *fetched, _ *fetchAtt) {
	if m.record.Thread == 0 {
		m.s.w.Raw("THREADID NIL")
		return
	}
	m.s.w.Raw("THREADID (").Byte(threadPrefix).Number64(uint64(m.record.Thread)).Byte(')')
}

func emailIDKey(_ *searchRequest, p *wire.Parser) search.Key {
	id := mail.MessageID(idNumber(parseObjectID(p), emailPrefix))
	return search.Test(func(r *search.Row) bool { return r.Fixed.Message == id })
}

// threadIDKey finds nothing by what is not known to be a thread (RFC 8474 5.2).
func threadIDKey(_ *searchRequest, p *wire.Parser) search.Key {
	id := mail.ThreadID(idNumber(parseObjectID(p), threadPrefix))
	if id == 0 {
		return search.Not(search.All())
	}
	return search.Thread(id)
}
