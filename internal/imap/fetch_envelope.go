package imap

import (
	"postfach/internal/mime"
	"postfach/internal/wire"
)

func writeEnvelopeItem(m *fetched, _ *fetchAtt) {
	m.s.w.Raw("ENVELOPE ")
	writeEnvelope(m.s.w, m.structure.Envelope)
}

// writeEnvelope writes an envelope (RFC 9051 7.5.2, and 9, envelope).
func writeEnvelope(w *wire.Writer, e *mime.Envelope) {
	w.Byte('(')
	writeOptional(w, e.Date)
	w.SP()
	writeOptional(w, e.Subject)
	for _, list := range [...][]mime.Address{e.From, e.Sender, e.ReplyTo, e.To, e.Cc, e.Bcc} {
		w.SP()
		writeAddresses(w, list)
	}
	w.SP()
	writeOptional(w, e.InReplyTo)
	w.SP()
	writeOptional(w, e.MessageID)
	w.Byte(')')
}

// writeOptional writes a string or, for nil, NIL.
func writeOptional(w *wire.Writer, s *string) {
	if s == nil {
		w.NIL()
	} else {
		w.String(*s)
	}
}

// writeNString writes a string or, for the empty one, NIL.
func writeNString(w *wire.Writer, s string) {
	if s == "" {
		w.NIL()
	} else {
		w.String(s)
	}
}

// writeAddresses writes addresses without anything between them (RFC 9051 9,
// env-from).
func writeAddresses(w *wire.Writer, list []mime.Address) {
	if len(list) == 0 {
		w.NIL()
		return
	}
	w.Byte('(')
	for i := range list {
		writeAddress(w, &list[i])
	}
	w.Byte(')')
}

// writeAddress writes name, route, mailbox and host. Without a host it begins a
// group, without a mailbox too it ends one; an address that lacks either has it as
// the empty string.
func writeAddress(w *wire.Writer, a *mime.Address) {
	switch a.Kind {
	case mime.GroupStart:
		w.Raw("(NIL NIL ").String(a.Mailbox).Raw(" NIL)")
	case mime.GroupEnd:
		w.Raw("(NIL NIL NIL NIL)")
	default:
		w.Byte('(')
		writeNString(w, a.Name)
		w.SP()
		writeNString(w, a.Route)
		w.SP().String(a.Mailbox).SP().String(a.Host).Byte(')')
	}
}
