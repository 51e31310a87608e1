package main

import (
	"errors"
	"net/textproto"

	"postfach/test/server"
)

// deliver delivers by LMTP until the server is gone. UIDs are not told; the next check
// finds them.
func (o *owner) deliver(s *server.Server) {
	t := o.account.trial
	l, err := server.DialLMTP(s.Delivery)
	if err != nil {
		return
	}
	for len(o.now.known)+len(o.now.loose) < 10*liveMax {
		id := o.newMessage()
		to := loose{"INBOX", message{id: id}}
		unknown, err := l.Deliver("sender@example.org", o.account.name+"@example.org", text(id))
		t.mu.Lock()
		switch {
		case err == nil:
			t.acknowledged++
			o.now.loose = append(o.now.loose, to)
		case unknown:
			t.unknown++
			o.unanswered = append(o.unanswered, appended{to})
		}
		t.mu.Unlock()
		if err != nil {
			if answer := new(textproto.Error); errors.As(err, &answer) {
				t.violation("%s: LMTP: %v", o.name, err)
			}
			return
		}
	}
}
