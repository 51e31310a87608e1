package pebble

import (
	"runtime"
	"sync"

	"postfach/internal/mail"
)

// A large mailbox is read in parts, by as many at once as there are processors, and yielded in
// order.

const (
	partRows       = 4096
	partReadersMax = 4
	partChunkRows  = 128
	partChunks     = 4 // of one reader
)

// chunk is some rows of a part.
type chunk struct {
	rows []mail.Row
	last bool // of its part
	err  error
}

// parts tells how many parts there are, and how many UIDs each spans: whole pages and blocks of
// flags.
func (l *loading) parts() (parts, span uint32) {
	n := uint64(max(l.mailbox.Messages, 1) / partRows)
	unit := uint64(max(blockUIDs, l.e.store.pageUIDs))
	each := (uint64(l.mailbox.UIDNext)/max(n, 1)/unit + 1) * unit
	return uint32(uint64(l.mailbox.UIDNext)/each + 1), uint32(min(each, uint64(mail.UIDMax)))
}

// together yields the rows of all parts.
func (l *loading) together(parts, span uint32, yield func(mail.Row, error) bool) {
	readers := min(uint32(runtime.GOMAXPROCS(0)), parts, partReadersMax)
	full, free := make([]chan chunk, readers), make([]chan []mail.Row, readers)
	stop := make(chan struct{})
	var group sync.WaitGroup
	defer group.Wait()
	defer close(stop)
	for i := range readers {
		full[i], free[i] = make(chan chunk, partChunks), make(chan []mail.Row, partChunks)
		for range partChunks {
			free[i] <- make([]mail.Row, 0, partChunkRows)
		}
		group.Go(func() {
			defer close(full[i])
			err := l.readParts(i, parts, readers, span, full[i], free[i], stop)
			if err != nil {
				full[i] <- chunk{err: err} // as many as are free, it has room
			}
		})
	}
	for part := range parts {
		from := part % readers
		for last := false; !last; {
			c := <-full[from]
			if c.err != nil {
				yield(mail.Row{}, c.err)
				return
			}
			for i := range c.rows {
				if !yield(c.rows[i], nil) {
					return
				}
			}
			free[from] <- c.rows[:0]
			last = c.last
		}
	}
}

// readParts reads every so manyth part.
func (l *loading) readParts(part, parts, step, span uint32, full chan<- chunk, free <-chan []mail.Row, stop <-chan struct{}) error {
	r, err := l.reader()
	if err != nil {
		return err
	}
	defer r.close()
	for ; part < parts; part += step {
		first := uint64(part) * uint64(span)
		r.seek(uint32(first), uint32(min(first+uint64(span)-1, uint64(mail.UIDMax))))
		for more := true; more; {
			var rows []mail.Row
			select {
			case rows = <-free:
			case <-stop:
				return nil
			}
			for more && len(rows) < cap(rows) {
				n := r.fill(rows[len(rows):cap(rows)])
				rows, more = rows[:len(rows)+n], n > 0
			}
			if r.err != nil {
				return r.err
			}
			full <- chunk{rows: rows, last: !more}
		}
	}
	return nil
}
