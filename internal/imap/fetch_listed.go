package imap

import (
	"bytes"
	"context"
	"slices"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/search"
	"postfach/internal/wire"
)

// listings are what all sessions know of messages.
type listings struct {
	known  *search.Memory // *knownListing, by listingKey; nil: listings are not used
	saving chan struct{}  // has room for those that are being written in the background
}

// knownListing is a listing in memory.
type knownListing struct {
	listing
	read bool // what the store has is in it
}

// savingMax is how many blocks are written in the background at the same time. Who has
// more writes them itself.
const savingMax = 4

func newListings(bytesMax int64) listings {
	if bytesMax < 0 {
		return listings{}
	}
	return listings{known: search.NewMemory(bytesMax), saving: make(chan struct{}, savingMax)}
}

func (k *listings) keep(key listingKey, l listing, read bool) {
	k.known.Put(key, &knownListing{l, read}, int64(cap(l)))
}

func (k *listings) get(key listingKey) (l listing, read bool) {
	if v, ok := k.known.Get(key).(*knownListing); ok {
		return v.listing, v.read
	}
	return nil, false
}

// lister finds what a FETCH has to tell in listings, and adds to them what they lack. All
// that it needs of a message is there, or the message is opened.
type lister struct {
	q       *fetchRequest
	m       *fetched
	columns []*column
	number  uint64 // of the block at hand
	begun   bool   // there is one
	few     bool   // so few messages are asked for that a block is worth reading or writing for none
	highest uint64 // a block behind which there are hardly any others
	ahead   []*reading

	rendered bytes.Buffer
	renderer *wire.Writer // to rendered
	fields   fieldPicker
}

// column is a kind of texts.
type column struct {
	item *fetchItem // which writes them; nil: they are header fields
	key  listingKey
	page listing // of the block at hand
	read bool    // it has what the store has
	more []learnt
	text []byte // of the message at hand
}

// fewMessages is up to how many messages are few.
const fewMessages = 16

// newLister makes a lister, if it would be of use: all that has to be read for the items
// must be of a kind that listings have.
func (q *fetchRequest) newLister(s *session, ranges []mail.Range) *lister {
	if q.needs == 0 || s.server.listings.known == nil {
		return nil
	}
	l := &lister{q: q, m: &q.message}
	l.renderer = wire.NewWriter(&l.rendered)
	l.renderer.QuotedUTF8 = s.w.QuotedUTF8
	for i := range q.items {
		a := &q.items[i]
		b, _ := a.args.(*bodySection)
		switch {
		case a.needs == 0:
		case a.fixed:
			a.column = l.column(a.fetchItem, a.name+s.rendering())
		case b != nil && b.listable():
			b.writeName(l.renderer)
			b.label = l.take(l.renderer.SP())
			a.column = l.column(nil, fieldsColumn)
		default:
			return nil
		}
	}
	messages := uint32(0)
	for _, r := range ranges {
		messages += min(r.Last-r.First, s.view.Exists()) + 1
	}
	l.few = messages <= fewMessages || s.view.Exists() <= fewMessages
	if !l.few {
		s.view.Each([]mail.Range{{First: s.view.Exists(), Last: s.view.Exists()}}, func(r *mailbox.Row) bool {
			l.highest, _ = mailbox.BlockOf(r.Fixed.Message)
			return true
		})
	}
	return l
}

// rendering names what the texts that the session is told depend on besides the message.
func (s *session) rendering() string {
	switch {
	case s.rev2:
		return "+rev2"
	case s.w.QuotedUTF8:
		return "+utf8"
	}
	return ""
}

// column returns the column of a name.
func (l *lister) column(item *fetchItem, name string) *column {
	for _, c := range l.columns {
		if c.key.column == name {
			return c
		}
	}
	c := &column{item: item, key: listingKey{owner: ownerOf(l.q.message.s.account), column: name}}
	l.columns = append(l.columns, c)
	return c
}

// take returns what has been rendered, in memory of its own.
func (l *lister) take(w *wire.Writer) []byte {
	l.rendered.Reset()
	_ = w.Flush()
	return bytes.Clone(l.rendered.Bytes())
}

// look finds out whether all is known of the message at hand.
func (l *lister) look() error {
	number, place := mailbox.BlockOf(l.m.row.Fixed.Message)
	if number != l.number || !l.begun {
		if err := l.turn(number); err != nil {
			return err
		}
	}
	for _, c := range l.columns {
		text, state := c.page.find(place)
		if state != textKnown {
			return nil
		}
		c.text = text
	}
	l.q.progress.done++
	l.m.listed = true
	return nil
}

// turn goes on to another block.
func (l *lister) turn(number uint64) error {
	l.finish()
	s := l.m.s
	if s.ctx.Err() != nil {
		return mail.Wrap(mail.Unavailable, s.ctx.Err())
	}
	if err := l.q.progress.look(l.q.progress.done); err != nil {
		return err
	}
	l.number, l.begun = number, true
	all := true
	for _, c := range l.columns {
		c.key.number = number
		c.page, c.read = s.server.listings.get(c.key)
		all = all && c.read
	}
	if !all && !l.few {
		l.readBlock()
	}
	return nil
}

