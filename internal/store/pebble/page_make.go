package pebble

import (
	"context"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"postfach/internal/mail"
)

// pagesWanted are pages of a mailbox that should be made.
type pagesWanted struct {
	id      mailboxID
	numbers []uint32
	wrong   bool // those that there are, are not right: they go first
}

// wantPages tells the folder about pages.
func (e *epoch) wantPages(w pagesWanted) {
	if len(w.numbers) == 0 && !w.wrong {
		return
	}
	select {
	case e.pages <- w:
	default: // it is busy: who reads the rows asks again
	}
}

// fullPage is a page to which no more rows can come.
type fullPage struct {
	mailbox mail.MailboxID
	number  uint32
}

// wantPages tells the folder about pages that have become full.
func (w *commit) wantPages() {
	for _, p := range w.full {
		w.e.wantPages(pagesWanted{id: mailboxID{w.Account, p.mailbox}, numbers: []uint32{p.number}})
	}
}

// gone tells whether an error says that there is nothing more to be done in an account.
func gone(err error) bool {
	return mail.Is(err, mail.NotFound) || mail.Is(err, mail.Elsewhere) || mail.Is(err, mail.Away)
}

// makePages makes one page after the other, as long as the epoch has not ended.
func (e *epoch) makePages(w pagesWanted) error {
	if w.wrong {
		if err := e.dropPages(w.id); err != nil {
			return err
		}
	}
	for _, number := range w.numbers {
		select {
		case <-e.stop:
			return nil
		case <-e.fence.broken:
			return nil
		default:
		}
		if err := e.makePage(w.id, number); err != nil {
			return err
		}
	}
	return nil
}

// page runs a write of pages of a mailbox that is there and takes commits. Nobody else changes
// the account meanwhile, nor frees rows of it.
func (e *epoch) page(id mailboxID, fill func(*mailboxRecord, *pebble.Batch) error) error {
	e.tidy.Lock()
	defer e.tidy.Unlock()
	lock, err := e.locks.lock(context.Background(), id.account)
	if err != nil {
		return err
	}
	defer lock.unlock()
	if _, err := e.writable(id.account); err != nil {
		return err
	}
	m, err := e.readMailbox(id.account, id.mailbox)
	if err != nil {
		return err
	}
	b := e.db.NewBatch()
	if err := fill(&m, b); err != nil || b.Empty() {
		b.Close()
		return err
	}
	_, err = e.write(b)
	return err
}

func (e *epoch) dropPages(id mailboxID) error {
	return e.page(id, func(_ *mailboxRecord, b *pebble.Batch) error { return dropPages(b, id) })
}

func dropPages(b *pebble.Batch, id mailboxID) error {
	prefix := pagesKey(id)
	return b.DeleteRange(prefix, prefix.after(), nil)
}

// makePage makes a page, unless it is there, or rows may still come to it, or are too few.
func (e *epoch) makePage(id mailboxID, number uint32) error {
	return e.page(id, func(m *mailboxRecord, b *pebble.Batch) error {
		first, last := e.pageEnds(number)
		if uint32(m.UIDNext) <= last {
			return nil
		}
		k, whole := pageKey(id, number), false
		found, err := e.read(k, func(value []byte) error {
			_, whole = new(page).living(k, value, first, last, nil)
			return nil
		})
		if err != nil || whole {
			return err
		}
		rows, err := e.readRows(id, first, last)
		switch {
		case err != nil:
			return err
		case len(rows) >= e.pageRowsMin():
			return b.Set(k, pageValue(k, rows), nil)
		case found:
			return b.Delete(k, nil)
		}
		return nil
	})
}

// pageEnds returns the first and last UID of a page.
func (e *epoch) pageEnds(number uint32) (first, last uint32) {
	span := e.store.pageUIDs
	return number * span, number*span + span - 1
}

func (e *epoch) pageRowsMin() int { return max(1, int(e.store.pageUIDs)*pageRowsMin/pageUIDs) }

// readRows reads rows as they came, those of expunged messages too.
func (e *epoch) readRows(id mailboxID, first, last uint32) (rows []mail.Row, err error) {
	prefix := mailboxKey(keyRow, id.account, id.mailbox)
	e.walk(prefix, slices.Clone(prefix).u32(first), func(k, v []byte, failed error) bool {
		if err = failed; err != nil || lastU32(k) > last {
			return false
		}
		var row mail.Row
		if row, err = decodeRow(mail.UID(lastU32(k)), v); err == nil {
			rows = append(rows, row)
		}
		return err == nil
	})
	return rows, err
}
