package imap

import (
	"bytes"
	"slices"
	"sync"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
)

// A client that sends many changes without waiting for the answers gets them done together:
// those that have come are one commit. Each is answered as if it had been alone, since no two
// of them are about the same message.

// joint is the request of a command that changes flags and can be done together with others.
type joint interface {
	request
	// plan returns what the command does; nil: nothing. An error is its answer.
	plan(s *session) (*mailbox.Store, error)
	// alone tells whether it can't be planned before those in front of it are answered.
	alone() bool
	// done hears what came of it, before the view shows anything of that.
	done(s *session, r *mailbox.Result)
	// answer says what came of it.
	answer(s *session, r *mailbox.Result) error
}

const (
	togetherMax       = 256  // commands that are done together
	togetherRangesMax = 1000 // of messages that they name
	togetherBytesMax  = 2000 // in the line of one that joins others
)

// together is a run of commands. It may be used again, with the requests in it.
type together struct {
	members []member
	touched mail.UIDSet // all messages that they name
	ops     []mailbox.Op
	each    mailbox.Each
	apart   member // the command under way while these are answered, when it is none of them
}

// member is a command of a run, with all that is the session's while it is answered.
type member struct {
	tag       []byte
	command   *commandEntry
	req       joint
	op        *mailbox.Store // nil: nothing to do
	result    mailbox.Result
	err       error
	limitedAt mail.UID
}

var togethers = sync.Pool{New: func() any { return new(together) }}

// perform does the command under way, with those behind it that can be done together with it.
// The last one is then the command under way.
func (s *session) perform(req request) error {
	for {
		first, ok := req.(joint)
		if !ok || s.ahead() == nil {
			return req.run(s)
		}
		next, err := s.runTogether(first)
		if next == nil {
			return err
		}
		req = next // it goes with those behind it
	}
}

// runTogether does a run of commands, and returns the one that has been read and goes not with
// them, if there is one.
func (s *session) runTogether(first joint) (next joint, err error) {
	t := togethers.Get().(*together)
	defer t.release(s)
	joined, err := t.add(s, first)
	if err != nil {
		return nil, err
	}
	for joined && t.hasRoom() {
		entry := s.ahead()
		if entry == nil {
			return nil, t.do(s, true)
		}
		if next, err = s.join(t, entry); isConnError(err) {
			return nil, err
		}
		joined = err == nil && next == nil
	}
	if joined {
		return nil, t.do(s, true)
	}
	t.apart.set(s)
	if failed := t.do(s, false); failed != nil {
		return nil, failed
	}
	t.apart.resume(s)
	return next, err
}

// ahead returns the next command when all of it has come and it is one that can be done
// together with others.
func (s *session) ahead() *commandEntry {
	line := s.r.Ahead()
	n := len(line)
	if n == 0 || n > togetherBytesMax || !bytes.HasSuffix(line, []byte("\r\n")) || bytes.HasSuffix(line, []byte("}\r\n")) {
		return nil
	}
	_, rest, _ := bytes.Cut(line, []byte(" "))
	if n := len(s.command.word); len(rest) > n && rest[n] == ' ' && string(rest[:n]) == s.command.word {
		return s.command // it is joint, since it asks
	}
	var room [40]byte
	word, rest, _ := bytes.Cut(rest, []byte(" "))
	name := appendUpper(room[:0], word)
	if string(name) == "UID" {
		word, _, _ = bytes.Cut(rest, []byte(" "))
		name = appendUpper(append(name, ' '), word)
	}
	entry := commandTable[string(name)]
	if entry == nil || !entry.joint || entry.numbers != s.command.numbers {
		return nil // a number may be another's when the command before is answered
	}
	return entry
}

