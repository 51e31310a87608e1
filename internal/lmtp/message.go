package lmtp

import (
	"log/slog"
	"time"

	"postfach/internal/delivery"
	"postfach/internal/mail"
)

// begin starts the transfer to the recipients.
func (s *session) begin() {
	s.transfer = s.srv.o.Delivery.Begin(s.ctx, delivery.Envelope{From: s.from, Trace: true}, s.recipients)
}

// take passes on a piece of the message. Of one that is too big nothing more is
// passed on; false when it is so much too big that reading on is a waste.
func (s *session) take(b []byte) bool {
	s.conn.dataBytes += int64(len(b))
	s.bytes += int64(len(b))
	over := s.bytes - s.srv.o.Delivery.SizeMax()
	if over > 0 && !s.tooBig {
		s.tooBig = true
		s.transfer.Discard()
	}
	if !s.tooBig {
		s.transfer.Write(b)
	}
	return over <= s.limits.OverrunBytesMax
}

// finish delivers the message and gives one reply for each recipient, in the order of
// the RCPTs (RFC 2033 4.2). The transaction is then over.
func (s *session) finish() {
	began := s.srv.o.Env.Now()
	var results []error
	if s.tooBig {
		for range s.recipients {
			results = append(results, mail.Errorf(mail.TooBig, "the message is too big"))
		}
	} else {
		results = s.transfer.Finish(s.ctx)
	}
	failed := 0
	for _, err := range results {
		if err == nil {
			s.good(250, "2.1.5", "delivered")
			continue
		}
		failed++
		if isFault(err) {
			s.srv.o.Env.Log.Warn("delivery failed", "err", err)
		}
		s.replyTo(err)
	}
	s.count(len(results)-failed, failed, s.srv.o.Env.Now().Sub(began))
	s.reset()
}

func (s *session) count(delivered, failed int, took time.Duration) {
	m := s.srv.o.Metrics
	m.Delivered.Add(int64(delivered))
	m.DeliveryFailures.Add(int64(failed))
	m.DeliveredBytes.Add(s.bytes)
	m.DeliveryWaits.Observe(took)
	if log := s.srv.o.Env.Log; log.Enabled(s.ctx, slog.LevelDebug) {
		log.Debug("message", "remote", remoteOf(s.conn.Conn), "bytes", s.bytes,
			"delivered", delivered, "failed", failed, "took", took)
	}
	s.commands = 0
	if delivered > 0 {
		s.messages++
	}
}
