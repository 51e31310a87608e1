package pebble

import (
	"postfach/internal/mail"
)

// accountRecord is what every commit reads and writes of an account. It goes away
// with RemoveAccount, so that an account without it is not there.
type accountRecord struct {
	version         mail.Version
	nextMailbox     mail.MailboxID
	nextMessage     mail.MessageID
	lastUIDValidity uint32
	keywordSets     uint32
	totals          mail.Counters
	fenced          bool // about to leave: it takes no commits
	rest            []byte
}

func (a *accountRecord) encode(b []byte) []byte {
	b = putUint(b, a.version)
	b = putUint(b, a.nextMailbox)
	b = putUint(b, a.nextMessage)
	b = putUint(b, a.lastUIDValidity)
	b = putUint(b, a.keywordSets)
	b = putCounters(b, a.totals)
	switch {
	case a.fenced:
		b = append(b, 1)
	case len(a.rest) > 0:
		b = append(b, 0)
	}
	return append(b, a.rest...)
}

func (a *accountRecord) decode(b []byte) error {
	v := values{b: b}
	a.version = mail.Version(v.uint())
	a.nextMailbox = mail.MailboxID(v.uint())
	a.nextMessage = mail.MessageID(v.uint())
	a.lastUIDValidity = uint32(v.uint())
	a.keywordSets = uint32(v.uint())
	a.totals = v.counters()
	a.fenced = len(v.b) > 0 && v.uint() != 0
	a.rest = v.rest()
	return v.err()
}

// mailboxRecord is a mailbox without its messages and without RecentFrom. It goes
// away with MailboxDeleted.
type mailboxRecord struct {
	mail.MailboxState
	logRecords    uint64 // not folded yet
	logRanges     uint64 // in them
	expungeRanges uint64 // in the history that is still exact
	rest          []byte
}

func (m *mailboxRecord) encode(b []byte) []byte {
	b = putText(b, m.Name)
	b = putUint(b, m.UIDValidity)
	b = putUint(b, m.UIDNext)
	b = putUint(b, m.HighestModSeq)
	b = putUint(b, m.Use)
	b = putCounters(b, m.Counters)
	b = putUint(b, m.logRecords)
	b = putUint(b, m.logRanges)
	b = putUint(b, m.expungeRanges)
	return append(b, m.rest...)
}

func (m *mailboxRecord) decode(id mail.MailboxID, b []byte) error {
	v := values{b: b}
	m.ID = id
	m.Name = v.text()
	m.UIDValidity = uint32(v.uint())
	m.UIDNext = mail.UID(v.uint())
	m.HighestModSeq = mail.ModSeq(v.uint())
	m.Use = mail.Use(v.uint())
	m.Counters = v.counters()
	m.logRecords = v.uint()
	m.logRanges = v.uint()
	m.expungeRanges = v.uint()
	m.rest = v.rest()
	return v.err()
}

// rowValue is a row as it was when it came: its flags have been changed since by
// blocks and log.
func rowValue(b []byte, r *mail.Row) []byte {
	b = putUint(b, r.Message)
	b = putInt(b, r.Size)
	b = putInt(b, r.Date.Unix)
	b = putInt(b, int64(r.Date.ZoneMinutes))
	b = putInt(b, r.Saved-r.Date.Unix)
	b = putUint(b, r.Flags)
	return putUint(b, r.ModSeq)
}

// decodeRow is called a million times for a large mailbox.
func decodeRow(uid mail.UID, b []byte) (mail.Row, error) {
	var n [7]uint64
	if !uvarints(b, &n) {
		return mail.Row{}, errDamaged
	}
	date := signed(n[2])
	return mail.Row{UID: uid, Flags: mail.Flags(n[5]), ModSeq: mail.ModSeq(n[6]), Fixed: mail.Fixed{
		Message: mail.MessageID(n[0]), Size: signed(n[1]),
		Date: mail.Stamp{Unix: date, ZoneMinutes: int16(signed(n[3]))}, Saved: date + signed(n[4]),
	}}, nil
}

func messageValue(b []byte, m *mail.Message) []byte {
	b = putUint(b, m.Thread)
	b = putInt(b, m.Size)
	b = append(b, m.Digest[:]...)
	b = putUint(b, m.Body.Segment) // 0: inline
	b = putInt(b, m.Body.Offset)
	b = putInt(b, m.Body.Length)
	b = putUint(b, uint16(m.StructureVersion))
	return append(putUint(b, uint64(len(m.Structure))), m.Structure...)
}

func decodeMessage(id mail.MessageID, b []byte) (*mail.Message, error) {
	v := values{b: b}
	m := &mail.Message{ID: id}
	m.Thread = mail.ThreadID(v.uint())
	m.Size = v.int()
	copy(m.Digest[:], v.bytes(uint64(len(m.Digest))))
	m.Body.Segment = v.uint()
	m.Body.Offset = v.int()
	m.Body.Length = v.int()
	m.Body.Inline = m.Body.Segment == 0
	m.StructureVersion = uint8(v.uint())
	m.Structure = append([]byte(nil), v.bytes(v.uint())...)
	return m, v.err()
}

func entryValue(a *mail.Account) []byte {
	return putInt(putText(putText(nil, a.Name), a.Secret), a.Created)
}

func decodeEntry(id mail.AccountID, b []byte) (mail.Account, error) {
	v := values{b: b}
	a := mail.Account{ID: id, Name: v.text(), Secret: v.text(), Created: v.int()}
	return a, v.err()
}

// recordValue is whose a record of a segment is.
func recordValue(id mail.AccountID, message mail.MessageID, length int64) []byte {
	return putInt(putUint(putUint(nil, uint64(id)), message), length)
}

func decodeRecord(b []byte) (id mail.AccountID, message mail.MessageID, length int64, err error) {
	v := values{b: b}
	id, message, length = mail.AccountID(v.uint()), mail.MessageID(v.uint()), v.int()
	return id, message, length, v.err()
}
