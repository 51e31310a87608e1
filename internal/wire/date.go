package wire

import "time"

const monthNames = "JanFebMarAprMayJunJulAugSepOctNovDec"

// AppendDateTime appends t as a date-time without its quotes,
// "17-Jul-1996 02:44:25 -0700", in t's own zone, to the second (RFC 9051 9).
// Years are kept within 0000 and 9999.
func AppendDateTime(dst []byte, t time.Time) []byte {
	_, offset := t.Zone()
	return appendDateTime(dst, t.Unix(), offset)
}

// appendDateTime appends the moment in a zone so many seconds east of UTC. A time.Time in
// a zone would have to be made for it.
func appendDateTime(dst []byte, unix int64, offset int) []byte {
	t := time.Unix(unix+int64(offset), 0).UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	if day < 10 { // date-day-fixed
		dst = append(dst, ' ', byte('0'+day))
	} else {
		dst = append2(dst, day)
	}
	dst = appendMonthYear(dst, month, year)
	dst = append2(append(dst, ' '), hour)
	dst = append2(append(dst, ':'), minute)
	dst = append2(append(dst, ':'), second)
	sign := byte('+')
	if offset < 0 {
		sign, offset = '-', -offset
	}
	dst = append2(append(dst, ' ', sign), offset/3600)
	return append2(dst, offset/60%60)
}

// AppendDate appends t's day as a date, "1-Feb-1994" (RFC 9051 9).
func AppendDate(dst []byte, t time.Time) []byte {
	year, month, day := t.Date()
	if day < 10 {
		dst = append(dst, byte('0'+day))
	} else {
		dst = append2(dst, day)
	}
	return appendMonthYear(dst, month, year)
}

func appendMonthYear(dst []byte, month time.Month, year int) []byte {
	at := 3 * (int(month) - 1)
	dst = append(dst, '-')
	dst = append(dst, monthNames[at:at+3]...)
	year = min(max(year, 0), 9999)
	return append2(append2(append(dst, '-'), year/100), year%100)
}

func append2(dst []byte, n int) []byte {
	return append(dst, byte('0'+n/10%10), byte('0'+n%10))
}

// DateTime reads a date-time (RFC 9051 9), quotes included. The day may also be
// one digit without its space.
func (p *Parser) DateTime() time.Time {
	p.Peek()
	start := p.pos
	t, ok := parseDateTime(p.quoted())
	if p.err == nil && !ok {
		p.pos = start
		p.Fail("date-time")
	}
	return t
}

// Date reads a date as in SEARCH, quoted or not, and returns the start of that
// day in UTC.
func (p *Parser) Date() time.Time {
	c := p.Peek()
	start := p.pos
	var text []byte
	if c == '"' {
		text = p.quoted()
	} else {
		text = p.span(atomChar, "date")
	}
	s := dateScanner{text: text}
	year, month, day := s.date()
	if p.err == nil && !s.end() {
		p.pos = start
		p.Fail("date")
	}
	if p.err != nil {
		return time.Time{}
	}
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

func parseDateTime(text []byte) (time.Time, bool) {
	s := dateScanner{text: text}
	if len(text) > 0 && text[0] == ' ' {
		s.pos++
	}
	year, month, day := s.date()
	s.expect(' ')
	hour := s.digits(2, 23)
	s.expect(':')
	minute := s.digits(2, 59)
	s.expect(':')
	second := s.digits(2, 60) // a leap second
	s.expect(' ')
	east := 1
	if !s.try('+') {
		s.expect('-')
		east = -1
	}
	zoneHours := s.digits(2, 23)
	zoneMinutes := s.digits(2, 59)
	if !s.end() {
		return time.Time{}, false
	}
	zone := time.UTC
	if offset := east * (zoneHours*3600 + zoneMinutes*60); offset != 0 {
		zone = time.FixedZone("", offset)
	}
	return time.Date(year, month, day, hour, minute, second, 0, zone), true
}

// dateScanner reads the parts of a date; bad is sticky.
type dateScanner struct {
	text []byte
	pos  int
	bad  bool
}

func (s *dateScanner) end() bool { return !s.bad && s.pos == len(s.text) }

func (s *dateScanner) try(b byte) bool {
	if s.pos < len(s.text) && s.text[s.pos] == b {
		s.pos++
		return true
	}
	return false
}

func (s *dateScanner) expect(b byte) {
	if !s.try(b) {
		s.bad = true
	}
}

// digits reads exactly n digits with a value of at most max.
func (s *dateScanner) digits(n, max int) int {
	v := 0
	for range n {
		if s.bad || s.pos == len(s.text) || chars[s.text[s.pos]]&digitChar == 0 {
			s.bad = true
			return 0
		}
		v = v*10 + int(s.text[s.pos]-'0')
		s.pos++
	}
	s.bad = s.bad || v > max
	return v
}

// date reads a date-text: a day that exists, in the Gregorian calendar.
func (s *dateScanner) date() (int, time.Month, int) {
	length := 1
	if s.pos+1 < len(s.text) && s.text[s.pos+1] != '-' {
		length = 2
	}
	day := s.digits(length, 31)
	s.expect('-')
	month := s.month()
	s.expect('-')
	year := s.digits(4, 9999)
	if s.bad || day == 0 || time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Day() != day {
		s.bad = true
	}
	return year, month, day
}

func (s *dateScanner) month() time.Month {
	if s.pos+3 <= len(s.text) {
		name := s.text[s.pos : s.pos+3]
		for m := range 12 {
			if sameLetters(name, monthNames[3*m:3*m+3]) {
				s.pos += 3
				return time.Month(m + 1)
			}
		}
	}
	s.bad = true
	return time.January
}

// sameLetters compares without regard to ASCII case.
func sameLetters(b []byte, name string) bool {
	for i, c := range b {
		if upper(c) != upper(name[i]) {
			return false
		}
	}
	return true
}
