package postgres

import (
	"encoding/binary"
	"errors"

	"postfach/internal/mail"
)

// The changes of a commit, as commits.changes has them: a format byte, the number of changes,
// then for each its kind, how far its modification sequence is above the account's version
// before, and what it is of. Numbers are uvarints and varints, strings have their length before.
// Messages are told by their rows: what else there is to know is in the table messages.
// What a blind commit was given is in commits.bases.
const (
	logFormat   = 1
	logBytesMax = 64 << 10 // beyond it a commit is not kept: whoever misses it loads the account
)

const (
	kindAppended = 1 + iota
	kindCopied
	kindFlagsSet
	kindRemoved
	kindCreated
	kindRenamed
	kindDeleted
	kindSubscribed
	kindKeywords
	kindAnnotated
)

// encodeChanges returns nil when they are too large to be kept.
func encodeChanges(base mail.Version, changes []mail.Change) []byte {
	w := writer(make([]byte, 0, 128))
	w.uint(logFormat)
	w.uint(uint64(len(changes)))
	for _, change := range changes {
		if len(w) > logBytesMax || !w.change(base, change) || len(w) > logBytesMax {
			return nil
		}
	}
	return w
}

type writer []byte

func (w *writer) uint(n uint64) { *w = binary.AppendUvarint(*w, n) }
func (w *writer) int(n int64)   { *w = binary.AppendVarint(*w, n) }
func (w *writer) text(s string) { w.uint(uint64(len(s))); *w = append(*w, s...) }

func (w *writer) counters(c mail.Counters) {
	w.int(c.Messages)
	w.int(c.Unseen)
	w.int(c.Deleted)
	w.int(c.Bytes)
}

// head begins a change. A blind one has no modification sequence yet.
func (w *writer) head(kind uint64, base, seq mail.ModSeq, mailbox mail.MailboxID) {
	w.uint(kind)
	w.uint(uint64(max(seq, base) - base))
	w.uint(uint64(mailbox))
}

func (w *writer) uids(s mail.UIDSet) bool {
	if len(s) > logBytesMax {
		return false
	}
	w.uint(uint64(len(s)))
	at := uint32(0)
	for _, r := range s {
		w.uint(uint64(r.First - at))
		w.uint(uint64(r.Last - r.First))
		at = r.Last
	}
	return true
}

func (w *writer) row(r *mail.Row) bool {
	w.uint(uint64(r.UID))
	w.uint(uint64(r.Flags))
	w.uint(uint64(r.Message))
	w.int(r.Size)
	w.int(r.Date.Unix)
	w.int(int64(r.Date.ZoneMinutes))
	w.int(r.Saved)
	return len(*w) <= logBytesMax
}

// change is false when it has found out that there is too much.
func (w *writer) change(base mail.Version, change mail.Change) bool {
	seq := change.Seq()
	switch c := change.(type) {
	case *mail.Appended:
		w.head(kindAppended, base, seq, c.Mailbox)
		w.counters(c.Delta)
		w.uint(uint64(len(c.Arrivals)))
		for i := range c.Arrivals {
			if !w.row(&c.Arrivals[i].Row) {
				return false
			}
		}
	case *mail.Copied:
		w.head(kindCopied, base, seq, c.Mailbox)
		w.counters(c.Delta)
		w.uint(uint64(len(c.Rows)))
		for i := range c.Rows {
			if !w.row(&c.Rows[i]) {
				return false
			}
		}
	case *mail.FlagsSet:
		w.head(kindFlagsSet, base, seq, c.Mailbox)
		w.counters(c.Delta)
		w.uint(uint64(c.Flags))
		return w.uids(c.UIDs)
	case *mail.Removed:
		w.head(kindRemoved, base, seq, c.Mailbox)
		w.counters(c.Delta)
		return w.uids(c.UIDs)
	default:
		w.ofMailbox(base, change)
	}
	return true
}

// ofMailbox writes the changes that are of no message.
func (w *writer) ofMailbox(base mail.Version, change mail.Change) {
	seq := change.Seq()
	switch c := change.(type) {
	case *mail.MailboxCreated:
		w.head(kindCreated, base, seq, c.State.ID)
		w.counters(c.State.Counters)
		w.text(c.State.Name)
		for _, n := range []uint64{uint64(c.State.UIDValidity), uint64(c.State.UIDNext), uint64(c.State.HighestModSeq), uint64(c.State.RecentFrom), uint64(c.State.Use)} {
			w.uint(n)
		}
	case *mail.MailboxRenamed:
		w.head(kindRenamed, base, seq, c.Mailbox)
		w.text(c.Name)
	case *mail.MailboxDeleted:
		w.head(kindDeleted, base, seq, c.Mailbox)
		w.counters(c.Delta)
	case *mail.Subscribed:
		w.head(kindSubscribed, base, seq, 0)
		w.text(c.Name)
		on := uint64(0)
		if c.On {
			on = 1
		}
		w.uint(on)
	case *mail.Annotated:
		w.head(kindAnnotated, base, seq, c.Mailbox)
		w.text(c.Name)
		gone := uint64(0)
		if c.Gone {
			gone = 1
		}
		w.uint(gone)
		w.text(c.Value)
	case *mail.KeywordSetAdded:
		w.head(kindKeywords, base, seq, 0)
		w.uint(uint64(c.Set))
		w.uint(uint64(len(c.Keywords)))
		for _, k := range c.Keywords {
			w.text(k)
		}
	}
}

