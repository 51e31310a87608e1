package mime

// Envelope is the header of a message in IMAP's words (RFC 9051 7.5.2). Strings are
// unfolded, trimmed and still encoded (RFC 2047); they have no NUL, CR or LF.
type Envelope struct {
	// nil when the field is absent (NIL), else its value, which may be empty.
	Date, Subject, InReplyTo, MessageID *string

	// nil when absent or empty (NIL). Sender and ReplyTo are From when their own field is
	// absent or empty. When a field occurs twice, the first counts.
	From, Sender, ReplyTo, To, Cc, Bcc []Address
}

// AddressKind says what an Address is.
type AddressKind uint8

const (
	Mailbox    AddressKind = iota // an address
	GroupStart                    // (NIL NIL mailbox NIL): a group begins; Address.Mailbox is its name
	GroupEnd                      // (NIL NIL NIL NIL)
)

// Address is one address structure. The empty string of Name and Route means NIL. In a
// Mailbox an empty Mailbox or Host means that the message does not say: it goes to clients as "",
// since NIL would begin a group.
type Address struct {
	Kind    AddressKind
	Name    string // display name without quoting, words still encoded
	Route   string // obsolete source route: @a,@b
	Mailbox string // local part without quoting
	Host    string // domain
}