// close ends the use of the lister.
func (l *lister) close() {
	l.finish()
	for i := range l.q.items {
		a := &l.q.items[i]
		a.column = nil
		if b, ok := a.args.(*bodySection); ok {
			b.label = nil
		}
	}
}

// finish adds what was learnt of a block to what is known, and has it written unless that
// is much work for few texts. Only those that are new here are added to what the store has: what
// is in memory may be about messages that have been freed meanwhile.
func (l *lister) finish() {
	for _, c := range l.columns {
		if len(c.more) == 0 {
			continue
		}
		srv, known := l.m.s.server, c.page.known()
		srv.listings.keep(c.key, c.page.with(c.more), c.read)
		if !l.few && (len(c.more) > fewMessages || 4*len(c.more) > known) {
			l.save(c.key, c.more)
		}
		c.more = nil
	}
}

// save writes texts to the store, in the background as long as not too many do.
func (l *lister) save(key listingKey, more []learnt) {
	s := l.m.s
	srv, account, ticket, saving := s.server, s.account, s.view.Ticket(), s.server.listings.saving
	save := func(ctx context.Context) {
		err := account.ChangeBlock(ctx, ticket, key.number, key.column, func(old []byte) []byte {
			return key.seal(key.open(old).with(more))
		})
		if err != nil && ctx.Err() == nil {
			srv.env.Log.Warn("could not keep a listing", "account", account.ID, "err", err)
		}
	}
	select {
	case saving <- struct{}{}:
		srv.background(s.ctx, func(ctx context.Context) {
			defer func() { <-saving }()
			save(ctx)
		})
	default:
		save(s.ctx)
	}
}

// reading is a block that is being read from the store.
type reading struct {
	number uint64
	pages  []listing // of each column
	done   chan struct{}
}

// aheadMax is how many blocks are read before they are wanted.
const aheadMax = 4

// readBlock reads what the store has of the block at hand, and begins to read those that will
// be wanted next: a client that lists one block mostly lists them all.
func (l *lister) readBlock() {
	l.ahead = slices.DeleteFunc(l.ahead, func(r *reading) bool { return r.number < l.number })
	for n := l.number; n <= min(l.number+aheadMax, max(l.number, l.highest)); n++ {
		if !slices.ContainsFunc(l.ahead, func(r *reading) bool { return r.number == n }) && l.lacks(n) {
			l.ahead = append(l.ahead, l.begin(n))
		}
	}
	i := slices.IndexFunc(l.ahead, func(r *reading) bool { return r.number == l.number })
	if i < 0 {
		return // another session has just read it
	}
	r := l.ahead[i]
	select {
	case <-r.done:
	case <-l.m.s.ctx.Done():
		return
	}
	for i, c := range l.columns {
		if c.read {
			continue
		}
		c.page, c.read = r.pages[i].and(c.page), true
		l.m.s.server.listings.keep(c.key, c.page, true)
	}
}

// lacks tells whether a block has not been read yet.
func (l *lister) lacks(number uint64) bool {
	return slices.ContainsFunc(l.columns, func(c *column) bool {
		key := c.key
		key.number = number
		_, read := l.m.s.server.listings.get(key)
		return !read
	})
}

// begin begins to read a block. What can't be read is as if it were not there.
func (l *lister) begin(number uint64) *reading {
	r := &reading{number: number, pages: make([]listing, len(l.columns)), done: make(chan struct{})}
	account := l.m.s.account
	var keys []listingKey
	for _, c := range l.columns {
		key := c.key
		key.number = number
		keys = append(keys, key)
	}
	l.m.s.server.background(l.m.s.ctx, func(ctx context.Context) {
		defer close(r.done)
		for i, key := range keys {
			if b, err := account.Block(ctx, number, key.column); err == nil {
				r.pages[i] = key.open(b)
			}
		}
	})
	return r
}

// learn renders what is not known of the message at hand, which has been opened.
func (l *lister) learn() error {
	_, place := mailbox.BlockOf(l.m.row.Fixed.Message)
	all := true
	for _, c := range l.columns {
		text, state := c.page.find(place)
		if state == textUnknown {
			var err error
			if text, err = l.render(c); err != nil {
				return err
			}
			state = textKnown
			if text == nil || len(text) > listingTextMax {
				text, state = nil, textLong
			}
			c.more = append(c.more, learnt{place, state, text})
		}
		c.text = text
		all = all && state == textKnown
	}
	l.m.listed = all
	return nil
}

// render makes the text of a column.
func (l *lister) render(c *column) ([]byte, error) {
	if c.item == nil {
		return l.fields.pick(l.m)
	}
	s := l.m.s
	defer func(w *wire.Writer) { s.w = w }(s.w)
	s.w = l.renderer
	c.item.write(l.m, nil)
	return l.take(l.renderer), l.renderer.Err()
}

// write writes the text of the message at hand.
func (c *column) write(w *wire.Writer, a *fetchAtt) {
	if c.item != nil {
		w.Bytes(c.text)
		return
	}
	writePicked(w, a.args.(*bodySection), c.text)
}
