package blob

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"sync"

	"postfach/internal/mail"
)

const (
	// FrameBytesMax is how many bytes of the message a frame has; only the last of a
	// record may have fewer.
	FrameBytesMax = 64 << 10
	// FrameHeaderBytes is what a stored frame has before them.
	FrameHeaderBytes = 8
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// frame is a buffer for one frame with its header, or for a whole record of one frame.
type frame [headerBytes + FrameHeaderBytes + FrameBytesMax]byte

var frames = sync.Pool{New: func() any { return new(frame) }}

// AppendFrame appends a frame as it is stored: its header, then data, at most
// FrameBytesMax bytes. Frames of a record are numbered from 0.
func AppendFrame(dst []byte, number int64, data []byte) []byte {
	var h [FrameHeaderBytes]byte
	putFrameHeader(h[:], len(data), frameCRC(number, data))
	return append(append(dst, h[:]...), data...)
}

// CheckFrame verifies a stored frame and returns its data, which is a part of it. Corrupt:
// it is damaged, or has another number.
func CheckFrame(stored []byte, number int64) ([]byte, error) {
	if len(stored) < FrameHeaderBytes {
		return nil, corrupt("a frame of the record is too short")
	}
	data := stored[FrameHeaderBytes:]
	if err := checkFrame((*[FrameHeaderBytes]byte)(stored), number, data); err != nil {
		return nil, err
	}
	return data, nil
}

// checkFrame verifies the data of a frame.
func checkFrame(head *[FrameHeaderBytes]byte, number int64, data []byte) error {
	if int64(binary.BigEndian.Uint32(head[:])) != int64(len(data)) || binary.BigEndian.Uint32(head[4:]) != frameCRC(number, data) {
		return corrupt("a frame of the record is damaged")
	}
	return nil
}

func corrupt(why string) error { return mail.Wrap(mail.Corrupt, errors.New(why)) }

func putFrameHeader(b []byte, size int, crc uint32) {
	binary.BigEndian.PutUint32(b, uint32(size))
	binary.BigEndian.PutUint32(b[4:], crc)
}

// frameCRC covers the frame's place in its record too.
func frameCRC(frame int64, data []byte) uint32 {
	return crc32.Update(frameSeed(frame), castagnoli, data)
}

// frameSeed is the checksum of a frame without bytes.
func frameSeed(frame int64) uint32 {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(frame))
	return crc32.Checksum(b[:], castagnoli)
}

// storedBytes is what the frames of a message take.
func storedBytes(raw int64) int64 {
	frames := (raw + FrameBytesMax - 1) / FrameBytesMax
	return raw + frames*FrameHeaderBytes
}

// frameOffset is where a frame begins, from the beginning of its record.
func frameOffset(frame int64) int64 {
	return headerBytes + frame*(FrameBytesMax+FrameHeaderBytes)
}
