package pebble

import (
	"context"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"postfach/internal/mail"
)

// commit is a mail.Commit on its way into a batch.
type commit struct {
	*mail.Commit
	e            *epoch
	batch        *pebble.Batch
	record       accountRecord
	mailboxes    []*mailboxRecord // that the commit touches, as they will be
	firstMessage mail.MessageID   // those from here on come in this commit
	n            uint32           // which change this is: makes keys unique within a ModSeq
	full         []fullPage       // to which no more rows can come now

	log logKey

	k, v []byte // room for one key and one value
}

// Commit implements mail.Store. The account's lock, which commits of one account
// queue for, is held until the batch is applied and numbered.
func (s *Store) Commit(ctx context.Context, c *mail.Commit) (mail.Committed, error) {
	e, err := s.enter()
	if err != nil {
		return mail.Committed{}, err
	}
	defer e.leave()
	lock, err := e.locks.lock(ctx, c.Account)
	if err != nil {
		return mail.Committed{}, err
	}
	defer lock.unlock()
	record, err := e.writable(c.Account)
	if err != nil {
		return mail.Committed{}, err
	}
	if !c.Blind && c.At != record.version {
		return mail.Committed{}, &mail.ConflictError{Version: record.version, TooOld: true}
	}
	w := commits.Get().(*commit)
	defer w.release()
	*w = commit{
		Commit: c, e: e, record: record, firstMessage: record.nextMessage, batch: e.db.NewBatch(),
		mailboxes: w.mailboxes, log: w.log, k: w.k, v: w.v,
	}
	if err := w.fill(); err != nil {
		w.batch.Close()
		return mail.Committed{}, err
	}
	before := lock.known.Load()
	changed := lock.changes()
	seq, err := e.put(w.batch, c.Awaited)
	if err != nil {
		return mail.Committed{}, err // the epoch is over
	}
	changed(w.remembered(before))
	lock.last = seq
	w.wantFolds()
	w.wantPages()
	return mail.Committed{Version: w.record.version, Ticket: mail.NewTicket(&e.sync, seq)}, nil
}

// commits are those that have ended, for their room.
var commits = sync.Pool{New: func() any { return &commit{k: make([]byte, 0, 64), v: make([]byte, 0, 1024)} }}

// roomMax bounds what a commit leaves for the next one.
const roomMax = 64 << 10

func (w *commit) release() {
	if cap(w.v)+cap(w.log.value) > roomMax {
		return
	}
	clear(w.mailboxes)
	*w = commit{mailboxes: w.mailboxes[:0], log: logKey{value: w.log.value[:0]}, k: w.k[:0], v: w.v[:0]}
	commits.Put(w)
}

// fill puts everything into the batch, or returns why not.
func (w *commit) fill() error {
	for i, change := range w.Changes {
		w.n = uint32(i)
		if w.Blind {
			if err := w.number(change); err != nil {
				return err
			}
		}
		seq := change.Seq()
		if seq < w.record.version || seq == 0 || seq>>63 != 0 || !w.Blind && seq <= w.At {
			return mail.Errorf(mail.Invalid, "modification sequences do not ascend")
		}
		if err := w.apply(change); err != nil {
			return err
		}
		w.record.version = seq
	}
	w.endLog()
	for _, m := range w.mailboxes {
		w.set(w.key(keyMailbox).mailbox(m.ID), m.encode(w.v[:0]))
	}
	w.set(w.key(keyAccount), w.record.encode(w.v[:0]))
	if w.Op != (mail.OpID{}) {
		w.set(outcomeKey(outcomeHour(w.Now), w.Account, w.Op), putUint(w.v[:0], w.record.version))
	}
	return nil
}

// number gives a change of a blind commit its ModSeq, UIDs and message ids.
func (w *commit) number(change mail.Change) error {
	c, ok := change.(*mail.Appended)
	if !ok {
		return mail.Errorf(mail.Invalid, "a blind commit can only append")
	}
	m, err := w.mailbox(c.Mailbox)
	if err != nil {
		return err
	}
	if int64(len(c.Arrivals)) > int64(mail.UIDMax)-int64(m.UIDNext) {
		return mail.Errorf(mail.Limit, "the mailbox has no UIDs left")
	}
	c.ModSeq = w.record.version + 1
	for i := range c.Arrivals {
		a := &c.Arrivals[i]
		a.Row.UID = m.UIDNext + mail.UID(i)
		a.Row.ModSeq = c.ModSeq
		a.Row.Message = w.record.nextMessage + mail.MessageID(i)
		a.Message.ID = a.Row.Message
	}
	return nil
}

// mailbox finds a mailbox that is there, with what the commit has done to it so far.
func (w *commit) mailbox(id mail.MailboxID) (*mailboxRecord, error) {
	for _, m := range w.mailboxes {
		if m.ID == id {
			return m, nil
		}
	}
	// A mailbox that this commit has deleted is not found by its key below: ids
	// are not used again, and deleted ones are remembered in the batch only.
	if w.deletedHere(id) {
		return nil, mail.Errorf(mail.NotFound, "no such mailbox")
	}
	m, err := w.e.readMailbox(w.Account, id)
	if err != nil {
		return nil, err
	}
	w.mailboxes = append(w.mailboxes, &m)
	return &m, nil
}

func (w *commit) deletedHere(id mail.MailboxID) bool {
	for _, change := range w.Changes[:w.n] {
		if c, ok := change.(*mail.MailboxDeleted); ok && c.Mailbox == id {
			return true
		}
	}
	return false
}

// key begins a key of the account in the commit's room. It is good until the next one.
func (w *commit) key(kind byte) key { return append(key(w.k[:0]), kind).account(w.Account) }

// set copies both into the batch.
func (w *commit) set(k key, value []byte) {
	w.batch.Set(k, value, nil) // an error is only about options
	w.v = value[:0]
}

// wantFolds tells the folder about logs that have grown.
func (w *commit) wantFolds() {
	for _, m := range w.mailboxes {
		if w.e.overgrown(m) {
			select {
			case w.e.folds <- mailboxID{w.Account, m.ID}:
			default: // it is busy: a later commit asks again
			}
		}
	}
}
