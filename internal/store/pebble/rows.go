package pebble

import (
	"context"
	"iter"
	"sort"

	"github.com/cockroachdb/pebble/v2"

	"postfach/internal/mail"
)

// loading reads a mailbox: rows, less tombstones, under blocks of flags, under the log.
// All its iterators see the same moment.
type loading struct {
	e       *epoch
	id      mailboxID
	it      *pebble.Iterator
	mailbox mailboxRecord
	version mail.Version
	log     runs
	gone    mail.UIDSet
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
	var row mail.Row
	r.seek(0, uint32(mail.UIDMax))
	for r.next(&row) {
		if !yield(row, nil) {
			return
		}
	}
	if r.err != nil {
		yield(mail.Row{}, r.err)
	}
}

// rowReader reads one part of a mailbox after the other.
type rowReader struct {
	*loading
	rows, blocks *pebble.Iterator
	row, block   bool // they stand on the next one
	err          error

	// What is left of the loading's log and tombstones, and of the last block.
	newer, older runs
	dead         mail.UIDSet
	room         runs
}

func (l *loading) reader() (r *rowReader, err error) {
	r = &rowReader{loading: l}
	if r.rows, err = l.it.Clone(pebble.CloneOptions{}); err != nil {
		return nil, readError(err)
	}
	if r.blocks, err = l.it.Clone(pebble.CloneOptions{}); err != nil {
		r.rows.Close()
		return nil, readError(err)
	}
	return r, nil
}

func (r *rowReader) close() {
	r.rows.Close()
	r.blocks.Close()
}

// seek begins with the part from one UID to another, which is the first of a block.
func (r *rowReader) seek(first, last uint32) {
	bound := func(it *pebble.Iterator, kind byte, first, last uint32) bool {
		prefix := mailboxKey(kind, r.id.account, r.id.mailbox)
		it.SetBounds(append(key(nil), prefix...).u32(first), append(key(nil), prefix...).u32(last).after())
		return it.First()
	}
	r.row = bound(r.rows, keyRow, first, last)
	r.block = bound(r.blocks, keyFlagBlock, first/blockUIDs, last/blockUIDs)
	r.newer, r.older = r.log.from(first), nil
	i := sort.Search(len(r.gone), func(i int) bool { return r.gone[i].Last >= first })
	r.dead = r.gone[i:]
}

// next reads the next row of the part; false at its end, or with err.
func (r *rowReader) next(row *mail.Row) bool {
	for ; r.row; r.row = r.rows.Next() {
		uid := lastU32(r.rows.Key())
		for len(r.dead) > 0 && r.dead[0].Last < uid {
			r.dead = r.dead[1:]
		}
		if len(r.dead) > 0 && r.dead[0].First <= uid {
			continue
		}
		if r.err = r.read(uid, row); r.err != nil {
			return false
		}
		r.row = r.rows.Next()
		return true
	}
	r.err = readError(r.rows.Error())
	return false
}

// read reads the row that the iterator stands on.
func (r *rowReader) read(uid uint32, row *mail.Row) error {
	value, err := r.rows.ValueAndErr()
	if err != nil {
		return readError(err)
	}
	if *row, err = decodeRow(mail.UID(uid), value); err != nil {
		return err
	}
	run := r.newer.at(uid)
	if run == nil {
		if run, err = r.blockRun(uid); err != nil {
			return err
		}
	}
	if run != nil && run.modSeq >= row.ModSeq {
		row.Flags, row.ModSeq = run.flags, run.modSeq
	}
	return nil
}

// blockRun finds the run of a block that names the UID, or nil.
func (r *rowReader) blockRun(uid uint32) (*flagRun, error) {
	for {
		if run := r.older.at(uid); run != nil || len(r.older) > 0 {
			return run, nil
		}
		if !r.block {
			return nil, readError(r.blocks.Error())
		}
		number := lastU32(r.blocks.Key())
		if number > uid/blockUIDs {
			return nil, nil
		}
		value, err := r.blocks.ValueAndErr()
		if err != nil {
			return nil, readError(err)
		}
		if r.room, err = decodeBlock(r.room[:0], number*blockUIDs, value); err != nil {
			return nil, err
		}
		r.older = r.room
		r.block = r.blocks.Next()
	}
}
