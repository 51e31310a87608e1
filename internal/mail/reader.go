package mail

// Reader reads messages one after the other, which may cost less than to ask the store for each:
// it may keep its place, and shows the account as it was at some moment since it was made or
// last rested. It may lack any message at any moment without saying why: who does not get
// one asks the store. It is not safe for concurrent use.
type Reader interface {
	// Message returns what the store's method returns, or nil.
	Message(message MessageID) *Message
	// Inline copies what the store's method returns into a buffer, and tells how much it is and
	// whether it is there, and all of it.
	Inline(message MessageID, into []byte) (n int, ok bool)
	// Place returns where the bytes of a message are that is not inline, if that is known without
	// looking. They may have been moved meanwhile.
	Place(message MessageID) (at Ref, ok bool)
	// Rest lets go of everything in the store until the next call. The store is not closed before.
	Rest()
}

// NoReader is the Reader of a store that has nothing better than to be asked.
type NoReader struct{}

// Message implements Reader.
func (NoReader) Message(MessageID) *Message { return nil }

// Inline implements Reader.
func (NoReader) Inline(MessageID, []byte) (int, bool) { return 0, false }

// Place implements Reader.
func (NoReader) Place(MessageID) (Ref, bool) { return Ref{}, false }

// Rest implements Reader.
func (NoReader) Rest() {}
