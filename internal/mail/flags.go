package mail

// Flags is what is set on one message: the system flags in the low eight bits,
// the number of an interned keyword set (AccountState.KeywordSets) above.
type Flags uint32

// The system flags (RFC 9051 2.3.2). \Recent is none of them: it belongs to a
// session, not to a message.
const (
	Seen Flags = 1 << iota
	Answered
	Flagged
	Deleted
	Draft

	SystemFlags = Seen | Answered | Flagged | Deleted | Draft
)

const (
	keywordShift = 8

	// KeywordSetsMax is how many different sets of keywords an account can hold.
	KeywordSetsMax = 1 << 14
	// KeywordsMax is how many different keywords an account can hold.
	KeywordsMax = 1000
	// KeywordsPerMessageMax is how many keywords one message can have.
	KeywordsPerMessageMax = 100
	// KeywordBytesMax is how long a keyword can be.
	KeywordBytesMax = 100
)

// System returns the system flags alone.
func (f Flags) System() Flags { return f & SystemFlags }

// Has tells whether all of the given system flags are set.
func (f Flags) Has(system Flags) bool { return f&system == system }

// KeywordSet returns the number of the message's keyword set; 0 is the empty set.
func (f Flags) KeywordSet() uint32 { return uint32(f >> keywordShift) }

// WithKeywordSet returns the same system flags with another keyword set.
func (f Flags) WithKeywordSet(set uint32) Flags {
	return f.System() | Flags(set)<<keywordShift
}
