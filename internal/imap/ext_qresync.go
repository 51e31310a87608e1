package imap

import (
	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/wire"
)

// extQresync brings a client that comes back up to date in one round trip (RFC 7162 3.2):
// what has changed and what is gone since it last looked.
var extQresync = family{
	name: "QRESYNC",
	rfc:  "RFC 7162",
	doc:  "SELECT tells what has changed and what is gone since the client last looked.",
	capabilities: []capability{
		{word: "QRESYNC", when: loggedIn},
	},
	enables:        []enable{{"QRESYNC", (*session).enableQresync}},
	selectParams:   []selectParam{{"QRESYNC", parseQresync}},
	fetchModifiers: []fetchModifier{{"VANISHED", parseVanished}},
	removed:        []func(*session){(*session).answerHighestModSeq},
	codes:          []string{"CLOSED", "HIGHESTMODSEQ"},
}

// enableQresync makes expunges be told by UID (RFC 7162 3.2.3).
func (s *session) enableQresync() {
	s.enableCondstore()
	s.qresync = true
	s.telling.expunged = tellVanished
}

// tellVanished tells by UID which messages are gone (RFC 7162 3.2.10.2).
func tellVanished(s *session, v *mailbox.View) {
	wire.WriteRanges(s.w.Raw("* VANISHED "), v.Ghosts()).CRLF()
}

// answerHighestModSeq puts into the tagged OK of a command that has expunged messages where
// the mailbox stands now (RFC 7162 3.2.7, RFC 6851 4.4). It is no more than what has been told
// before it: what comes in later is told again.
func (s *session) answerHighestModSeq() {
	if !s.qresync {
		return
	}
	s.news()
	s.ok.code = append(s.ok.code[:0], "HIGHESTMODSEQ "...)
	s.ok.code = appendNumber64(s.ok.code, uint64(s.view.HighestModSeq()))
}

// errNotEnabled refuses what makes sense only after ENABLE QRESYNC (RFC 7162 3.2.3).
var errNotEnabled = bad("ENABLE QRESYNC first")

// resync is what a client remembers of a mailbox (RFC 7162 3.2.5).
type resync struct {
	validity uint32
	since    mail.ModSeq
	known    mail.UIDSet // nil: all
	seqs     wire.Set    // of the sequence match data, with
	uids     wire.Set    // their UIDs
}

// parseQresync reads what a client remembers.
func parseQresync(s *session, p *wire.Parser, q *selectRequest) {
	if !s.qresync {
		s.refused = errNotEnabled
	}
	r := new(resync)
	p.SP()
	p.Expect('(')
	r.validity = p.NZNumber()
	p.SP()
	r.since = mail.ModSeq(p.Number64())
	more := p.TrySP()
	if more && p.Peek() != '(' {
		r.known = knownUIDs(p)
		more = p.TrySP()
	}
	if more {
		if s.noNumbers != nil && s.refused == nil {
			s.refused = s.noNumbers
		}
		r.parseMatch(p)
	}
	p.Expect(')')
	q.after = append(q.after, r.tell)
}

// knownUIDs reads a set without a star (RFC 7162 7, known-uids).
func knownUIDs(p *wire.Parser) mail.UIDSet {
	var set wire.Set
	p.Set(&set)
	if set.HasStar() || set.Saved {
		p.Fail("a set without *")
	}
	return uidSet(&set)
}

// uidSet turns a set without stars into a set of UIDs.
func uidSet(set *wire.Set) mail.UIDSet {
	set.Resolve(0)
	uids := make(mail.UIDSet, 0, len(set.Ranges))
	for _, r := range set.Ranges {
		uids = append(uids, mail.Range(r))
	}
	return uids
}

// parseMatch reads numbers with their UIDs, both ascending (RFC 7162 3.2.5.2).
func (r *resync) parseMatch(p *wire.Parser) {
	p.Expect('(')
	for _, set := range []*wire.Set{&r.seqs, &r.uids} {
		if set == &r.uids {
			p.SP()
		}
		p.Set(set)
		if set.HasStar() || set.Saved {
			p.Fail("a set without *")
		}
		set.Resolve(0)
	}
	p.Expect(')')
	if p.Err() == nil && r.seqs.Count() != r.uids.Count() {
		p.Fail("as many UIDs as numbers")
	}
}

// tell tells what has become of a mailbox since, when it is still the same one: first what is
// gone, then what has changed (RFC 7162 3.2.5.1).
func (r *resync) tell(s *session, v *mailbox.View) error {
	if v.State().UIDValidity != r.validity {
		return nil
	}
	if r.known == nil {
		r.known = mail.UIDSet{{First: 1, Last: uint32(mail.UIDMax)}}
	}
	if err := s.tellEarlier(r.since, r.unmatched(v)); err != nil {
		return err
	}
	v.EachNewer(r.known, r.since, func(row *mailbox.Row) bool {
		s.tellChange(row, true, true)
		return s.w.Err() == nil
	})
	return nil
}

// unmatched returns the known UIDs above the last that the client has right, with its
// number: of those up to there it knows which are gone.
func (r *resync) unmatched(v *mailbox.View) mail.UIDSet {
	low := r.lastMatch(v)
	if low == mail.UIDMax {
		return nil
	}
	return r.known.Intersect(mail.UIDSet{{First: uint32(low) + 1, Last: uint32(mail.UIDMax)}})
}

// lastMatch finds the last pair that is right. When one is right all before it are: both
// sets ascend, and so do the mailbox's numbers and UIDs, so that a pair may only go wrong
// once.
func (r *resync) lastMatch(v *mailbox.View) (last mail.UID) {
	i, j := 0, 0
	var a, b uint32 // how far into range i and range j
	for i < len(r.seqs.Ranges) && j < len(r.uids.Ranges) {
		seqs, uids := r.seqs.Ranges[i], r.uids.Ranges[j]
		seq, uid := seqs.First+a, mail.UID(uids.First+b)
		if v.UID(seq) != uid {
			break
		}
		last = uid
		if a++; seqs.First+a > seqs.Last {
			i, a = i+1, 0
		}
		if b++; uids.First+b > uids.Last {
			j, b = j+1, 0
		}
	}
	return last
}

// tellEarlier tells which of the UIDs were expunged after a modification sequence (RFC 7162
// 3.2.10.1).
func (s *session) tellEarlier(since mail.ModSeq, uids mail.UIDSet) error {
	gone, err := s.view.Vanished(s.ctx, since, uids)
	if err != nil {
		return err
	}
	if len(gone) > 0 {
		wire.WriteRanges(s.w.Raw("* VANISHED (EARLIER) "), gone).CRLF()
	}
	return nil
}

// parseVanished makes a UID FETCH with CHANGEDSINCE tell also what is gone, before all else
// (RFC 7162 3.2.6).
func parseVanished(s *session, _ *wire.Parser, q *fetchRequest) {
	switch {
	case !s.qresync:
		s.refused = errNotEnabled
	case !s.command.uid:
		s.refused = bad("VANISHED is for UID FETCH")
	}
	q.before = append(q.before, func(s *session, set mail.UIDSet) error {
		if !q.hasSince {
			return bad("VANISHED needs CHANGEDSINCE")
		}
		return s.tellEarlier(q.since, set)
	})
}
