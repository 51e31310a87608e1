package imap

import (
	"slices"
	"strings"

	"postfach/internal/mailbox"
	"postfach/internal/wire"
)

// filterKind is how a filter says which mailboxes it is about (RFC 5465 6).
type filterKind uint8

const (
	filterAll filterKind = iota
	filterSubscribed
	filterSubtree
	filterSubtreeOne // RFC 7377 2.2
	filterMailboxes
)

// mailboxFilter says which mailboxes are meant, the selected one apart (RFC 5465 8,
// filter-mailboxes-other).
type mailboxFilter struct {
	kind  filterKind
	names []string // sorted
}

// parseMailboxFilter reads what follows the name of a filter.
func parseMailboxFilter(p *wire.Parser, name string) (f mailboxFilter) {
	switch name {
	case "PERSONAL", "INBOXES":
		// RFC 5465 6.3: mail may be delivered anywhere, so that they are all inboxes.
	case "SUBSCRIBED":
		f.kind = filterSubscribed
	case "SUBTREE":
		f.kind = filterSubtree
		f.names = parseFilterNames(p)
	case "MAILBOXES":
		f.kind = filterMailboxes
		f.names = parseFilterNames(p)
	default:
		p.Fail("a filter for mailboxes")
	}
	return f
}

// parseFilterNames reads the name of a mailbox, or several. Wildcards are letters like others
// (RFC 5465 6.6).
func parseFilterNames(p *wire.Parser) []string {
	p.SP()
	if !p.Try('(') {
		return []string{mailboxName(p)}
	}
	var names []string
	for more := true; more; more = p.TrySP() {
		names = append(names, mailboxName(p))
	}
	p.Expect(')')
	slices.Sort(names)
	return names
}

// covers tells whether a filter is about a name. It is subscribed when it is in any of the
// trees.
func (f *mailboxFilter) covers(name string, trees ...*mailbox.Tree) bool {
	switch f.kind {
	case filterSubscribed:
		return slices.ContainsFunc(trees, func(t *mailbox.Tree) bool { return t.Subscribed(name) })
	case filterMailboxes:
		return f.has(name)
	case filterSubtreeOne:
		i := strings.LastIndexByte(name, mailbox.Delimiter)
		return f.has(name) || i >= 0 && f.has(name[:i])
	case filterSubtree:
		for i := range len(name) {
			if name[i] == mailbox.Delimiter && f.has(name[:i]) {
				return true
			}
		}
		return f.has(name)
	}
	return true
}

func (f *mailboxFilter) has(name string) bool {
	_, ok := slices.BinarySearch(f.names, name)
	return ok
}
