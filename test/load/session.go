package load

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"postfach/internal/imapclient"
)

const (
	batchMax = 16 // commands in one pipeline
	setMax   = 4  // messages in one COPY or MOVE
)

var flags = []string{`\Seen`, `\Flagged`, `\Answered`, "work", "$Label1"}

// session is one connection, until it is lost or the context ends.
func (o *owner) session(ctx context.Context, s Service) {
	if o.mta {
		o.deliver(ctx, s)
		return
	}
	began := time.Now()
	c, err := o.account.login(s)
	o.waited("login", began)
	if err != nil {
		o.wait("login", err)
		return
	}
	defer c.Close()
	for ctx.Err() == nil && o.resume(ctx, c) && o.visit(ctx, c) {
		o.pause(ctx, o.account.trial.Think)
	}
}

// visit works in one mailbox for a while. False: the connection is lost.
func (o *owner) visit(ctx context.Context, c *imapclient.Client) bool {
	// Mailboxes where it has messages, most of the time.
	mailbox := o.pick(append(append([]string{}, shared...), o.alone))
	began := time.Now()
	_, err := c.Select(mailbox)
	o.waited("SELECT", began)
	if err != nil {
		o.failed("SELECT", err)
		return isNO(err)
	}
	for n := range 1 + o.rnd.IntN(3) {
		if n > 0 {
			o.pause(ctx, o.account.trial.Think)
		}
		b := o.newBatch(c, mailbox)
		for range 1 + o.rnd.IntN(batchMax) {
			b.add()
		}
		if !b.wait() {
			return false
		}
	}
	return o.rnd.IntN(3) > 0 || o.look(c, mailbox)
}

func (o *owner) pick(from []string) string { return from[o.rnd.IntN(len(from))] }

// batch is a run of pipelined commands in one mailbox.
type batch struct {
	owner   *owner
	client  *imapclient.Client
	mailbox string
	mine    []place // own messages in the mailbox that no command of the batch removes
	deleted []place // own messages in the mailbox that are marked
	sent    []sent
}

// sent is a command with what its answer will mean.
type sent struct {
	op      op
	command *imapclient.Command
	copied  *imapclient.Copied // of COPY and MOVE
}

func (o *owner) newBatch(c *imapclient.Client, mailbox string) *batch {
	b := &batch{owner: o, client: c, mailbox: mailbox}
	for p, m := range o.now.known {
		if p.mailbox != mailbox {
			continue
		}
		if strings.Contains(m.flags, `\Deleted`) {
			b.deleted = append(b.deleted, p)
		} else {
			b.mine = append(b.mine, p)
		}
	}
	slices.SortFunc(b.mine, func(x, y place) int { return int(x.uid) - int(y.uid) })
	slices.SortFunc(b.deleted, func(x, y place) int { return int(x.uid) - int(y.uid) })
	return b
}

// add sends one more command.
func (b *batch) add() {
	o := b.owner
	crowded := len(o.now.known) > o.account.trial.LiveMax
	switch n := o.rnd.IntN(10); {
	case len(b.mine) == 0 && len(b.deleted) == 0, n < 3 && !crowded:
		b.append()
	case n < 5 && len(b.mine) > 0:
		b.store()
	case n < 7 && len(b.mine) > 0:
		b.copy(n == 6 || crowded)
	case n < 9 && len(b.mine) > 0:
		b.mark()
	case len(b.deleted) > 0:
		b.expunge()
	}
}

func (b *batch) send(what op, command *imapclient.Command) {
	b.sent = append(b.sent, sent{op: what, command: command})
}

func (b *batch) append() {
	o := b.owner
	to := loose{o.pick(append([]string{o.alone}, shared...)), message{id: o.newMessage()}}
	var some []string
	if o.rnd.IntN(2) == 0 {
		some = []string{o.pick(flags)}
	}
	to.flags = sorted(some)
	m := Text(to.id)
	b.send(appended{to}, b.client.SendAppend(to.mailbox, bytes.NewReader(m), int64(len(m)), imapclient.AppendOptions{Flags: some}))
}

// take takes some messages out of reach of later commands of the batch.
func (b *batch) take(from *[]place, atMost int) []place {
	n := 1 + b.owner.rnd.IntN(min(atMost, len(*from)))
	i := b.owner.rnd.IntN(len(*from) - n + 1)
	some := slices.Clone((*from)[i : i+n])
	*from = slices.Delete(*from, i, i+n)
	return some
}

