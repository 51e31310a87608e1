package imap

import (
	"math"

	"postfach/internal/wire"
)

// coreFetch reads messages (RFC 9051 6.4.5).
var coreFetch = family{
	name: "FETCH",
	rfc:  "RFC 3501 6.4.5",
	doc:  "Reads messages, or what is known about them.",
	commands: []command{
		{name: "FETCH", states: selected, numbers: usesNumbers, uid: true, new: func() request { return new(fetchRequest) }},
	},
	fetchItems: []fetchItem{
		{name: "FLAGS", write: func(m *fetched, _ *fetchAtt) { m.s.writeFlags(m.row) }},
		{name: "UID", write: func(m *fetched, _ *fetchAtt) { m.writeUID() }},
		{name: "RFC822.SIZE", write: writeSize},
		{name: "INTERNALDATE", write: writeInternalDate},
		{name: "ENVELOPE", needs: needsStructure, fixed: true, write: writeEnvelopeItem},
		{name: "BODYSTRUCTURE", needs: needsStructure, fixed: true, write: writeBodyStructure},
		{name: "BODY", parse: parseBody},
		{name: "BODY.PEEK", parse: parseBodyPeek},
		{name: "RFC822", parse: parseRFC822},
		{name: "RFC822.TEXT", parse: parseRFC822Text},
		{name: "RFC822.HEADER", parse: parseRFC822Header},
	},
	codes: []string{"EXPUNGEISSUED", "CORRUPTION"},
}

func (m *fetched) writeUID() { m.s.w.Raw("UID ").Number(uint32(m.row.UID)) }

func writeSize(m *fetched, _ *fetchAtt) {
	m.s.w.Raw("RFC822.SIZE ")
	m.s.writeOctets(m.row.Fixed.Size)
}

// writeOctets writes a size. In IMAP4rev1 it is a number of 32 bits; what is more
// can't be said there (RFC 3501 9, number; RFC 9051 9, number64).
func (s *session) writeOctets(n int64) {
	if !s.rev2 {
		n = min(n, math.MaxUint32)
	}
	s.w.Number64(uint64(n))
}

// writeInternalDate writes the date in the zone in which it was given.
func writeInternalDate(m *fetched, _ *fetchAtt) {
	date := m.row.Fixed.Date
	m.s.w.Raw("INTERNALDATE ").DateTimeAt(date.Unix, int(date.ZoneMinutes)*60)
}

// parseBody reads BODY, which without a section is the structure (RFC 9051 6.4.5).
func parseBody(p *wire.Parser, a *fetchAtt) {
	if p.Peek() != '[' {
		a.fetchItem, a.needs = &bodyShort, bodyShort.needs
		return
	}
	useSection(a, &bodySeen, parseSection(p))
}

func parseBodyPeek(p *wire.Parser, a *fetchAtt) { useSection(a, &bodyPeek, parseSection(p)) }
