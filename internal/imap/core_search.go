package imap

import (
	"postfach/internal/mail"
	"postfach/internal/search"
	"postfach/internal/wire"
)

// coreSearch finds messages (RFC 9051 6.4.4).
var coreSearch = family{
	name: "SEARCH",
	rfc:  "RFC 3501 6.4.4",
	doc:  "Finds messages by what they are and what is in them.",
	commands: []command{
		{name: "SEARCH", states: selected, numbers: usesNumbers, uid: true, new: func() request { return new(searchRequest) }},
	},
	searchKeys: []searchKey{
		{name: "ALL", parse: func(*searchRequest, *wire.Parser) search.Key { return search.All() }},
		{name: "ANSWERED", parse: flagKey(mail.Answered, true)},
		{name: "DELETED", parse: flagKey(mail.Deleted, true)},
		{name: "DRAFT", parse: flagKey(mail.Draft, true)},
		{name: "FLAGGED", parse: flagKey(mail.Flagged, true)},
		{name: "SEEN", parse: flagKey(mail.Seen, true)},
		{name: "UNANSWERED", parse: flagKey(mail.Answered, false)},
		{name: "UNDELETED", parse: flagKey(mail.Deleted, false)},
		{name: "UNDRAFT", parse: flagKey(mail.Draft, false)},
		{name: "UNFLAGGED", parse: flagKey(mail.Flagged, false)},
		{name: "UNSEEN", parse: flagKey(mail.Seen, false)},
		{name: "KEYWORD", parse: keywordKey(true)},
		{name: "UNKEYWORD", parse: keywordKey(false)},
		{name: "NEW", parse: plainKey(func(r *search.Row) bool { return r.Recent && !r.Flags.Has(mail.Seen) })},
		{name: "OLD", parse: plainKey(func(r *search.Row) bool { return !r.Recent })},
		{name: "RECENT", parse: plainKey(func(r *search.Row) bool { return r.Recent })},
		{name: "LARGER", parse: sizeKey(func(size, n int64) bool { return size > n })},
		{name: "SMALLER", parse: sizeKey(func(size, n int64) bool { return size < n })},
		{name: "BEFORE", parse: dayKey(search.Internal, func(day, d search.Day) bool { return day < d })},
		{name: "ON", parse: dayKey(search.Internal, func(day, d search.Day) bool { return day == d })},
		{name: "SINCE", parse: dayKey(search.Internal, func(day, d search.Day) bool { return day >= d })},
		{name: "SENTBEFORE", parse: dayKey(search.Sent, func(day, d search.Day) bool { return day < d })},
		{name: "SENTON", parse: dayKey(search.Sent, func(day, d search.Day) bool { return day == d })},
		{name: "SENTSINCE", parse: dayKey(search.Sent, func(day, d search.Day) bool { return day >= d })},
		{name: "FROM", parse: textKey(search.From)},
		{name: "TO", parse: textKey(search.To)},
		{name: "CC", parse: textKey(search.Cc)},
		{name: "BCC", parse: textKey(search.Bcc)},
		{name: "SUBJECT", parse: textKey(search.Subject)},
		{name: "BODY", parse: wholeKey(search.Body)},
		{name: "TEXT", parse: wholeKey(search.Text)},
		{name: "HEADER", parse: headerKey},
		{name: "UID", parse: uidKey},
		{name: "NOT", parse: notKey},
		{name: "OR", parse: orKey},
	},
	codes: []string{"BADCHARSET", "LIMIT"},
}

// plainKey makes the parse of a key without arguments.
func plainKey(test func(*search.Row) bool) func(*searchRequest, *wire.Parser) search.Key {
	return func(*searchRequest, *wire.Parser) search.Key { return search.Test(test) }
}

func flagKey(flag mail.Flags, set bool) func(*searchRequest, *wire.Parser) search.Key {
	return func(*searchRequest, *wire.Parser) search.Key { return search.Flag(flag, set) }
}

// keywordKey compares names without regard to case (RFC 9051 2.3.2).
func keywordKey(set bool) func(*searchRequest, *wire.Parser) search.Key {
	return func(q *searchRequest, p *wire.Parser) search.Key {
		p.SP()
		name, account := string(p.Atom()), q.s.account
		return search.Test(func(r *search.Row) bool {
			return account.Keywords().Has(r.Flags.KeywordSet(), name) == set
		})
	}
}

func sizeKey(test func(size, n int64) bool) func(*searchRequest, *wire.Parser) search.Key {
	return func(_ *searchRequest, p *wire.Parser) search.Key {
		p.SP()
		n := int64(p.Number64())
		return search.Test(func(r *search.Row) bool { return test(r.Fixed.Size, n) })
	}
}

func dayKey(of func(func(search.Day) bool) search.Key, test func(day, d search.Day) bool) func(*searchRequest, *wire.Parser) search.Key {
	return func(_ *searchRequest, p *wire.Parser) search.Key {
		p.SP()
		d := search.DayOf(p.Date())
		return of(func(day search.Day) bool { return test(day, d) })
	}
}

func textKey(of func(string) search.Key) func(*searchRequest, *wire.Parser) search.Key {
	return func(q *searchRequest, p *wire.Parser) search.Key {
		p.SP()
		return of(q.text(p))
	}
}

// wholeKeysMax is how many texts one command can look for in whole messages: every one of
// them may have to be compared with all mail there is.
const wholeKeysMax = 100

// wholeKey makes the parse of a key on whole messages.
func wholeKey(of func(string) search.Key) func(*searchRequest, *wire.Parser) search.Key {
	parse := textKey(of)
	return func(q *searchRequest, p *wire.Parser) search.Key {
		if q.wholeKeys++; q.wholeKeys > wholeKeysMax {
			q.refuse(no("LIMIT", "a search can have 100 keys BODY and TEXT at most"))
		}
		return parse(q, p)
	}
}

func headerKey(q *searchRequest, p *wire.Parser) search.Key {
	p.SP()
	name := string(p.AString())
	p.SP()
	return search.Header(name, q.text(p))
}

func uidKey(q *searchRequest, p *wire.Parser) search.Key {
	p.SP()
	return q.setKey(p, true)
}

func notKey(q *searchRequest, p *wire.Parser) search.Key {
	p.SP()
	return search.Not(q.key(p))
}

// orKey reads a whole chain of ORs at once: mail programs write one for every name
// of a long list.
func orKey(q *searchRequest, p *wire.Parser) search.Key {
	var keys []search.Key
	for {
		p.SP()
		keys = append(keys, q.key(p))
		p.SP()
		if !p.TryWord("OR") {
			return search.Or(append(keys, q.key(p))...)
		}
		q.count(p)
	}
}
