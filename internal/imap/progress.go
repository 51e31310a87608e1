package imap

import (
	"time"

	"postfach/internal/mail"
)

// progress is how far a command has come that may take long.
type progress struct {
	s    *session
	text string // what it is still doing
	done uint32
	goal uint32    // 0: nobody knows
	told time.Time // when the client last heard of it

	pause func() // called before the client hears of it; nil: nothing to do
}

// progressAfter is how long a command may be silent (RFC 9585 4: 10 to 15 seconds).
const progressAfter = 10 * time.Second

// begin begins with a set of messages, of numbers or of UIDs.
func (p *progress) begin(s *session, text string, set []mail.Range, uid bool) {
	*p = progress{s: s, text: text, told: s.server.env.Now()}
	for _, r := range set {
		if !uid {
			p.goal += r.Last - r.First + 1
		}
	}
}

// next is called before each of them. Now and then it says that the command is under way,
// so that the client does not give up, and one that is gone is noticed.
func (p *progress) next() error {
	p.done++
	return p.look(p.done - 1)
}

// look says so when it is time.
func (p *progress) look(done uint32) error {
	now := p.s.server.env.Now()
	if now.Sub(p.told) < progressAfter {
		return nil
	}
	p.told = now
	if p.pause != nil {
		p.pause()
	}
	var code []byte
	eachRow(func(f *family) []progressCode { return f.progressCodes }, func(row progressCode) {
		code = row(code, p.s, done, p.goal)
	})
	p.s.untagged("OK", string(code), p.text)
	return p.s.flush()
}
