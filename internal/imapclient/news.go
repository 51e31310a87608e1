package imapclient

import "postfach/internal/wire"

// News is what a server says unasked.
type News struct {
	// What is EXISTS, RECENT, EXPUNGE, VANISHED, FETCH, FLAGS, ... or, for a status
	// response, its kind: OK, NO, BAD, BYE.
	What    string
	Number  uint32   // of EXISTS, RECENT, EXPUNGE and FETCH
	Message *Message // of FETCH: what has changed
	UIDs    wire.Set // of VANISHED (RFC 7162 3.2.10)
	Earlier bool     // of VANISHED: the answer to a question, not news
	Status  *Status  // of status responses
}

func (c *Client) tell(n News) {
	if c.options.News != nil {
		c.options.News(n)
	}
}

// vanished reads VANISHED, which QRESYNC sends in place of EXPUNGE.
func (c *Client) vanished(p *wire.Parser) {
	n := News{What: "VANISHED"}
	p.SP()
	if p.Try('(') {
		p.ExpectWord("EARLIER")
		p.Expect(')')
		p.SP()
		n.Earlier = true
	}
	p.Set(&n.UIDs)
	n.UIDs.Resolve(0)
	if p.Err() != nil {
		return
	}
	if !n.Earlier {
		c.mailbox.Exists -= uint32(min(n.UIDs.Count(), uint64(c.mailbox.Exists)))
	}
	c.tell(n)
}
