package imap

import (
	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/wire"
)

// systemFlags are the flags of RFC 9051 2.3.2 with their bits, in the order in
// which they are written.
var systemFlags = []struct {
	bit  mail.Flags
	name string // as it is written
	fold string // in capitals
}{
	{mail.Answered, `\Answered`, `\ANSWERED`},
	{mail.Flagged, `\Flagged`, `\FLAGGED`},
	{mail.Deleted, `\Deleted`, `\DELETED`},
	{mail.Seen, `\Seen`, `\SEEN`},
	{mail.Draft, `\Draft`, `\DRAFT`},
}

// flagsPerCommandMax is how many flags one command can name.
const flagsPerCommandMax = mail.KeywordsPerMessageMax + 10

// writeFlags writes a message's FLAGS item.
func (s *session) writeFlags(r *mailbox.Row) {
	s.w.Raw("FLAGS (")
	first := true
	sep := func() {
		if !first {
			s.w.SP()
		}
		first = false
	}
	for i := range systemFlags {
		if r.Flags.Has(systemFlags[i].bit) {
			sep()
			s.w.Raw(systemFlags[i].name)
		}
	}
	if r.Recent && !s.rev2 { // RFC 3501 2.3.2; gone in RFC 9051
		sep()
		s.w.Raw(`\Recent`)
	}
	if set := r.Flags.KeywordSet(); set != 0 {
		for _, k := range s.account.Keywords().Set(set) {
			sep()
			s.w.Raw(k)
		}
	}
	s.w.Byte(')')
}

// flagNames turns the flags that a client names into bits and keywords. \Recent is
// the server's (RFC 3501 2.3.2), and so is every other word with a backslash.
func flagNames(names [][]byte) (system mail.Flags, keywords []string, err error) {
next:
	for _, n := range names {
		for i := range systemFlags {
			if wire.Is(n, systemFlags[i].fold) {
				system |= systemFlags[i].bit
				continue next
			}
		}
		if n[0] == '\\' {
			return 0, nil, bad("no client can set this flag: " + string(n))
		}
		if len(n) > mail.KeywordBytesMax {
			return 0, nil, no("LIMIT", "a keyword can't be that long")
		}
		keywords = append(keywords, string(n))
	}
	return system, keywords, nil
}

// writePermanentFlags writes FLAGS and PERMANENTFLAGS of the selected mailbox (RFC
// 9051 7.1, 7.3.5).
func (s *session) writePermanentFlags() {
	k := s.account.Keywords()
	names := k.Names()
	s.keywordsFull = k.Full()
	list := func(end string) {
		for i := range systemFlags {
			if i > 0 {
				s.w.SP()
			}
			s.w.Raw(systemFlags[i].name)
		}
		for _, n := range names {
			s.w.SP().Raw(n)
		}
		s.w.Raw(end)
	}
	s.w.Raw("* FLAGS (")
	list(")\r\n")
	if s.view.ReadOnly {
		s.w.Raw("* OK [PERMANENTFLAGS ()] nothing can be changed\r\n")
		return
	}
	end := ` \*)] these can be changed` + "\r\n"
	if s.keywordsFull {
		end = ")] these can be changed\r\n"
	}
	s.w.Raw("* OK [PERMANENTFLAGS (")
	list(end)
}

// tellKeywordsFull says anew which flags can be changed when no more keywords can be
// made since that was last said (RFC 9051 7.1, PERMANENTFLAGS).
func (s *session) tellKeywordsFull() {
	if s.keywordsFull || s.view.ReadOnly || !s.account.Keywords().Full() {
		return
	}
	s.depend(s.view.Ticket())
	s.writePermanentFlags()
}
