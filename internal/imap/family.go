package imap

import (
	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/search"
	"postfach/internal/wire"
)

// family is everything that is true about a group of commands or an extension.
// One family is one file; an extension never has a place in another's file.
type family struct {
	name string
	rfc  string // where it is defined
	doc  string // one sentence

	capabilities    []capability
	commands        []command
	fetchItems      []fetchItem
	fetchModifiers  []fetchModifier
	storeModifiers  []storeModifier
	searchKeys      []searchKey
	searchReturns   []searchReturn
	sortKeys        []sortKey
	threadings      []threading
	statusItems     []statusItem
	selectParams    []selectParam
	createParams    []createParam
	listSelections  []listSelection
	listReturns     []listReturn
	listAttributes  []listAttribute
	listItems       []listItem
	appendData      []appendData
	appendChecks    []appendCheck
	metadataEntries []metadataEntry
	enables         []enable
	selected        []func(s *session, v *mailbox.View) // what SELECT and EXAMINE tell besides
	bounds          []bound
	ends            []func(s *session)                    // done before the tagged OK of a command
	removed         []func(s *session)                    // done when a command has removed messages of the selected mailbox
	created         []func(s *session, id mail.MailboxID) // what CREATE tells besides,
	renamed         []func(s *session, id mail.MailboxID) // and RENAME; zero: the name has only mailboxes below it
	loggedOut       []func(s *session) error              // done behind the tagged OK of UNAUTHENTICATE, which has been sent
	progressCodes   []progressCode
	codes           []string // response codes it can send
}

// capability is a word of the CAPABILITY response (RFC 9051 6.1.1).
type capability struct {
	word  string
	value func(*session) string // what follows the word; nil: nothing
	when  func(*session) bool   // nil: always
}

// states is a set of the states of RFC 9051 section 3.
type states uint8

const (
	notAuthenticated states = 1 << iota
	authenticated
	selected

	anyState   = notAuthenticated | authenticated | selected
	afterLogin = authenticated | selected
)

// numbers says what a command has to do with sequence numbers: whether its client
// may be counting on them while it runs.
type numbers uint8

const (
	// breaksNumbers: expunges may be told with the answer.
	breaksNumbers numbers = iota
	// usesNumbers: no EXPUNGE in the answer (RFC 9051 7.5.1).
	usesNumbers
)

// command is one command. Its request is made by a function and dispatched by its
// methods, so that this table can be read back (by CAPABILITY) while it is made.
type command struct {
	name    string
	states  states
	numbers numbers
	// sync: what any process had acknowledged before the command must be seen by it.
	sync bool
	// uid: there is a UID form too, which breaksNumbers.
	uid bool
	// uidOnly: there is only the UID form.
	uidOnly bool
	// joint: those that have come already may be done together; their requests are joint.
	joint bool
	new   func() request
}

// request is a parsed command. A session reuses it for every command of the same
// name, so parse must set everything anew.
type request interface {
	// parse reads the arguments, from after the command's name. Errors are the
	// parser's; any other goes to session.refused, and what follows need not be read.
	parse(s *session, p *wire.Parser)
	// run does it. Untagged responses go to s.w. nil is OK (text and code: s.ok), an
	// error is NO or BAD by the table in reply.go.
	run(s *session) error
}

// statusItem is an item of STATUS (RFC 9051 6.3.11).
type statusItem struct {
	name    string
	write   func(w *wire.Writer, st *statusOf)
	prepare func(s *session, m *mailbox.Mailbox) error // before the status is read; nil: nothing
	news    func(s *session) bool                      // when STATUS responses that tell news have it too; nil: never
}

// selectParam is a parameter of SELECT and EXAMINE (RFC 4466 2.4).
type selectParam struct {
	name  string
	parse func(s *session, p *wire.Parser, q *selectRequest)
}

// fetchModifier says more about a whole FETCH (RFC 4466 2.4).
type fetchModifier struct {
	name  string
	parse func(s *session, p *wire.Parser, q *fetchRequest)
}

// storeModifier says more about a whole STORE (RFC 4466 2.5).
type storeModifier struct {
	name  string
	parse func(s *session, p *wire.Parser, q *storeRequest)
}

// bound limits the messages of a command.
type bound struct {
	// set returns those of a set, of numbers or of UIDs, that the command may handle. When
	// whole, it has to do all of them or none, and an error refuses it.
	set func(s *session, set []mail.Range, uid, whole bool) ([]mail.Range, error)
	// append refuses so many messages in one APPEND.
	append func(s *session, n int) error
}

// createParam is a parameter of CREATE (RFC 4466 2.2).
type createParam struct {
	name  string
	parse func(s *session, p *wire.Parser, q *createRequest)
}

// listSelection is a selection option of LIST (RFC 9051 6.3.9.1).
type listSelection struct {
	name string
	// selects tells whether a name is meant: one is told when all options that were
	// given say so. nil: the option does not narrow down what is told.
	selects func(l *listed) bool
	choose  func(q *listRequest) // what else it does; nil: nothing
}

// listReturn is a return option of LIST (RFC 9051 6.3.9.2). Attributes are told also to
// those who did not ask for them: many clients do not, and some servers do not know the
// options.
type listReturn struct {
	name string
	sync bool // as that of a command
	// parse reads what follows the name, and says what follows the LIST responses. nil:
	// nothing.
	parse func(s *session, p *wire.Parser) listTail
}

// listTail is what a return option adds after the LIST response of each mailbox that
// was selected.
type listTail interface {
	// prepare does all that can fail, before the LIST response is written. NotFound: the
	// mailbox has just been deleted.
	prepare(s *session, l *listed) error
	write(s *session, l *listed)
}

// listAttribute appends what it has to say of a name, each attribute after a space
// (RFC 9051 7.3.1).
type listAttribute func(dst []byte, l *listed) []byte

// listItem is an extended data item of a LIST response (RFC 9051 7.3.1).
type listItem struct {
	name  string
	has   func(l *listed) bool
	write func(w *wire.Writer, l *listed) // the value
}

// appendData is a form in which APPEND takes a message, beside a literal (RFC 4466 3,
// append-data-ext).
type appendData struct {
	name string
	// parse reads what follows the name and adds it to the message at hand.
	parse func(s *session, p *wire.Parser, a *appending)
	// part: a message that is put together can have a part in this form, too.
	part bool
}

// appendCheck looks at a message that has come whole. It may refuse it, or put another
// in its place.
type appendCheck func(s *session, a *appending, in *mailbox.Incoming) error

// sortKey is a key of SORT (RFC 5256 5).
type sortKey struct {
	name  string
	key   search.SortKey
	check func(q *searchRequest) error // refuses a command that can't use it; nil: any can
}

// threading is an algorithm of THREAD (RFC 5256 5).
type threading struct {
	name      string
	algorithm search.Algorithm
}

// enable is a name for ENABLE (RFC 5161).
type enable struct {
	name string
	on   func(s *session)
}

// progressCode appends a response code that tells how much of a long command is done, and
// of how much: 0 when nobody knows.
type progressCode func(dst []byte, s *session, done, goal uint32) []byte
