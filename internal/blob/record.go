package blob

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"

	"postfach/internal/mail"
)

// A record is a header of fixed size and then frames; see docs/format.md.
const (
	headerBytes   = 64
	recordVersion = 1
	codecPlain    = 0
)

var magic = [8]byte{'P', 'f', 'R', 'e', 'c', 'o', 'r', 'd'}

// header says what a record is and where it belongs, so that neither a stray copy of
// a record nor another account's passes for it.
type header struct {
	account mail.AccountID
	segment uint64
	offset  int64
	raw     int64 // bytes of the message
	stored  int64 // bytes of the frames, their headers included
}

// RecordBytes is what the record of a message takes in its segment.
func RecordBytes(size int64) int64 { return headerBytes + storedBytes(size) }

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

// OpenRecord reads a record of a segment. src is the segment, or answers at least for the
// record's part of it, under the segment's offsets; its errors that have no kind are
// Unavailable, its end is Corrupt. close, which may be nil, is called once when the
// body is closed, or before an error is returned. NotFound: another account's record.
func OpenRecord(src io.ReaderAt, close func(), id mail.AccountID, ref mail.Ref) (mail.Body, error) {
	b := &body{close: close, number: -1}
	h, err := b.begin(src, ref)
	b.read = func(number int64, buffer []byte) ([]byte, error) {
		stored := buffer[:FrameHeaderBytes+min(FrameBytesMax, h.raw-number*FrameBytesMax)]
		return stored, readFull(src, stored, h.offset+frameOffset(number))
	}
	return b.begun(&h, id, err)
}

// begun returns a body of which the header has been read.
func (b *body) begun(h *header, id mail.AccountID, err error) (mail.Body, error) {
	if err == nil && h.account != id {
		err = mail.Errorf(mail.NotFound, "no such bytes")
	}
	if err != nil {
		b.Close()
		return nil, err
	}
	b.size = h.raw
	return b, nil
}

// begin reads the header of a record, and the frame with it when there is only one. A frame
// that can't be read is noticed when it is wanted.
func (b *body) begin(src io.ReaderAt, ref mail.Ref) (h header, err error) {
	var room [headerBytes]byte
	if n := ref.Length; n <= headerBytes+FrameHeaderBytes || n > int64(len(frame{})) {
		err = readFull(src, room[:], ref.Offset)
	} else {
		b.buffer = frames.Get().(*frame)
		if err = readFull(src, b.buffer[:n], ref.Offset); err == nil {
			b.first = b.buffer[headerBytes:n]
			room = [headerBytes]byte(b.buffer[:])
		} else {
			err = readFull(src, room[:], ref.Offset)
		}
	}
	if err == nil {
		err = h.check(&room, ref)
	}
	return h, err
}

// check reads the header and holds it against the reference.
func (h *header) check(b *[headerBytes]byte, ref mail.Ref) error {
	if !h.decode(b) || h.segment != ref.Segment || h.offset != ref.Offset || ref.Length != headerBytes+h.stored {
		return corrupt("the record's header is damaged")
	}
	if !plain(b) {
		return mail.Errorf(mail.Unsupported, "the record has an unknown codec")
	}
	return nil
}

func readFull(src io.ReaderAt, p []byte, offset int64) error {
	n, err := src.ReadAt(p, offset)
	switch {
	case n == len(p):
		return nil
	case err == nil || errors.Is(err, io.EOF):
		return corrupt("the segment is too short")
	case errors.As(err, new(*mail.Error)):
		return err
	}
	return mail.Wrap(mail.Unavailable, err)
}