// join reads the next command, and adds it to the run. If it goes not with those that are there it
// is returned.
func (s *session) join(t *together, entry *commandEntry) (apart joint, err error) {
	s.requests[entry.number] = t.spare(entry)
	req, err := s.receive()
	if err != nil {
		return nil, err
	}
	q := req.(joint)
	if q.alone() {
		return q, nil
	}
	joined, err := t.add(s, q)
	if err != nil || joined {
		return nil, err
	}
	return q, nil
}

// add plans the command under way and makes it a member, unless another is about the same messages.
func (t *together) add(s *session, q joint) (bool, error) {
	op, err := q.plan(s)
	if err != nil {
		return false, err
	}
	if op != nil && !t.touch(op.UIDs) {
		s.limitedAt = 0
		return false, nil
	}
	n := len(t.members)
	t.members = slices.Grow(t.members, 1)[:n+1]
	m := &t.members[n]
	m.set(s)
	if m.req, m.op = q, op; op != nil {
		t.ops = append(t.ops, op)
	}
	return true, nil
}

// touch adds messages to those that are named, when none of them is.
func (t *together) touch(uids mail.UIDSet) bool {
	switch n := len(t.touched); {
	case n == 0 || t.touched[n-1].Last < uids[0].First:
		t.touched = append(t.touched, uids...)
	case len(t.touched.Intersect(uids)) > 0:
		return false
	default:
		t.touched = append(t.touched, uids...).Normalize()
	}
	return true
}

func (t *together) hasRoom() bool {
	return len(t.members) < togetherMax && len(t.touched) < togetherRangesMax
}

// spare returns a request, one that is not in use any more or a new one.
func (t *together) spare(entry *commandEntry) request {
	if n := len(t.members); n < cap(t.members) {
		if m := &t.members[:n+1][n]; m.command == entry && m.req != nil {
			q := m.req
			m.req = nil
			return q
		}
	}
	return entry.new()
}

// do does all of them in one commit and answers them. With the last one its answer is the
// session's to finish.
func (t *together) do(s *session, lastUnderWay bool) error {
	var all error
	if len(t.ops) > 0 {
		t.each.Awaited = s.awaited()
		all = s.account.DoEach(s.ctx, t.ops, &t.each)
	}
	if mail.Is(all, mail.Unavailable) {
		return &connError{all} // nobody knows whether it has happened
	}
	n := 0
	for i := range t.members {
		m := &t.members[i]
		if m.op == nil {
			continue
		}
		if m.err = all; all == nil {
			m.err, m.result = t.each.Errs[n], t.each.Results[n]
			n++
		}
		if m.err == nil {
			s.did(m.op, &m.result)
			m.req.done(s, &m.result)
		}
	}
	s.view.Refresh()
	last := len(t.members) - 1
	for i := range t.members {
		err := t.members[i].answer(s)
		if lastUnderWay && i == last {
			return err
		}
		s.news()
		s.finish(err)
		if s.over {
			return errOver
		}
	}
	if s.w.Err() != nil {
		return errAnswered
	}
	return nil
}

// set remembers which command is under way.
func (m *member) set(s *session) {
	m.tag = append(m.tag[:0], s.tag...)
	m.command, m.limitedAt, m.err, m.result = s.command, s.limitedAt, nil, mailbox.Result{}
}

// resume makes it the command under way again.
func (m *member) resume(s *session) {
	s.tag = append(s.tag[:0], m.tag...)
	s.command, s.limitedAt = m.command, m.limitedAt
	s.ok.reset()
}

func (m *member) answer(s *session) error {
	m.resume(s)
	if m.err != nil {
		return m.err
	}
	return m.req.answer(s, &m.result)
}

// release gives the room back. A request that is the session's stays with it.
func (t *together) release(s *session) {
	for i := range t.members {
		if m := &t.members[i]; m.req == s.requests[m.command.number] {
			m.req = nil
		}
	}
	clear(t.ops)
	clear(t.each.Results)
	t.members, t.touched, t.ops = t.members[:0], t.touched[:0], t.ops[:0]
	togethers.Put(t)
}
