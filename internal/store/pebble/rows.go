package pebble

import (
	"context"
	"iter"

	"github.com/cockroachdb/pebble/v2"

	"postfach/internal/mail"
)

// loading reads a mailbox: rows, from pages where there are any, less tombstones, under blocks
// of flags, under the log. All its iterators see the same moment.
type loading struct {
	e       *epoch
	id      mailboxID
	it      *pebble.Iterator
	mailbox mailboxRecord
	version mail.Version
	log     runs
	gone    mail.UIDSet
	pages   []keptPage
	wrong   bool // there are pages that are not right
	seen    seenRows
	asks    bool // for pages that are missing
}

// LoadMailbox implements mail.Store.
func (s *Store) LoadMailbox(_ context.Context, id mail.AccountID, mailbox mail.MailboxID) (mail.Version, iter.Seq2[mail.Row, error], error) {
	l, err := s.load(mailboxID{id, mailbox})
	if err != nil {
		return 0, nil, err
	}
	if err := l.findPages(); err != nil {
		l.end()
		return 0, nil, err
	}
	return l.version, l.each, nil
}

// loadRows is LoadMailbox without pages.
func (s *Store) loadRows(id mail.AccountID, mailbox mail.MailboxID) (iter.Seq2[mail.Row, error], error) {
	l, err := s.load(mailboxID{id, mailbox})
	if err != nil {
		return nil, err
	}
	return l.each, nil
}

// load begins. end must follow.
func (s *Store) load(id mailboxID) (*loading, error) {
	e, err := s.enter()
	if err != nil {
		return nil, err
	}
	l := &loading{e: e, id: id}
	if err := l.begin(); err != nil {
		l.end()
		return nil, err
	}
	return l, nil
}

// begin reads all but the rows, pages and blocks.
func (l *loading) begin() (err error) {
	if l.it, err = l.e.db.NewIter(nil); err != nil {
		return readError(err)
	}
	if err = l.find(); err != nil {
		return err
	}
	log, _, err := readFlagLog(l.it, l.id, flagLogKey(l.id))
	if err != nil {
		return err
	}
	l.log = newest(log)
	l.gone, err = readTombstones(l.it, l.id)
	return err
}

// find reads the account's version and the mailbox's record.
func (l *loading) find() error {
	var a accountRecord
	k := accountKey(keyAccount, l.id.account)
	if !l.it.SeekGE(k) || string(l.it.Key()) != string(k) {
		return l.missing()
	}
	if err := a.decode(l.it.Value()); err != nil {
		return err
	}
	l.version = a.version
	k = mailboxKey(keyMailbox, l.id.account, l.id.mailbox)
	if !l.it.SeekGE(k) || string(l.it.Key()) != string(k) {
		return l.missing()
	}
	return l.mailbox.decode(l.id.mailbox, l.it.Value())
}

func (l *loading) missing() error {
	if err := l.it.Error(); err != nil {
		return readError(err)
	}
	if _, err := l.e.readAccount(l.id.account); err != nil {
		return err
	}
	return mail.Errorf(mail.NotFound, "no such mailbox")
}

func (l *loading) end() {
	l.wantPages()
	if l.it != nil {
		l.it.Close()
	}
	l.e.leave()
}

// each is the sequence that LoadMailbox returns.
func (l *loading) each(yield func(mail.Row, error) bool) {
	defer l.end()
	if parts, span := l.parts(); parts > 1 {
		l.together(parts, span, yield)
		return
	}
	r, err := l.reader()
	if err != nil {
		yield(mail.Row{}, err)
		return
	}
	defer r.close()
	rows := make([]mail.Row, max(min(l.mailbox.Messages, partChunkRows), 1))
	r.seek(0, uint32(mail.UIDMax))
	for n := r.fill(rows); n > 0; n = r.fill(rows) {
		for i := range rows[:n] {
			if !yield(rows[i], nil) {
				return
			}
		}
	}
	if r.err != nil {
		yield(mail.Row{}, r.err)
	}
}
