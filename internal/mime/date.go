package mime

import (
	"strings"
	"time"
)

// parseDate reads a Date field (RFC 5322 3.3 and 4.3) by what each word looks like, so that
// odd orders (asctime) and missing seconds or commas do no harm. The zero time means
// that it can't be understood.
func parseDate(s string) time.Time {
	d := dateParts{day: -1, month: -1, year: -1}
	l := &lexer{s: s}
	for n := 0; n < 16; n++ {
		for l.skip(); l.peek() == ','; l.skip() {
			l.i++
		}
		start := l.i
		for !l.done() && strings.IndexByte(" \t,(", l.s[l.i]) < 0 {
			l.i++
		}
		if start == l.i {
			break
		}
		d.word(l.s[start:l.i])
	}
	return d.time()
}

type dateParts struct {
	day, month, year     int // -1: not seen
	hour, minute, second int
	hasTime, hasZone     bool
	zoneMinutes          int // east of UTC
}

func (d *dateParts) word(w string) {
	switch c := w[0]; {
	case strings.Contains(w, ":"):
		d.clock(w)
	case c == '+' || c == '-':
		d.numericZone(w)
	case '0' <= c && c <= '9':
		if strings.Count(w, "-") == 2 { // 12-Jun-2002
			for part := range strings.SplitSeq(w, "-") {
				if part != "" {
					d.word(part)
				}
			}
			return
		}
		d.number(w)
	default:
		d.letters(w)
	}
}

// number is a day, then a year.
func (d *dateParts) number(w string) {
	n, ok := digits(w)
	switch {
	case !ok:
	case d.day < 0 && len(w) <= 2:
		d.day = n
	case d.year >= 0:
	case len(w) <= 2 && n < 50: // RFC 5322 4.3
		d.year = 2000 + n
	case len(w) <= 3:
		d.year = 1900 + n
	case len(w) == 4:
		d.year = n
	}
}

func (d *dateParts) clock(w string) {
	if d.hasTime {
		return
	}
	if i := strings.IndexAny(w, "+-"); i > 0 { // 10:20:30+0200
		d.numericZone(w[i:])
		w = w[:i]
	}
	w, _, _ = strings.Cut(w, ".")
	parts := strings.Split(w, ":")
	if len(parts) > 3 {
		return
	}
	var n [3]int
	for i, part := range parts {
		value, ok := digits(part)
		if !ok || len(part) > 2 {
			return
		}
		n[i] = value
	}
	if n[0] < 24 && n[1] < 60 && n[2] <= 60 { // RFC 5322 3.3: 60 is a leap second
		d.hour, d.minute, d.second, d.hasTime = n[0], n[1], n[2], true
	}
}

func (d *dateParts) numericZone(w string) {
	n, ok := digits(strings.Replace(w[1:], ":", "", 1))
	if !ok || d.hasZone || n%100 > 59 || n > 9959 || len(w) < 4 {
		return
	}
	d.zoneMinutes, d.hasZone = n/100*60+n%100, true
	if w[0] == '-' {
		d.zoneMinutes = -d.zoneMinutes
	}
}

// obsoleteZones are the names of RFC 5322 4.3; any other name means UTC.
var obsoleteZones = map[string]int{
	"edt": -4, "est": -5, "cdt": -5, "cst": -6, "mdt": -6, "mst": -7, "pdt": -7, "pst": -8,
}

func (d *dateParts) letters(w string) {
	var room [3]byte // all that is looked at
	low := lower(room[:0], []byte(w[:min(len(w), 3)]))
	if len(w) >= 3 && d.month < 0 {
		if i := strings.Index("janfebmaraprmayjunjulaugsepoctnovdec", string(low)); i >= 0 && i%3 == 0 {
			d.month = i/3 + 1
			return
		}
	}
	if len(w) != 3 {
		return
	}
	if hours, ok := obsoleteZones[string(low)]; ok && !d.hasZone {
		d.zoneMinutes, d.hasZone = hours*60, true
	}
}

func (d *dateParts) time() time.Time {
	if d.day < 1 || d.month < 1 || d.year < 1900 { // RFC 5322 3.3
		return time.Time{}
	}
	t := time.Date(d.year, time.Month(d.month), d.day, d.hour, d.minute, d.second, 0, zone(d.zoneMinutes))
	if d.day > 28 && t.Day() != d.day && d.second < 60 {
		return time.Time{} // 30 February
	}
	return t
}

func zone(minutes int) *time.Location { return time.FixedZone("", minutes*60) }

func digits(s string) (n int, ok bool) {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' || n > 99999 {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, s != ""
}
