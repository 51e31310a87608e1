package pebble

import (
	"context"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"postfach/internal/mail"
)

// foldRanges is how many ranges a log of flags may hold, whatever its records.
const foldRanges = 16 << 10

// overgrown tells whether one of a mailbox's logs should be folded.
func (e *epoch) overgrown(m *mailboxRecord) bool {
	return m.logRecords >= e.store.folds || m.logRanges >= foldRanges || longHistory(m)
}

// longHistory leaves some room above the limit, so that merging is worth its cost.
func longHistory(m *mailboxRecord) bool {
	return m.expungeRanges >= mail.ExpungedRangesMax+mail.ExpungedRangesMax/4
}

// folder folds logs and makes pages, behind the commits' back and one at a time.
func (e *epoch) folder() {
	defer close(e.folded)
	for {
		select {
		case <-e.stop:
			return
		case <-e.fence.broken:
			return
		case id := <-e.folds:
			if err := e.foldAll(id); err != nil && !mail.Is(err, mail.NotFound) {
				e.store.env.Log.Error("folding a mailbox", "account", id.account, "mailbox", id.mailbox, "err", err)
			}
		case w := <-e.pages:
			if err := e.makePages(w); err != nil && !gone(err) {
				e.store.env.Log.Error("making pages of a mailbox", "account", w.id.account, "mailbox", w.id.mailbox, "err", err)
			}
		}
	}
}

// foldAll folds what has grown too long in one mailbox.
func (e *epoch) foldAll(id mailboxID) error {
	e.tidy.Lock()
	defer e.tidy.Unlock()
	m, err := e.readMailbox(id.account, id.mailbox)
	if err != nil {
		return err
	}
	it, err := e.db.NewIter(nil)
	if err != nil {
		return readError(err)
	}
	defer it.Close()
	if m.logRecords >= e.store.folds || m.logRanges >= foldRanges {
		b, part, err := e.foldFlags(it, id)
		if err == nil && b != nil {
			err = e.finishFold(id, b, func(m *mailboxRecord) { m.logRecords -= part.records; m.logRanges -= part.ranges })
			if err == nil {
				e.foldMarks.of(id).from = part.end
			}
		}
		if err != nil {
			return err
		}
	}
	if longHistory(&m) {
		b, part, err := e.shortenHistory(it, id, m.expungeRanges)
		if err == nil && b != nil {
			err = e.finishFold(id, b, func(m *mailboxRecord) { m.expungeRanges -= part.ranges })
		}
		return err
	}
	return nil
}

// finishFold applies a fold together with the mailbox's new counts. Records of a log are
// never changed, so that only the counts need the account's lock.
func (e *epoch) finishFold(id mailboxID, b *pebble.Batch, less func(*mailboxRecord)) error {
	lock, err := e.locks.lock(context.Background(), id.account)
	if err == nil {
		defer lock.unlock()
		var m mailboxRecord
		if m, err = e.readMailbox(id.account, id.mailbox); err == nil {
			less(&m)
			b.Set(mailboxKey(keyMailbox, id.account, id.mailbox), m.encode(nil), nil)
			changed := lock.changes()
			_, err = e.write(b)
			changed(nil)
			return err
		}
	}
	b.Close()
	return err
}

// foldFlags makes blocks of the flags log that is there now, and deletes it.
func (e *epoch) foldFlags(it *pebble.Iterator, id mailboxID) (*pebble.Batch, logPart, error) {
	from := e.foldMarks.of(id).from
	log, part, err := readFlagLog(it, id, from)
	if err != nil || part.records == 0 {
		return nil, part, err
	}
	b := e.db.NewBatch()
	var old, folded runs
	var value []byte
	for pieces := piecesOf(log); len(pieces) > 0; {
		number := pieces[0].block()
		k := mailboxKey(keyFlagBlock, id.account, id.mailbox).u32(number)
		old = old[:0]
		if _, err := e.read(k, func(v []byte) (err error) {
			old, err = decodeBlock(old, number*blockUIDs, v)
			return err
		}); err != nil {
			b.Close()
			return nil, part, err
		}
		var block paintedBlock
		block.paint(number, old)
		for len(pieces) > 0 && pieces[0].block() == number {
			block.paint(number, log[pieces[0].index():][:1])
			pieces = pieces[1:]
		}
		folded = block.runs(folded[:0], number)
		value = blockValue(value[:0], number*blockUIDs, folded)
		b.Set(k, value, nil)
	}
	b.DeleteRange(from, part.end, nil)
	return b, part, nil
}

// piece is the part of a log's range that lies in one block: the block's number, above the
// range's place in the log. So pieces sort by block, and in a block by time.
type piece uint64

func (p piece) block() uint32 { return uint32(p >> 32) }
func (p piece) index() uint32 { return uint32(p) }

func piecesOf(log []flagRun) []piece {
	pieces := make([]piece, 0, len(log))
	for i, r := range log {
		for number := r.First / blockUIDs; number <= r.Last/blockUIDs; number++ {
			pieces = append(pieces, piece(number)<<32|piece(i))
		}
	}
	slices.Sort(pieces)
	return pieces
}

// foldMarks remember where the logs begin of mailboxes that were folded not long ago. Before
// that there is nothing but what has been deleted, and to find that out costs as much as
// reading it. They are the folder's.
type foldMarks [64]foldMark

type foldMark struct {
	id   mailboxID
	from key
}

// of returns a mailbox's mark.
func (f *foldMarks) of(id mailboxID) *foldMark {
	m := &f[(uint64(id.account)+uint64(id.mailbox))%uint64(len(f))]
	if m.id != id || m.from == nil {
		*m = foldMark{id, flagLogKey(id)}
	}
	return m
}

// paintedBlock is what the UIDs of a block were set to; a ModSeq of zero is nothing.
type paintedBlock [blockUIDs]struct {
	flags  mail.Flags
	modSeq mail.ModSeq
}

// paint lays runs over what is there, each over those before it.
func (p *paintedBlock) paint(number uint32, list []flagRun) {
	first := number * blockUIDs
	for _, r := range list {
		from, to := max(r.First, first)-first, min(r.Last, first+blockUIDs-1)-first
		for i := from; i <= to; i++ {
			p[i].flags, p[i].modSeq = r.flags, r.modSeq
		}
	}
}

// runs appends the runs of UIDs that were set to the same.
func (p *paintedBlock) runs(list runs, number uint32) runs {
	for i := range uint32(blockUIDs) {
		uid := number*blockUIDs + i
		switch {
		case p[i].modSeq == 0:
		case i > 0 && p[i] == p[i-1]:
			list[len(list)-1].Last = uid
		default:
			list = append(list, flagRun{Range: mail.Range{First: uid, Last: uid}, flags: p[i].flags, modSeq: p[i].modSeq})
		}
	}
	return list
}
