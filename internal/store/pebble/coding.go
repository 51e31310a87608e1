package pebble

import (
	"encoding/binary"
	"errors"
	"slices"

	"postfach/internal/mail"
)

// Values are uvarints and varints one after the other, strings with their length before.
// A record that later versions make longer keeps what it does not know (rest).

func putUint[T ~uint16 | ~uint32 | ~uint64](b []byte, n T) []byte {
	return binary.AppendUvarint(b, uint64(n))
}

func putInt(b []byte, n int64) []byte { return binary.AppendVarint(b, n) }

func putText(b []byte, s string) []byte {
	return append(putUint(b, uint64(len(s))), s...)
}

func putCounters(b []byte, c mail.Counters) []byte {
	return putInt(putInt(putInt(putInt(b, c.Messages), c.Unseen), c.Deleted), c.Bytes)
}

// putUIDs writes, for each range, its distance from the one before, doubled, plus one
// when the range's length follows.
func putUIDs(b []byte, s mail.UIDSet) []byte {
	b = putUint(b, uint64(len(s)))
	var at uint32
	for _, r := range s {
		distance := uint64(r.First-at) << 1
		if r.Last == r.First {
			b = putUint(b, distance)
		} else {
			b = putUint(putUint(b, distance|1), r.Last-r.First)
		}
		at = r.Last
	}
	return b
}

// values reads a value. After the first damage everything is zero and bad is set.
type values struct {
	b   []byte
	bad bool
}

func (v *values) uint() uint64 {
	n, size := binary.Uvarint(v.b)
	if size <= 0 {
		v.bad, v.b = true, nil
		return 0
	}
	v.b = v.b[size:]
	return n
}

// uvarints reads some numbers at once, false when they are damaged.
func uvarints(b []byte, into *[7]uint64) bool {
	at := 0
	for i := range into {
		var n uint64
		for shift := 0; ; shift += 7 {
			if at == len(b) || shift >= 64 {
				return false
			}
			c := b[at]
			at++
			if n |= uint64(c&0x7f) << shift; c < 0x80 {
				break
			}
		}
		into[i] = n
	}
	return true
}

// signed is the number that a varint's uvarint stands for.
func signed(n uint64) int64 { return int64(n>>1) ^ -int64(n&1) }

func (v *values) int() int64 {
	n, size := binary.Varint(v.b)
	if size <= 0 {
		v.bad, v.b = true, nil
		return 0
	}
	v.b = v.b[size:]
	return n
}

func (v *values) bytes(n uint64) []byte {
	if n > uint64(len(v.b)) {
		v.bad, v.b = true, nil
		return nil
	}
	b := v.b[:n]
	v.b = v.b[n:]
	return b
}

func (v *values) text() string { return string(v.bytes(v.uint())) }

func (v *values) counters() mail.Counters {
	return mail.Counters{Messages: v.int(), Unseen: v.int(), Deleted: v.int(), Bytes: v.int()}
}

func (v *values) uids() mail.UIDSet { return v.appendUIDs(nil) }

// appendUIDs appends the ranges of a set.
func (v *values) appendUIDs(s mail.UIDSet) mail.UIDSet {
	n := v.uint()
	if n > uint64(len(v.b)) {
		v.bad = true
		return nil
	}
	s = slices.Grow(s, int(n))
	var at uint64
	for range n {
		d := v.uint()
		r := mail.Range{First: uint32(at + d>>1)}
		at += d >> 1
		if d&1 != 0 {
			at += v.uint()
		}
		if v.bad = v.bad || at > uint64(mail.UIDMax); v.bad {
			return nil
		}
		r.Last = uint32(at)
		s = append(s, r)
	}
	return s
}

// rest returns a copy of what is left.
func (v *values) rest() []byte {
	if len(v.b) == 0 {
		return nil
	}
	return append([]byte(nil), v.b...)
}

func (v *values) err() error {
	if v.bad {
		return errDamaged
	}
	return nil
}

var errDamaged = mail.Wrap(mail.Corrupt, errors.New("a record of the database is damaged"))