// logReader reads what encodeChanges wrote. After the first damage everything is zero and bad is set.
type logReader struct {
	b    []byte
	base mail.Version
	bad  bool
}

var errLog = mail.Wrap(mail.Corrupt, errors.New("a record of the log of changes is damaged"))

// decodeChanges reads the changes of a commit; of a format that it does not know it says Invalid,
// as of a log that does not reach back.
func decodeChanges(base mail.Version, b []byte) ([]mail.Change, error) {
	r := &logReader{b: b, base: base}
	if r.uint() != logFormat {
		return nil, errTooOld
	}
	n := r.count()
	changes := make([]mail.Change, 0, n)
	for range n {
		change := r.change()
		if change == nil || r.bad {
			return nil, errLog
		}
		changes = append(changes, change)
	}
	if len(r.b) > 0 {
		return nil, errLog
	}
	return changes, nil
}

func (r *logReader) uint() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *logReader) int() int64 {
	n, size := binary.Varint(r.b)
	if size <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[size:]
	return n
}

// count is a number of things that take at least a byte each.
func (r *logReader) count() uint64 {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.bad = true
		return 0
	}
	return n
}

func (r *logReader) text() string {
	n := r.count()
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func (r *logReader) counters() mail.Counters {
	return mail.Counters{Messages: r.int(), Unseen: r.int(), Deleted: r.int(), Bytes: r.int()}
}

func (r *logReader) uids() mail.UIDSet {
	n := r.count()
	s := make(mail.UIDSet, 0, n)
	at := uint64(0)
	for range n {
		first := at + r.uint()
		at = first + r.uint()
		if at > uint64(mail.UIDMax) || r.bad {
			r.bad = true
			return nil
		}
		s = append(s, mail.Range{First: uint32(first), Last: uint32(at)})
	}
	return s
}

func (r *logReader) row(seq mail.ModSeq) mail.Row {
	return mail.Row{
		UID: mail.UID(r.uint()), Flags: mail.Flags(r.uint()), ModSeq: seq,
		Fixed: mail.Fixed{
			Message: mail.MessageID(r.uint()), Size: r.int(),
			Date:  mail.Stamp{Unix: r.int(), ZoneMinutes: int16(r.int())},
			Saved: r.int(),
		},
	}
}

func (r *logReader) change() mail.Change {
	kind := r.uint()
	seq := r.base + mail.ModSeq(r.uint())
	stamp := mail.Stamped{ModSeq: seq}
	mailbox := mail.MailboxID(r.uint())
	switch kind {
	case kindAppended:
		c := &mail.Appended{Stamped: stamp, Mailbox: mailbox, Delta: r.counters()}
		for range r.count() {
			c.Arrivals = append(c.Arrivals, mail.Arrival{Row: r.row(seq)})
		}
		return c
	case kindCopied:
		c := &mail.Copied{Stamped: stamp, Mailbox: mailbox, Delta: r.counters()}
		for range r.count() {
			c.Rows = append(c.Rows, r.row(seq))
		}
		return c
	case kindFlagsSet:
		return &mail.FlagsSet{Stamped: stamp, Mailbox: mailbox, Delta: r.counters(), Flags: mail.Flags(r.uint()), UIDs: r.uids()}
	case kindRemoved:
		return &mail.Removed{Stamped: stamp, Mailbox: mailbox, Delta: r.counters(), UIDs: r.uids()}
	case kindCreated:
		return &mail.MailboxCreated{Stamped: stamp, State: mail.MailboxState{
			ID: mailbox, Counters: r.counters(), Name: r.text(), UIDValidity: uint32(r.uint()), UIDNext: mail.UID(r.uint()),
			HighestModSeq: mail.ModSeq(r.uint()), RecentFrom: mail.UID(r.uint()), Use: mail.Use(r.uint()),
		}}
	case kindRenamed:
		return &mail.MailboxRenamed{Stamped: stamp, Mailbox: mailbox, Name: r.text()}
	case kindDeleted:
		return &mail.MailboxDeleted{Stamped: stamp, Mailbox: mailbox, Delta: r.counters()}
	case kindSubscribed:
		return &mail.Subscribed{Stamped: stamp, Name: r.text(), On: r.uint() != 0}
	case kindAnnotated:
		return &mail.Annotated{Stamped: stamp, Mailbox: mailbox, Name: r.text(), Gone: r.uint() != 0, Value: r.text()}
	case kindKeywords:
		c := &mail.KeywordSetAdded{Stamped: stamp, Set: uint32(r.uint())}
		for range r.count() {
			c.Keywords = append(c.Keywords, r.text())
		}
		return c
	}
	return nil
}
