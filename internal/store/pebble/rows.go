package pebble

import (
	"context"
	"iter"

	"github.com/cockroachdb/pebble/v2"

	"postfach/internal/mail"
)

// loading reads a mailbox: rows, less tombstones, under blocks of flags, under the log.
// All its iterators see the same moment.
type loading struct {
	e      *epoch
	id     mailboxID
	rows   *pebble.Iterator
	blocks *pebble.Iterator
	log    *overlay
	gone   mail.UIDSet

	runs    []flagRun // what is left of the current block
	more    bool      // blocks stands on the next one
	version mail.Version
}

// LoadMailbox implements mail.Store.
func (s *Store) LoadMailbox(_ context.Context, id mail.AccountID, mailbox mail.MailboxID) (mail.Version, iter.Seq2[mail.Row, error], error) {
	e, err := s.enter()
	if err != nil {
		return 0, nil, err
	}
	l := &loading{e: e, id: mailboxID{id, mailbox}}
	if err := l.begin(); err != nil {
		l.end()
		return 0, nil, err
	}
	return l.version, l.each, nil
}

// begin reads all but the rows and blocks.
func (l *loading) begin() (err error) {
	if l.rows, err = l.e.db.NewIter(nil); err != nil {
		return readError(err)
	}
	if l.version, err = l.find(); err != nil {
		return err
	}
	runs, _, err := readFlagLog(l.rows, l.id, flagLogKey(l.id), ^uint64(0))
	if err != nil {
		return err
	}
	l.log = newOverlay(runs)
	if l.gone, err = readTombstones(l.rows, l.id); err != nil {
		return err
	}
	prefix := mailboxKey(keyFlagBlock, l.id.account, l.id.mailbox)
	l.blocks, err = l.rows.Clone(pebble.CloneOptions{IterOptions: &pebble.IterOptions{LowerBound: prefix, UpperBound: prefix.after()}})
	if err != nil {
		return readError(err)
	}
	l.more = l.blocks.First()
	prefix = mailboxKey(keyRow, l.id.account, l.id.mailbox)
	l.rows.SetBounds(prefix, prefix.after())
	return nil
}

// find reads the account's version and whether the mailbox is there.
func (l *loading) find() (mail.Version, error) {
	var a accountRecord
	k := accountKey(keyAccount, l.id.account)
	if !l.rows.SeekGE(k) || string(l.rows.Key()) != string(k) {
		return 0, l.missing()
	}
	if err := a.decode(l.rows.Value()); err != nil {
		return 0, err
	}
	k = mailboxKey(keyMailbox, l.id.account, l.id.mailbox)
	if !l.rows.SeekGE(k) || string(l.rows.Key()) != string(k) {
		return 0, l.missing()
	}
	return a.version, nil
}

func (l *loading) missing() error {
	if err := l.rows.Error(); err != nil {
		return readError(err)
	}
	if _, err := l.e.readAccount(l.id.account); err != nil {
		return err
	}
	return mail.Errorf(mail.NotFound, "no such mailbox")
}

func (l *loading) end() {
	if l.blocks != nil {
		l.blocks.Close()
	}
	if l.rows != nil {
		l.rows.Close()
	}
	l.e.leave()
}

// each is the sequence that LoadMailbox returns.
func (l *loading) each(yield func(mail.Row, error) bool) {
	defer l.end()
	for ok := l.rows.First(); ok; ok = l.rows.Next() {
		row, there, err := l.row()
		if err != nil {
			yield(mail.Row{}, err)
			return
		}
		if there && !yield(row, nil) {
			return
		}
	}
	if err := l.rows.Error(); err != nil {
		yield(mail.Row{}, readError(err))
	}
}

// row reads the row that the iterator stands on.
func (l *loading) row() (row mail.Row, there bool, err error) {
	uid := lastU32(l.rows.Key())
	for len(l.gone) > 0 && l.gone[0].Last < uid {
		l.gone = l.gone[1:]
	}
	if len(l.gone) > 0 && l.gone[0].First <= uid {
		return row, false, nil
	}
	value, err := l.rows.ValueAndErr()
	if err != nil {
		return row, false, readError(err)
	}
	if row, err = decodeRow(mail.UID(uid), value); err != nil {
		return row, false, err
	}
	run := l.log.at(uid)
	if run == nil {
		if run, err = l.block(uid); err != nil {
			return row, false, err
		}
	}
	if run != nil && run.modSeq >= row.ModSeq {
		row.Flags, row.ModSeq = run.flags, run.modSeq
	}
	return row, true, nil
}

// block finds the run of a block that names the UID, or nil.
func (l *loading) block(uid uint32) (*flagRun, error) {
	for {
		for len(l.runs) > 0 && l.runs[0].Last < uid {
			l.runs = l.runs[1:]
		}
		if len(l.runs) > 0 {
			break
		}
		if !l.more {
			return nil, readError(l.blocks.Error())
		}
		number := lastU32(l.blocks.Key())
		if number > uid/blockUIDs {
			return nil, nil
		}
		value, err := l.blocks.ValueAndErr()
		if err != nil {
			return nil, readError(err)
		}
		if l.runs, err = decodeBlock(l.runs[:0], number*blockUIDs, value); err != nil {
			return nil, err
		}
		l.more = l.blocks.Next()
	}
	if l.runs[0].First > uid {
		return nil, nil
	}
	return &l.runs[0], nil
}
