package imap

import (
	"slices"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
)

// ownAnnotations are those that the command under way has set itself: the client is not told
// what it knows. Of one that it has taken away there is the name only.
type ownAnnotations []mail.Annotation

func (o *ownAnnotations) did(op mailbox.Op, r mailbox.Result) {
	switch op := op.(type) {
	case *mailbox.Annotate:
		for _, e := range op.Entries {
			n := mail.Annotation{Mailbox: op.Mailbox, Name: e.Name}
			if !e.Gone {
				n.ModSeq = r.ModSeq
			}
			*o = append(*o, n)
		}
	case *mailbox.Rename: // of INBOX: what has been copied
		*o = append(*o, mail.Annotation{Mailbox: r.Mailbox, ModSeq: r.ModSeq})
	}
}

func (o ownAnnotations) has(n mail.Annotation) bool {
	return slices.ContainsFunc(o, func(own mail.Annotation) bool {
		return own.Mailbox == n.Mailbox && own.ModSeq == n.ModSeq && (own.Name == n.Name || own.Name == "")
	})
}

// writeReannotated tells which entries have changed from one tree to another, without their
// values (RFC 5464 4.4.2), as far as they are wanted, and returns how many it has told.
func (s *session) writeReannotated(before, now *mailbox.Tree, own ownAnnotations, wants func(name string) bool) (told int) {
	at, wanted := ^mail.MailboxID(0), false
	for n := range now.Reannotated(before) {
		if own.has(n) {
			continue
		}
		if n.Mailbox != at {
			if wanted {
				s.w.CRLF()
			}
			at = n.Mailbox
			name := ""
			if at != 0 {
				name = nameOf(now, now.ByID(at))
			}
			if wanted = (at == 0 || name != "") && wants(name); wanted {
				s.depend(now.Ticket)
				s.w.Raw("* METADATA ").Mailbox(name)
			}
		}
		if wanted {
			s.w.SP().AString(n.Name)
			told++
		}
	}
	if wanted {
		s.w.CRLF()
	}
	return told
}

// metadataNews tells a client what others do to annotations, after ENABLE METADATA (RFC 5464
// 4.1). A client that has said in another way what it wants to be told of is told that only.
type metadataNews struct {
	watch *mailbox.Watch
	tree  *mailbox.Tree // whose annotations the client knows of
	own   ownAnnotations
}

func tellMetadata(s *session) {
	if !slices.ContainsFunc(s.companions, func(c companion) bool { _, ok := c.(*metadataNews); return ok }) {
		s.companions = append(s.companions, &metadataNews{watch: s.account.Watch(s.conn.wake), tree: s.account.Tree()})
	}
}

func (n *metadataNews) tell(s *session) {
	before, now, own := n.tree, s.account.Tree(), n.own
	n.tree, n.own = now, nil
	if before != now && s.listener == nil {
		s.writeReannotated(before, now, own, func(string) bool { return true })
	}
}

func (n *metadataNews) did(op mailbox.Op, r mailbox.Result) { n.own.did(op, r) }

func (n *metadataNews) close() { n.watch.Close() }
