package imap

import (
	"strconv"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/search"
	"postfach/internal/wire"
)

// extMessageLimit bounds how many messages a command handles, where an administrator wants
// that (RFC 9738): the client goes on with the next command.
var extMessageLimit = family{
	name: "MESSAGELIMIT",
	rfc:  "RFC 9738",
	doc:  "Where configured, a command handles so many messages, the newest first, and says how far it came.",
	capabilities: []capability{
		{word: "MESSAGELIMIT=", value: (*session).messageLimit, when: func(s *session) bool { return loggedIn(s) && s.server.limits.MessagesPerCommandMax > 0 }},
		{word: "SAVELIMIT=", value: (*session).saveLimit, when: func(s *session) bool {
			return loggedIn(s) && s.server.limits.MessagesSavedMax > 0 && s.server.limits.MessagesPerCommandMax == 0
		}},
	},
	bounds: []bound{{set: limitSet, append: limitAppend}},
	ends:   []func(*session){answerLimit},
	searchKeys: []searchKey{
		{name: "UIDAFTER", parse: uidKeyThan(func(u, than mail.UID) bool { return u > than })},
		{name: "UIDBEFORE", parse: uidKeyThan(func(u, than mail.UID) bool { return u < than })},
	},
	codes: []string{"MESSAGELIMIT"},
}

func (s *session) messageLimit() string { return strconv.Itoa(s.server.limits.MessagesPerCommandMax) }

func (s *session) saveLimit() string { return strconv.Itoa(s.server.limits.MessagesSavedMax) }

// limitSet lets a command handle the newest messages of its set and remembers where it
// stopped (RFC 9738 3.1). What is done as a whole is refused (3.2).
func limitSet(s *session, set []mail.Range, uid, whole bool) ([]mail.Range, error) {
	limit := s.server.limits.MessagesPerCommandMax
	if whole && limit == 0 {
		limit = s.server.limits.MessagesSavedMax
	}
	if limit == 0 {
		return set, nil
	}
	there := s.membersOf(set, uid)
	if there.Count() <= int64(limit) {
		return set, nil
	}
	if whole {
		return nil, no("MESSAGELIMIT "+strconv.Itoa(limit), "too many messages, nothing was done")
	}
	newest := page{asked: mail.Range{First: 1, Last: uint32(limit)}, fromEnd: true}
	part := newest.of(there)
	if s.limitedAt = mail.UID(part[0].First); !uid {
		s.limitedAt = s.view.UID(part[0].First)
	}
	return part, nil
}

// membersOf returns those of a set of numbers or UIDs that there are.
func (s *session) membersOf(set []mail.Range, uid bool) (there mail.UIDSet) {
	if !uid {
		return set
	}
	s.view.EachUID(set, func(r *mailbox.Row) bool {
		there = there.Append(r.UID)
		return true
	})
	return there
}

// limitAppend refuses more messages in one APPEND (RFC 9738 3.2).
func limitAppend(s *session, n int) error {
	for _, limit := range []int{s.server.limits.MessagesPerCommandMax, s.server.limits.MessagesSavedMax} {
		if limit > 0 && n > limit {
			return no("MESSAGELIMIT "+strconv.Itoa(limit), "too many messages, nothing was done")
		}
	}
	return nil
}

// answerLimit says how far a command came. When the tagged OK has another code already, it is
// said before (RFC 9738 3.1).
func answerLimit(s *session) {
	if s.limitedAt == 0 {
		return
	}
	code := append([]byte("MESSAGELIMIT "), s.messageLimit()...)
	code = appendNumber(append(code, ' '), uint32(s.limitedAt))
	s.limitedAt = 0
	if len(s.ok.code) > 0 {
		s.untagged("NO", string(code), "only the newest messages were handled")
		return
	}
	s.ok.code, s.ok.text = append(s.ok.code, code...), "only the newest messages were handled"
}

// uidKeyThan makes the parse of a key with one UID.
func uidKeyThan(test func(u, than mail.UID) bool) func(*searchRequest, *wire.Parser) search.Key {
	return func(_ *searchRequest, p *wire.Parser) search.Key {
		p.SP()
		than := mail.UID(p.NZNumber())
		return search.Test(func(r *search.Row) bool { return test(r.UID, than) })
	}
}
