package mail

import "time"

// Stamp is a moment with the zone in which its client named it, as INTERNALDATE
// wants it back.
type Stamp struct {
	Unix        int64 // seconds
	ZoneMinutes int16 // east of UTC
}

// StampOf takes the moment and zone of t.
func StampOf(t time.Time) Stamp {
	_, offset := t.Zone()
	return Stamp{Unix: t.Unix(), ZoneMinutes: int16(offset / 60)}
}

// Time returns the moment in its zone.
func (s Stamp) Time() time.Time {
	return time.Unix(s.Unix, 0).In(time.FixedZone("", int(s.ZoneMinutes)*60))
}

// Fixed is what never changes about a message in a mailbox and is small enough
// to be held in memory for every message.
type Fixed struct {
	Message MessageID
	Size    int64 // bytes, as RFC822.SIZE
	Date    Stamp // INTERNALDATE
	Saved   int64 // seconds; when it came into this mailbox (RFC 8514)
}

// Row is one message of a mailbox.
type Row struct {
	UID    UID
	Flags  Flags
	ModSeq ModSeq
	Fixed
}

// Ref says where the bytes of a message are. Inline bytes are kept by the store
// beside the message (Store.Inline); others are a record in a segment.
type Ref struct {
	Inline  bool
	Segment uint64 // which segment; 0 when inline
	Offset  int64  // of the record in its segment
	Length  int64  // bytes that the record takes in its segment, header included
}

// InlineBytesMax is the most that any store keeps inline (Blobs.InlineBytesMax): such a
// message travels in the commit itself, so that its delivery costs one sync.
const InlineBytesMax = 32 << 10

// Message is everything immutable about a message; copies in the same account
// share it.
type Message struct {
	ID     MessageID
	Thread ThreadID
	Size   int64    // bytes
	Digest [32]byte // SHA-256 of the bytes
	Body   Ref

	// Structure is the MIME structure in package mime's own encoding, written by
	// the parser of version StructureVersion; another version means: compute again.
	Structure        []byte
	StructureVersion uint8
}
