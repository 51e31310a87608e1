package pebble

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"

	"postfach/internal/mail"
)

// A page has the rows of pageUIDs neighbouring UIDs once more, by columns: from there a row is
// read in a tenth of the time. Rows never change, so a page is right as long as none of its
// rows is freed: the batch that frees one drops its page. A page is derived data: it may be
// missing, and one that is damaged is as if it were.

const (
	// pageUIDs is how many UIDs share a page: whole blocks of flags.
	pageUIDs = 1024
	// pageRowsMin is how many rows are worth a page.
	pageRowsMin = 32
)

// pagePrefix is what the keys of pages begin with, among those of derived data, which go with the
// account.
const pagePrefix = "rows/1/"

func pagesKey(id mailboxID) key {
	return accountKey(keyDerived, id.account).text(pagePrefix).mailbox(id.mailbox)
}

func pageKey(id mailboxID, number uint32) key { return pagesKey(id).u32(number) }

// A column is what all rows of a page have of one thing: each as its distance from the least,
// in as few bytes as all need.
type column struct {
	least int64
	width int
	mask  uint64
	b     []byte
}

// columnTail is how many bytes must follow a column, so that 8 can be read at any place in it.
const columnTail = 8

func (c *column) at(i int) int64 {
	return c.least + int64(binary.LittleEndian.Uint64(c.b[i*c.width:])&c.mask)
}

// The columns. The first ones have the distance of each row from the one before.
const (
	columnUID = iota
	columnMessage
	columnModSeq
	columnSize
	columnDate
	columnZone
	columnSaved // less date
	columnFlags
	columns

	columnsRunning = columnSize
)

func cells(r *mail.Row) [columns]int64 {
	return [columns]int64{
		int64(r.UID), int64(r.Message), int64(r.ModSeq),
		r.Size, r.Date.Unix, int64(r.Date.ZoneMinutes), r.Saved - r.Date.Unix, int64(r.Flags),
	}
}

// pageValue writes a page: for each of the columns, for the first three what they begin at, the
// least, the width, the distances; then room for columnTail, the last 4 bytes of which are a
// check sum of the key and of all before. There must be rows.
func pageValue(k key, rows []mail.Row) []byte {
	b := putUint(make([]byte, 0, 16*len(rows)+128), uint64(len(rows)))
	table := make([][columns]int64, len(rows))
	for i := range rows {
		table[i] = cells(&rows[i])
	}
	for c := range columns {
		if c < columnsRunning {
			b = putInt(b, differences(table, c))
		}
		b = putColumn(b, table, c)
	}
	b = append(b, 0, 0, 0, 0)
	return binary.BigEndian.AppendUint32(b, pageSum(k, b))
}

// differences makes each of a column the distance from the one before, and returns what is
// before the first: as far from it as the first from the second.
func differences(table [][columns]int64, c int) (start int64) {
	for i := len(table) - 1; i > 0; i-- {
		table[i][c] -= table[i-1][c]
	}
	start = table[0][c]
	table[0][c] = 0
	if len(table) > 1 {
		table[0][c] = table[1][c]
	}
	return start - table[0][c]
}

func putColumn(b []byte, table [][columns]int64, c int) []byte {
	least, most := table[0][c], table[0][c]
	for i := range table {
		least, most = min(least, table[i][c]), max(most, table[i][c])
	}
	width := (bits.Len64(uint64(most-least)) + 7) / 8
	b = append(putInt(b, least), byte(width))
	for i := range table {
		b = binary.LittleEndian.AppendUint64(b, uint64(table[i][c]-least))[:len(b)+width]
	}
	return b
}

var pageTable = crc32.MakeTable(crc32.Castagnoli)

func pageSum(k key, b []byte) uint32 {
	return crc32.Update(crc32.Checksum(k, pageTable), pageTable, b)
}

// page is one that is read: row after row.
type page struct {
	rows    int
	columns [columns]column

	at                   int // the next row
	uid, message, modSeq int64
}

// open begins with a page's value, which must not change meanwhile, and checks all but its sum.
func (p *page) open(value []byte) bool {
	if len(value) < columnTail {
		return false
	}
	v := values{b: value[:len(value)-columnTail]}
	n := v.uint()
	if n == 0 || n > uint64(mail.UIDMax) {
		return false
	}
	p.rows, p.at = int(n), 0
	var starts [columnsRunning]int64
	for i := range p.columns {
		if i < columnsRunning {
			starts[i] = v.int()
		}
		c := &p.columns[i]
		c.least = v.int()
		width := v.bytes(1)
		if v.bad || width[0] > 8 {
			return false
		}
		c.width = int(width[0])
		c.mask = 1<<(8*c.width) - 1
		from := len(value) - columnTail - len(v.b)
		size := n * uint64(c.width)
		if v.bytes(size); v.bad {
			return false
		}
		c.b = value[from : from+int(size)+columnTail]
	}
	p.uid, p.message, p.modSeq = starts[columnUID], starts[columnMessage], starts[columnModSeq]
	return len(v.b) == 0
}

// fill reads the next rows, as many as there are and there is room for.
func (p *page) fill(rows []mail.Row) (n int) {
	n = min(len(rows), p.rows-p.at)
	c, at := &p.columns, p.at
	uid, message, modSeq := p.uid, p.message, p.modSeq
	for i := range rows[:n] {
		uid += c[columnUID].at(at + i)
		message += c[columnMessage].at(at + i)
		modSeq += c[columnModSeq].at(at + i)
		date := c[columnDate].at(at + i)
		row := &rows[i]
		row.UID, row.Flags, row.ModSeq = mail.UID(uid), mail.Flags(c[columnFlags].at(at+i)), mail.ModSeq(modSeq)
		row.Message, row.Size = mail.MessageID(message), c[columnSize].at(at+i)
		row.Date = mail.Stamp{Unix: date, ZoneMinutes: int16(c[columnZone].at(at + i))}
		row.Saved = date + c[columnSaved].at(at+i)
	}
	p.at += n
	p.uid, p.message, p.modSeq = uid, message, modSeq
	return n
}

// living checks a page's sum and its UIDs, which must ascend between two, and counts the rows
// that are not gone.
func (p *page) living(k key, value []byte, first, last uint32, gone mail.UIDSet) (n int, ok bool) {
	if !p.open(value) || binary.BigEndian.Uint32(value[len(value)-4:]) != pageSum(k, value[:len(value)-4]) {
		return 0, false
	}
	before, uid := int64(first)-1, p.uid
	for i := range p.rows {
		uid += p.columns[columnUID].at(i)
		if uid <= before || uid > int64(last) {
			return 0, false
		}
		before = uid
		for len(gone) > 0 && int64(gone[0].Last) < uid {
			gone = gone[1:]
		}
		if len(gone) == 0 || int64(gone[0].First) > uid {
			n++
		}
	}
	return n, true
}
