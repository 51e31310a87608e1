package imap

import (
	"postfach/internal/wire"
)

// fetchItem is a data item of FETCH (RFC 9051 6.4.5).
type fetchItem struct {
	name  string // as the client says it, in capitals, up to a "["
	needs fetchNeeds
	seen  bool // asking for it sets \Seen
	// fixed: what is written of a message never changes, and has no arguments. Listings keep it.
	fixed bool
	// begins is called before a command that asks for it does anything. nil: nothing to do.
	begins func(s *session)
	// parse reads what follows the name. It may choose another item and other needs,
	// and keeps what write will want in a.args. nil: nothing follows.
	parse func(p *wire.Parser, a *fetchAtt)
	// prepare does all that can fail, before the first byte of the message's
	// response is written. nil: nothing can.
	prepare func(m *fetched, a *fetchAtt) error
	// write writes the name and the data.
	write func(m *fetched, a *fetchAtt)
}

// fetchNeeds is what has to be opened before an item can be written. What needs
// nothing is answered from memory.
type fetchNeeds uint8

const (
	needsRecord    fetchNeeds = 1 << iota // fetched.record, which the others need too
	needsStructure                        // fetched.structure
	needsBody                             // fetched.body
)

// fetchAtt is an item that a command asks for (RFC 9051 9, fetch-att).
type fetchAtt struct {
	*fetchItem
	needs  fetchNeeds
	args   any     // what parse read
	column *column // of the lister; nil: there is none, or nothing is needed
}

const (
	fetchItemsMax   = 100 // of one command
	headerNamesMax  = 500 // of one HEADER.FIELDS
	sectionPartsMax = 100 // numbers of one section
)

// fetchTable finds an item by its name.
var fetchTable = map[string]*fetchItem{}

func init() {
	for _, f := range families {
		for i := range f.fetchItems {
			fetchTable[f.fetchItems[i].name] = &f.fetchItems[i]
		}
	}
}

// fetchMacros stand for several items (RFC 9051 6.4.5).
var fetchMacros = map[string][]string{
	"FAST": {"FLAGS", "INTERNALDATE", "RFC822.SIZE"},
	"ALL":  {"FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE"},
	"FULL": {"FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY"},
}

// parseItems reads one item, a macro, or items in parentheses.
func (q *fetchRequest) parseItems(p *wire.Parser) {
	if p.Try('(') {
		for ok := true; ok; ok = p.TrySP() {
			q.parseItem(p)
		}
		p.Expect(')')
		return
	}
	var room [40]byte
	names := fetchMacros[string(appendUpper(room[:0], p.PeekWord()))]
	if names == nil {
		q.parseItem(p)
		return
	}
	p.Word()
	if p.Peek() == '[' {
		p.Fail("SP or CRLF") // a macro has no section
	}
	for _, name := range names {
		q.parseArguments(p, fetchTable[name])
	}
}

func (q *fetchRequest) parseItem(p *wire.Parser) {
	var room [40]byte
	item := fetchTable[string(appendUpper(room[:0], p.PeekWord()))]
	if item == nil {
		p.Fail("a data item that this server knows")
		return
	}
	if len(q.items) >= fetchItemsMax {
		p.Fail("at most 100 data items")
		return
	}
	p.Word()
	q.parseArguments(p, item)
}

// parseArguments adds an item, once when nothing but its name tells it from
// another.
func (q *fetchRequest) parseArguments(p *wire.Parser, item *fetchItem) {
	q.items = append(q.items, fetchAtt{fetchItem: item, needs: item.needs})
	last := len(q.items) - 1
	a := &q.items[last]
	if item.parse != nil {
		item.parse(p, a)
	}
	for i := range q.items[:last] {
		if a.args == nil && q.items[i].fetchItem == a.fetchItem {
			q.items = q.items[:last]
			return
		}
	}
	if a.begins != nil {
		q.begins = append(q.begins, a.begins)
	}
	q.needs |= a.needs
	q.seen = q.seen || a.seen
}

// asksFor tells whether an item without arguments is among those that are asked for.
func (q *fetchRequest) asksFor(item *fetchItem) bool {
	for i := range q.items {
		if q.items[i].fetchItem == item {
			return true
		}
	}
	return false
}
