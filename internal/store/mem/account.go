package mem

import (
	"cmp"
	"maps"
	"slices"

	"postfach/internal/mail"
)

// account is all that the store knows about one account.
type account struct {
	entry     mail.Account
	removed   bool
	removedAt int64
	place     mail.Place // Nowhere means Here
	leftAt    int64
	importer  *importing // while it is Coming

	version         mail.Version
	nextMailbox     mail.MailboxID
	nextMessage     mail.MessageID
	lastUIDValidity uint32
	totals          mail.Counters
	mailboxes       map[mail.MailboxID]*mailboxData
	messages        map[mail.MessageID]*message
	subscriptions   map[string]bool
	keywordSets     [][]string
	annotations     map[annotationKey]mail.Annotation
	outcomes        map[mail.OpID]outcome
	derived         map[string][]byte
	log             []logged     // the newest logMax commits
	logFrom         mail.Version // the log has everything after it
}

type annotationKey struct {
	mailbox mail.MailboxID
	name    string
}

// annotationList returns the annotations of what is there, by mailbox and name.
func (a *account) annotationList() (list []mail.Annotation) {
	for k, n := range a.annotations {
		if m := a.mailboxes[k.mailbox]; k.mailbox == 0 || m != nil && !m.deleted {
			list = append(list, n)
		}
	}
	slices.SortFunc(list, func(a, b mail.Annotation) int {
		return cmp.Or(cmp.Compare(a.Mailbox, b.Mailbox), cmp.Compare(a.Name, b.Name))
	})
	return list
}

// mailboxData is a mailbox; a deleted one stays until the sweeper comes.
type mailboxData struct {
	state     mail.MailboxState
	deleted   bool
	deletedAt int64
	rows      []mail.Row // those that are there, by UID
	gone      []tombstone
	expunged  []expunged
}

// tombstone keeps the rows of one Removed until the sweeper comes.
type tombstone struct {
	modSeq mail.ModSeq
	at     int64 // seconds
	rows   []mail.Row
}

// expunged is history: which UIDs went under which modification sequence.
type expunged struct {
	modSeq mail.ModSeq
	uids   mail.UIDSet
}

type message struct {
	mail.Message
	inline []byte
	rows   int // in all mailboxes, tombstones included
}

type outcome struct {
	version mail.Version
	void    bool  // it has not happened and never will
	at      int64 // seconds
}

type logged struct {
	version mail.Version
	changes []mail.Change
}

// logMax is how many commits Since can look back.
const logMax = 256

func newAccount(entry mail.Account) *account {
	return &account{
		entry:         entry,
		nextMailbox:   1,
		nextMessage:   1,
		mailboxes:     map[mail.MailboxID]*mailboxData{},
		messages:      map[mail.MessageID]*message{},
		subscriptions: map[string]bool{},
		keywordSets:   [][]string{nil},
		annotations:   map[annotationKey]mail.Annotation{},
		outcomes:      map[mail.OpID]outcome{},
		derived:       map[string][]byte{},
	}
}

// clone copies everything that a commit can change in place.
func (a *account) clone() *account {
	c := *a
	c.mailboxes = make(map[mail.MailboxID]*mailboxData, len(a.mailboxes))
	for id, m := range a.mailboxes {
		d := *m
		d.rows, d.gone, d.expunged = slices.Clone(m.rows), slices.Clone(m.gone), slices.Clone(m.expunged)
		c.mailboxes[id] = &d
	}
	c.messages = make(map[mail.MessageID]*message, len(a.messages))
	for id, m := range a.messages {
		d := *m
		c.messages[id] = &d
	}
	c.subscriptions, c.outcomes, c.derived = maps.Clone(a.subscriptions), maps.Clone(a.outcomes), maps.Clone(a.derived)
	c.annotations = maps.Clone(a.annotations)
	c.keywordSets, c.log = slices.Clone(a.keywordSets), slices.Clone(a.log)
	return &c
}

// image is a copy of the whole store.
type image struct {
	accounts map[mail.AccountID]*account
	names    map[string]mail.AccountID
}

func (s *Store) imageLocked() *image {
	i := &image{accounts: make(map[mail.AccountID]*account, len(s.accounts)), names: maps.Clone(s.names)}
	for id, a := range s.accounts {
		i.accounts[id] = a.clone()
	}
	return i
}
