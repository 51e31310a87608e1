package mailbox

import (
	"crypto/sha256"
	"encoding/binary"

	"postfach/internal/mail"
	"postfach/internal/mime"
)

// threadOf names the conversation that a message belongs to by what its own headers say
// was the first message of it, so that it does not depend on what else has arrived, or when,
// and never changes (RFC 8474 5.2). Who answers keeps the first of the References (RFC 5322
// 3.6.4). Zero when there are no ids.
func threadOf(s *mime.Structure) mail.ThreadID {
	root := s.MessageID
	switch {
	case len(s.References) > 0:
		root = s.References[0]
	case len(s.InReplyTo) > 0:
		root = s.InReplyTo[0]
	}
	if root == "" {
		return 0
	}
	sum := sha256.Sum256([]byte(root))
	return max(1, mail.ThreadID(binary.BigEndian.Uint64(sum[:])>>1))
}