func (b *batch) store() {
	o := b.owner
	at := b.mine[o.rnd.IntN(len(b.mine))]
	some := []string{o.pick(flags)}
	if o.rnd.IntN(2) == 0 {
		some = append(some, o.pick(flags))
	}
	how, word := byte('='), "FLAGS"
	if n := o.rnd.IntN(3); n > 0 {
		how = "+-"[n-1]
		word = string(how) + word
	}
	if o.rnd.IntN(2) == 0 {
		word += ".SILENT"
	}
	b.send(stored{at, how, some}, b.client.SendStore("UID STORE", fmt.Sprint(at.uid), word, some...))
}

func (b *batch) mark() {
	some := b.take(&b.mine, 1)
	b.send(stored{some[0], '+', []string{`\Deleted`}}, b.client.SendStore("UID STORE", fmt.Sprint(some[0].uid), "+FLAGS.SILENT", `\Deleted`))
	b.deleted = append(b.deleted, some[0])
}

// expunge removes some of what is marked; in its own mailbox, where nobody else can have
// marked anything, all of it.
func (b *batch) expunge() {
	if b.mailbox == b.owner.alone {
		b.send(expunged{slices.Clone(b.deleted)}, b.client.Send("EXPUNGE"))
		b.deleted = nil
		return
	}
	gone := b.take(&b.deleted, len(b.deleted))
	b.send(expunged{gone}, b.client.Send("UID EXPUNGE "+set(gone)))
}

func set(places []place) string {
	var words []string
	for _, p := range places {
		words = append(words, fmt.Sprint(p.uid))
	}
	return strings.Join(words, ",")
}

// copy copies or moves. What is copied stays within reach: a later command of the batch may
// change it.
func (b *batch) copy(move bool) {
	o := b.owner
	to := o.pick(slices.DeleteFunc(append([]string{o.alone}, shared...), func(m string) bool { return m == b.mailbox }))
	some := b.take(&b.mine, setMax)
	command := "UID COPY"
	if move {
		command = "UID MOVE"
	} else {
		b.mine = append(b.mine, some...)
	}
	slices.SortFunc(some, func(x, y place) int { return int(x.uid) - int(y.uid) })
	cmd, result := b.client.SendCopy(command, set(some), to)
	b.sent = append(b.sent, sent{copied{some, to, move}, cmd, result})
}

// wait waits for all answers and takes them down; false: the connection is lost.
func (b *batch) wait() bool {
	o := b.owner
	done := 0
	began := time.Now()
	defer o.waited("changes", began)
	for i, s := range b.sent {
		status, err := s.command.Wait()
		switch {
		case err == nil:
			b.answered(s, &status)
			o.served()
			done++
		case isNO(err):
			o.failed(fmt.Sprintf("%T%+[1]v", s.op), err)
		default:
			o.failed(fmt.Sprintf("%T%+[1]v", s.op), err)
			for _, rest := range b.sent[i:] {
				o.unanswered = append(o.unanswered, rest.op)
			}
			o.account.trial.count(done, len(b.sent)-i)
			return false
		}
	}
	o.account.trial.count(done, 0)
	return true
}

// answered takes down what a tagged OK has promised.
func (b *batch) answered(s sent, status *imapclient.Status) {
	o, known := b.owner, b.owner.now.known
	switch c := s.op.(type) {
	case appended:
		_, uid, ok := status.AppendUID()
		if !ok {
			o.account.trial.Violation("%s: APPEND without APPENDUID", o.name)
			return
		}
		p := place{c.to.mailbox, uid}
		o.account.note(p, c.to.id)
		known[p] = c.to.message
	case copied:
		n := 0
		before := maps.Clone(known)
		s.copied.Pairs(func(from, to uint32) bool {
			m, ok := before[place{b.mailbox, from}]
			if !ok {
				return false
			}
			n++
			p := place{c.to, to}
			o.account.note(p, m.id)
			known[p] = m
			if c.move {
				delete(known, place{b.mailbox, from})
				o.removed[place{b.mailbox, from}] = true
			}
			return true
		})
		if n != len(c.from) {
			o.account.trial.Violation("%s: COPYUID %v for %v", o.name, *s.copied, c)
		}
	case expunged:
		c.do(&o.now)
		for _, p := range c.gone {
			o.removed[p] = true
		}
	default:
		c.do(&o.now)
	}
}

// look reads what is in the mailbox, messages of all sessions: what is shown once must
// stay, unless its owner takes it away.
func (o *owner) look(c *imapclient.Client, mailbox string) bool {
	defer o.waited("FETCH", time.Now())
	for m, err := range c.UIDFetch("1:*", "(UID BODY.PEEK[HEADER.FIELDS (X-Id)])") {
		if err != nil {
			o.failed("FETCH", err)
			return isNO(err)
		}
		if m.Body() == nil {
			continue // news of its flags
		}
		p := place{mailbox, m.UID}
		o.account.note(p, IDIn(m.Body()))
		o.account.mu.Lock()
		o.account.sighted[p] = true
		o.account.mu.Unlock()
	}
	return true
}
