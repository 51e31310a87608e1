package imap

import (
	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/wire"
)

// extUIDPlus names UIDs where IMAP4rev1 does not (RFC 4315). The codes APPENDUID
// and COPYUID are a part of APPEND and COPY since RFC 9051.
var extUIDPlus = family{
	name: "UIDPLUS",
	rfc:  "RFC 4315",
	doc:  "UID EXPUNGE, and the new UIDs of what APPEND, COPY and MOVE made.",
	capabilities: []capability{
		{word: "UIDPLUS", when: loggedIn},
	},
	commands: []command{
		{name: "EXPUNGE", states: selected, uidOnly: true, new: func() request { return new(uidExpungeRequest) }},
	},
	codes: []string{"APPENDUID", "COPYUID", "UIDNOTSTICKY"},
}

type uidExpungeRequest struct{ set wire.Set }

func (q *uidExpungeRequest) parse(s *session, p *wire.Parser) {
	p.SP()
	p.Set(&q.set)
}

func (q *uidExpungeRequest) run(s *session) error {
	if s.view.ReadOnly {
		return errReadOnly
	}
	ranges, err := s.numbersOf(&q.set, true)
	if err != nil {
		return err
	}
	var deleted mail.UIDSet
	s.view.EachUID(ranges, func(r *mailbox.Row) bool {
		if r.Flags.Has(mail.Deleted) && !r.Ghost {
			deleted = deleted.Append(r.UID)
		}
		return true
	})
	if ranges, err = s.bounded(deleted, true, false); err != nil || len(ranges) == 0 {
		return err
	}
	return s.expunge(ranges)
}

// appendUIDCode appends APPENDUID (RFC 4315 3).
func appendUIDCode(dst []byte, validity uint32, uids mail.UIDSet) []byte {
	dst = appendNumber(append(dst, "APPENDUID "...), validity)
	return appendSet(append(dst, ' '), uids)
}

// appendCopyCode appends COPYUID (RFC 4315 3).
func appendCopyCode(dst []byte, r *mailbox.Result) []byte {
	dst = appendNumber(append(dst, "COPYUID "...), r.UIDValidity)
	dst = appendSet(append(dst, ' '), r.Source)
	return appendSet(append(dst, ' '), r.Target)
}

func appendSet(dst []byte, uids mail.UIDSet) []byte {
	for i, r := range uids {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendNumber(dst, r.First)
		if r.Last != r.First {
			dst = appendNumber(append(dst, ':'), r.Last)
		}
	}
	return dst
}
