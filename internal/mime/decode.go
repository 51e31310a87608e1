package mime

import (
	"encoding/binary"
	"errors"
	"time"
)

// ErrCorrupt is returned by Decode for bytes that Append has not written.
var ErrCorrupt = errors.New("mime: corrupt structure record")

// Decode reads what Append of the same Version has written, all of b and nothing more. What it
// returns keeps what a Parser promises, whatever the bytes are: offsets are ordered and nest, nothing is nil
// that must not be. It keeps nothing of b.
func Decode(b []byte) (*Structure, error) {
	d := decoder{s: string(b)}
	s := &Structure{}
	s.Preview = d.string()
	if d.bool() {
		unix, minutes := d.int(), d.int()
		if unix < dateSecondsMin || unix > dateSecondsMax || minutes < -zoneMinutesMax || minutes > zoneMinutesMax {
			return nil, ErrCorrupt
		}
		s.Date = time.Unix(unix, 0).In(zone(int(minutes)))
	}
	s.MessageID = d.string()
	s.InReplyTo = d.strings()
	s.References = d.strings()
	s.HasAttachment = d.bool()
	s.Envelope = d.envelope()
	s.Root = d.part(0, 1<<62, levelsMax)
	if d.bad || d.i != len(d.s) || s.Root.Header != 0 {
		return nil, ErrCorrupt
	}
	return s, nil
}

// What parseDate can return: the years 1900 to 9999 and zones of less than a hundred hours.
const (
	dateSecondsMin = -2_300_000_000
	dateSecondsMax = 253_500_000_000
	zoneMinutesMax = 100 * 60
)

// decoder reads one record. After something impossible, bad is set and every method
// returns zero values.
type decoder struct {
	s     string // all strings are parts of it
	i     int
	parts int
	bad   bool
}

func (d *decoder) uint() uint64 {
	// A varint has at most ten bytes.
	n, size := binary.Uvarint([]byte(d.s[d.i:min(len(d.s), d.i+binary.MaxVarintLen64)]))
	if size <= 0 || d.bad {
		d.bad = true
		return 0
	}
	d.i += size
	return n
}

func (d *decoder) int() int64 {
	n := d.uint()
	return int64(n>>1) ^ -int64(n&1)
}

func (d *decoder) bool() bool {
	n := d.uint()
	d.bad = d.bad || n > 1
	return n == 1
}

// count reads the length of a list whose elements take at least so many bytes each.
func (d *decoder) count(elementBytes int) int {
	n := d.uint()
	if n > uint64((len(d.s)-d.i)/elementBytes) {
		d.bad = true
		return 0
	}
	return int(n)
}

func (d *decoder) string() string {
	n := d.uint()
	if n&1 == 1 {
		if n>>1 >= uint64(len(dictionary)) {
			d.bad = true
			return ""
		}
		return dictionary[n>>1]
	}
	if n>>1 > uint64(len(d.s)-d.i) {
		d.bad = true
		return ""
	}
	s := d.s[d.i : d.i+int(n>>1)]
	d.i += len(s)
	return s
}

func (d *decoder) strings() []string {
	n := d.count(1)
	if n == 0 {
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = d.string()
	}
	return list
}

func (d *decoder) optional() *string {
	if !d.bool() {
		return nil
	}
	s := d.string()
	return &s
}

func (d *decoder) params() []Param {
	n := d.count(2)
	if n == 0 {
		return nil
	}
	params := make([]Param, n)
	for i := range params {
		params[i] = Param{d.string(), d.string()}
	}
	return params
}

func (d *decoder) envelope() *Envelope {
	e := &Envelope{
		Date:      d.optional(),
		Subject:   d.optional(),
		InReplyTo: d.optional(),
		MessageID: d.optional(),
		From:      d.addresses(),
	}
	e.Sender, e.ReplyTo = e.From, e.From
	if d.bool() {
		e.Sender = d.addresses()
	}
	if d.bool() {
		e.ReplyTo = d.addresses()
	}
	e.To, e.Cc, e.Bcc = d.addresses(), d.addresses(), d.addresses()
	return e
}

func (d *decoder) addresses() []Address {
	n := d.count(5)
	if n == 0 {
		return nil
	}
	list := make([]Address, n)
	for i := range list {
		kind := d.uint()
		d.bad = d.bad || kind > uint64(GroupEnd)
		list[i] = Address{AddressKind(kind), d.string(), d.string(), d.string(), d.string()}
	}
	return list
}

// partBytesMin is the least that a part takes.
const partBytesMin = 17

// part reads a part that lies between two offsets and has at most so many levels.
func (d *decoder) part(after, end int64, levels int) *Part {
	d.parts++
	if d.bad || levels == 0 || d.parts > partsMax+1 {
		d.bad = true
		return &Part{}
	}
	p := &Part{
		Type: d.string(), Subtype: d.string(), Params: d.params(), ID: d.string(), Description: d.string(),
		Encoding: d.string(), MD5: d.string(), Disposition: d.string(), DispositionParams: d.params(),
		Language: d.strings(), Location: d.string(),
	}
	p.Header = d.offset(after, end)
	p.Body = d.offset(p.Header, end)
	p.End = d.offset(p.Body, end)
	p.Lines = d.offset(0, p.Size())
	isMessage := d.bool()
	if isMessage {
		p.Envelope = d.envelope()
		p.Message = d.part(p.Body, p.End, levels-1)
		d.bad = d.bad || p.Message.Header != p.Body || p.Message.End != p.End
	} else if n := d.count(partBytesMin); n > 0 {
		after := p.Body
		p.Children = make([]*Part, n)
		for i := range p.Children {
			p.Children[i] = d.part(after, p.End, levels-1)
			after = p.Children[i].End
		}
	}
	d.bad = d.bad || isMessage != p.isMessage() || (p.Children != nil) != (p.Type == "multipart") ||
		p.Type == "" || p.Subtype == "" || p.Encoding == ""
	return p
}

// offset reads a distance from start that leads no further than end.
func (d *decoder) offset(start, end int64) int64 {
	n := d.uint()
	if n > uint64(end-start) {
		d.bad = true
		return start
	}
	return start + int64(n)
}
