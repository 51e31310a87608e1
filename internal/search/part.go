package search

import (
	"encoding/binary"
	"hash/crc32"
	"strconv"

	"postfach/internal/mail"
)

// What the index stores are values under names in an account's derived data (see
// docs/format.md): a manifest, and the parts of the segments that it lists. Parts are never
// changed; who finds one missing or damaged does without its segment.
const (
	indexPrefix  = "search/"
	formatPrefix = indexPrefix + "1/"
	manifestName = formatPrefix + "manifest"
)

// partKind says what a part of a segment holds.
type partKind byte

const (
	partHead   partKind = 'a' // one: what there is
	partHeader partKind = 'h' // postings of the text of headers
	partBody   partKind = 'b' // postings of the text of bodies
	partColumn partKind = 'p' // the first of the columns (see column)
)

// partID names a part.
type partID struct {
	segment uint64
	kind    partKind
	n       int
}

func segmentPrefix(segment uint64) string {
	return formatPrefix + mail.AccountID(segment).String() + "/"
}

func (p partID) name() string {
	return segmentPrefix(p.segment) + string(rune(p.kind)) + strconv.FormatInt(int64(p.n), 36)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seal appends a checksum of a value and its name.
func seal(name string, value []byte) []byte {
	return binary.BigEndian.AppendUint32(value, checksum(name, value))
}

func checksum(name string, value []byte) uint32 {
	return crc32.Update(crc32.Checksum([]byte(name), castagnoli), castagnoli, value)
}

// unseal takes the checksum off, or says Corrupt.
func unseal(name string, sealed []byte) ([]byte, error) {
	n := len(sealed) - 4
	if n < 0 || checksum(name, sealed[:n]) != binary.BigEndian.Uint32(sealed[n:]) {
		return nil, errDamaged
	}
	return sealed[:n:n], nil
}

var errDamaged = mail.Errorf(mail.Corrupt, "a part of the text index is damaged")

// fields reads numbers and bytes one after the other. A fault stays.
type fields struct {
	b   []byte
	bad bool
}

func (f *fields) uint() uint64 {
	v, n := binary.Uvarint(f.b)
	if n <= 0 {
		f.b, f.bad = nil, true
		return 0
	}
	f.b = f.b[n:]
	return v
}

// count reads a number of things that take at least a byte each.
func (f *fields) count() int {
	n := f.uint()
	if n > uint64(len(f.b)) {
		f.b, f.bad = nil, true
		return 0
	}
	return int(n)
}

func (f *fields) bytes(n uint64) []byte {
	if n > uint64(len(f.b)) {
		f.b, f.bad = nil, true
		return nil
	}
	b := f.b[:n]
	f.b = f.b[n:]
	return b
}

// ascending reads a list of numbers below limit, each written as its distance from the
// one before.
func (f *fields) ascending(limit uint64) []uint32 {
	list := make([]uint32, 0, f.count())
	last := uint64(0)
	for range cap(list) {
		d := f.uint()
		if last += d; d >= limit || last >= limit {
			f.bad = true
			return nil
		}
		list = append(list, uint32(last))
	}
	return list
}

func appendAscending(dst []byte, list []uint32) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	last := uint32(0)
	for _, n := range list {
		dst = binary.AppendUvarint(dst, uint64(n-last))
		last = n
	}
	return dst
}
