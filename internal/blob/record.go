package blob

import (
	"encoding/binary"
	"hash/crc32"

	"postfach/internal/mail"
)

// A record is a header of fixed size and then frames; see docs/format.md.
const (
	headerBytes      = 64
	frameHeaderBytes = 8
	frameBytesMax    = 64 << 10 // raw bytes of a frame; all but the last are full
	recordVersion    = 1
	codecPlain       = 0
)

var magic = [8]byte{'P', 'f', 'R', 'e', 'c', 'o', 'r', 'd'}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// header says what a record is and where it belongs, so that neither a stray copy of
// a record nor another account's passes for it.
type header struct {
	account mail.AccountID
	segment uint64
	offset  int64
	raw     int64 // bytes of the message
	stored  int64 // bytes of the frames, their headers included
}

func (h *header) encode(b *[headerBytes]byte) {
	copy(b[:8], magic[:])
	b[8], b[9] = recordVersion, codecPlain // 10..15: flags and key id, zero
	binary.BigEndian.PutUint64(b[16:], uint64(h.account))
	binary.BigEndian.PutUint64(b[24:], h.segment)
	binary.BigEndian.PutUint64(b[32:], uint64(h.offset))
	binary.BigEndian.PutUint64(b[40:], uint64(h.raw))
	binary.BigEndian.PutUint64(b[48:], uint64(h.stored)) // 56..59: zero
	binary.BigEndian.PutUint32(b[60:], crc32.Checksum(b[:60], castagnoli))
}

// decode reads a header. false: there is none, or it is damaged.
func (h *header) decode(b *[headerBytes]byte) bool {
	if [8]byte(b[:8]) != magic || binary.BigEndian.Uint32(b[60:]) != crc32.Checksum(b[:60], castagnoli) {
		return false
	}
	h.account = mail.AccountID(binary.BigEndian.Uint64(b[16:]))
	h.segment = binary.BigEndian.Uint64(b[24:])
	h.offset = int64(binary.BigEndian.Uint64(b[32:]))
	h.raw = int64(binary.BigEndian.Uint64(b[40:]))
	h.stored = int64(binary.BigEndian.Uint64(b[48:]))
	return b[8] == recordVersion && h.raw >= 0 && h.stored == storedBytes(h.raw)
}

// plain tells whether the record's frames hold the message's bytes as they are.
func plain(b *[headerBytes]byte) bool {
	return b[9] == codecPlain && binary.BigEndian.Uint32(b[12:]) == 0
}

// storedBytes is what the frames of a message take.
func storedBytes(raw int64) int64 {
	frames := (raw + frameBytesMax - 1) / frameBytesMax
	return raw + frames*frameHeaderBytes
}

// frameOffset is where a frame begins, from the beginning of its record.
func frameOffset(frame int64) int64 {
	return headerBytes + frame*(frameBytesMax+frameHeaderBytes)
}

// frameCRC covers the frame's place in its record too.
func frameCRC(frame int64, data []byte) uint32 {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(frame))
	return crc32.Update(crc32.Checksum(b[:], castagnoli), castagnoli, data)
}
