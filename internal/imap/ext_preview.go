package imap

import (
	"postfach/internal/wire"
)

// extPreview shows how a message begins (RFC 8970). Package mime makes the text when a
// message arrives, so that it is mostly there.
var extPreview = family{
	name: "PREVIEW",
	rfc:  "RFC 8970",
	doc:  "FETCH tells how the text of a message begins.",
	capabilities: []capability{
		{word: "PREVIEW", when: loggedIn},
	},
	fetchItems: []fetchItem{
		{name: "PREVIEW", needs: needsStructure, fixed: true, parse: parsePreview, write: writePreview},
	},
}

// lazyPreview is asked for only if it need not be computed (RFC 8970 4.1).
var lazyPreview = fetchItem{name: "PREVIEW", needs: needsRecord, prepare: findPreview, write: writePreview}

// parsePreview reads the modifiers, of which there is one. Without LAZY a list in
// parentheses is none of PREVIEW's (RFC 4466 2.4.1).
func parsePreview(p *wire.Parser, a *fetchAtt) {
	if !p.TryText(" (LAZY") {
		return
	}
	for p.TrySP() {
		p.ExpectWord("LAZY")
	}
	p.Expect(')')
	a.fetchItem, a.needs = &lazyPreview, lazyPreview.needs
}

func findPreview(m *fetched, _ *fetchAtt) error {
	if m.structure == nil {
		m.structure = m.s.account.KnownStructure(m.s.ctx, m.record)
	}
	return nil
}

// writePreview writes the text; NIL only where that may be (RFC 8970 3.2).
func writePreview(m *fetched, _ *fetchAtt) {
	m.s.w.Raw("PREVIEW ")
	if m.structure == nil {
		m.s.w.NIL()
		return
	}
	m.s.w.String(m.structure.Preview)
}
