package postgres

import (
	"encoding/binary"
	"errors"
	"strconv"

	"postfach/internal/mail"
)

// multirange writes UIDs as PostgreSQL's text of an int8multirange.
func multirange(s mail.UIDSet) string {
	b := []byte{'{'}
	for i, r := range s {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '[')
		b = strconv.AppendUint(b, uint64(r.First), 10)
		b = append(b, ',')
		b = strconv.AppendUint(b, uint64(r.Last)+1, 10)
		b = append(b, ')')
	}
	return string(append(b, '}'))
}

var errRanges = mail.Wrap(mail.Corrupt, errors.New("not ranges of UIDs"))

// appendRanges reads an int8multirange in PostgreSQL's binary format: a count, and for each range
// its length, its flags and two bounds with their lengths, in the form [first, last+1).
func appendRanges(s mail.UIDSet, b []byte) (mail.UIDSet, error) {
	const (
		rangeBytes    = 4 + 1 + 2*(4+8)
		lowerIncluded = 0x02
	)
	if len(b) < 4 || len(b) != 4+rangeBytes*int(binary.BigEndian.Uint32(b)) {
		return s, errRanges
	}
	for b = b[4:]; len(b) > 0; b = b[rangeBytes:] {
		first, end := rawInt(b[9:17]), rawInt(b[21:29])
		if b[4] != lowerIncluded || first < 0 || end <= first || end > int64(mail.UIDMax)+1 {
			return s, errRanges
		}
		s = append(s, mail.Range{First: uint32(first), Last: uint32(end - 1)})
	}
	return s, nil
}
