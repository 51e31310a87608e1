package load

import (
	"context"
	"time"
)

// deliver delivers by LMTP until the connection is lost or refuses. UIDs are not told; the
// next check finds them.
func (o *owner) deliver(ctx context.Context, s Service) {
	t := o.account.trial
	if o.full() {
		o.pause(ctx, settleTime)
		return
	}
	l, err := s.DialLMTP()
	if err != nil {
		o.failedLMTP(err)
		return
	}
	defer l.Abandon()
	for ctx.Err() == nil && !o.full() {
		id := o.newMessage()
		to := loose{"INBOX", message{id: id}}
		began := time.Now()
		unknown, err := l.Deliver("sender@example.org", o.account.Name+"@example.org", Text(id))
		o.waited("LMTP", began)
		switch {
		case err == nil:
			t.count(1, 0)
			o.now.loose = append(o.now.loose, to)
			o.served()
		case unknown:
			t.count(0, 1)
			o.unanswered = append(o.unanswered, appended{to})
		}
		if err != nil {
			o.failedLMTP(err)
			return
		}
		o.pause(ctx, t.Think)
	}
}

// full tells that there is enough until the next check tidies up.
func (o *owner) full() bool {
	return len(o.now.known)+len(o.now.loose)+len(o.unanswered) >= 10*o.account.trial.LiveMax
}
