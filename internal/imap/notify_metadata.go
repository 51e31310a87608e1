package imap

import "postfach/internal/mailbox"

// tellMetadata tells which annotations have changed (RFC 5465 5.6, 5.7), false when that is too
// much. ENABLE METADATA is not needed for it.
func (n *notify) tellMetadata(s *session, before, now *mailbox.Tree) bool {
	told := s.writeReannotated(before, now, n.own.annotations, func(name string) bool {
		if name != "" {
			return n.events(name, before, now)&eventMailboxMetadata != 0
		}
		for i := range n.groups { // the server is no mailbox of any of them
			if n.groups[i].events&eventServerMetadata != 0 {
				return true
			}
		}
		return false
	})
	return told <= s.server.limits.NamesAtOnceMax
}
