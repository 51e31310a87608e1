package pebble

import "sync"

// keptPage is a page that is read instead of rows.
type keptPage struct {
	number      uint32
	first, last uint32 // UIDs
}

// findPages reads the pages, and does not trust them: a page that was not dropped with a row would
// show mail that is gone. Nobody adds rows to the UIDs of a page, so that it is enough to count:
// when the pages and the rows in none of them are not as many as the mailbox has messages,
// there are no pages.
func (l *loading) findPages() error {
	l.asks = true
	if uint32(l.mailbox.UIDNext) < l.e.store.pageUIDs {
		return nil
	}
	var p page
	messages := int64(0)
	err := scan(l.it, pagesKey(l.id), func(k, v []byte) error {
		number := lastU32(k)
		first, last := l.e.pageEnds(number)
		if n, ok := p.living(k, v, first, last, goneFrom(l.gone, first)); ok {
			messages += int64(n)
			l.pages = append(l.pages, keptPage{number, first, last})
		}
		return nil
	})
	if err != nil || len(l.pages) == 0 {
		return err
	}
	from := uint64(0)
	for _, p := range l.pages {
		if from < uint64(p.first) {
			messages += l.count(uint32(from), p.first-1)
		}
		from = uint64(p.last) + 1
	}
	if from < uint64(l.mailbox.UIDNext) {
		messages += l.count(uint32(from), uint32(l.mailbox.UIDNext)-1)
	}
	if messages != l.mailbox.Messages {
		l.pages, l.wrong = nil, true
	}
	return readError(l.it.Error())
}

// count counts rows that are not gone.
func (l *loading) count(first, last uint32) (n int64) {
	gone := goneFrom(l.gone, first)
	for ok := bound(l.it, keyRow, l.id, first, last); ok; ok = l.it.Next() {
		uid := lastU32(l.it.Key())
		for len(gone) > 0 && gone[0].Last < uid {
			gone = gone[1:]
		}
		if len(gone) == 0 || gone[0].First > uid {
			n++
		}
	}
	return n
}

// seenRows is what readers of a mailbox have seen: whether it has as many messages as it should,
// and which pages would have helped.
type seenRows struct {
	mu      sync.Mutex // when readers end
	living  int64
	missing []uint32

	number uint32 // of the page of the last row that was in none
	rows   int    // of it
	closed bool   // no more rows can come to it
	enough int
}

// row notes one that is in no page.
func (s *seenRows) row(l *loading, uid uint32) {
	if number := uid / l.e.store.pageUIDs; number != s.number || s.rows == 0 {
		s.turn()
		s.number = number
		_, last := l.e.pageEnds(number)
		s.closed, s.enough = last < uint32(l.mailbox.UIDNext), l.e.pageRowsMin()
	}
	s.rows++
}

// turn notes that other rows follow.
func (s *seenRows) turn() {
	if s.closed && s.rows >= s.enough {
		s.missing = append(s.missing, s.number)
	}
	s.rows, s.closed = 0, false
}

// add adds what one reader has seen.
func (s *seenRows) add(one *seenRows) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.living += one.living
	s.missing = append(s.missing, one.missing...)
}

// wantPages asks for the pages that were missing, when all rows have been read and are as many as
// they should be.
func (l *loading) wantPages() {
	if l.asks && l.seen.living == l.mailbox.Messages {
		l.e.wantPages(pagesWanted{l.id, l.seen.missing, l.wrong})
	}
}
