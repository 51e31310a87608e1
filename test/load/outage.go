package load

import (
	"context"
	"errors"
	"fmt"
	"net/textproto"
	"strings"
	"time"

	"postfach/internal/imapclient"
)

const (
	// retryPause is the mean pause before a session tries again.
	retryPause = 100 * time.Millisecond
	// settleTime is how long a command whose connection is lost may still be on its way
	// to the database, before a session looks what has become of it.
	settleTime = 3 * time.Second
)

// unwilling tells answers that nobody may give: in an outage, to say "not now" is right.
func (t *Trial) unwilling(err error) bool {
	return refused(err) && !(t.Outage != nil && notNow(err))
}

func notNow(err error) bool {
	var e *imapclient.Error
	return errors.As(err, &e) && (e.Code == "UNAVAILABLE" || e.Kind == "BYE")
}

// isNO tells an answer after which the session goes on, and which says for certain that
// nothing was done.
func isNO(err error) bool {
	var e *imapclient.Error
	return errors.As(err, &e) && e.Kind == "NO"
}

// failed takes down that a command was refused or got no answer; what is no outage is a
// violation.
func (o *owner) failed(command string, err error) {
	if o.account.trial.unwilling(err) {
		o.account.trial.Violation("%s: %s: %v", o.name, command, err)
	}
	o.wait(command, err)
}

// failedLMTP is failed for LMTP.
func (o *owner) failedLMTP(err error) {
	t := o.account.trial
	if answer := new(textproto.Error); errors.As(err, &answer) && (t.Outage == nil || answer.Code/100 != 4) {
		t.Violation("%s: LMTP: %v", o.name, err)
	}
	o.wait("LMTP", err)
}

// wait begins an outage, unless there is one already.
func (o *owner) wait(command string, err error) {
	if o.outage.first == nil && err != nil {
		o.outage.first, o.outage.began = fmt.Errorf("%s: %w", command, err), time.Now()
	}
}

// waited tells how long a command has waited for its answer.
func (o *owner) waited(command string, began time.Time) {
	o.account.trial.Waited(command, time.Since(began))
}

// served ends an outage.
func (o *owner) served() {
	if o.outage.first == nil {
		return
	}
	if told := o.account.trial.Outage; told != nil {
		told(o.outage.first, time.Since(o.outage.began))
	}
	o.outage.first = nil
}

// pause waits about as long as told, or until the context ends.
func (o *owner) pause(ctx context.Context, mean time.Duration) {
	if mean <= 0 {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(mean/2 + time.Duration(o.rnd.Int64N(int64(mean)))):
	}
}

// resume goes on after an outage: it appends until that is done for it, then finds out what
// has become of the commands that were never answered. False: the connection is lost.
func (o *owner) resume(ctx context.Context, c *imapclient.Client) bool {
	for o.outage.first != nil {
		b := o.newBatch(c, "")
		b.append()
		if !b.wait() || ctx.Err() != nil {
			return false
		}
		if o.outage.first != nil {
			o.pause(ctx, retryPause)
		}
	}
	if len(o.unanswered) == 0 {
		return true
	}
	o.pause(ctx, settleTime)
	if ctx.Err() != nil {
		return false
	}
	found := make(map[place]message)
	for _, mailbox := range append([]string{o.alone}, shared...) {
		if err := o.readOwn(c, mailbox, found); err != nil {
			o.failed("reading again", err)
			return false
		}
	}
	o.fits(found)
	return true
}

// readOwn reads which messages of its own are in a mailbox, without their bodies.
func (o *owner) readOwn(c *imapclient.Client, mailbox string, found map[place]message) error {
	if _, err := c.Examine(mailbox); err != nil {
		return err
	}
	for m, err := range c.UIDFetch("1:*", "(UID FLAGS BODY.PEEK[HEADER.FIELDS (X-Id)])") {
		if err != nil {
			return err
		}
		p := place{mailbox, m.UID}
		if m.Body() == nil { // news of its flags
			if was, mine := found[p]; mine {
				found[p] = message{was.id, withoutRecent(m.Flags)}
			}
			continue
		}
		id := IDIn(m.Body())
		o.account.note(p, id)
		if ownerOf(id) == o.name {
			found[p] = message{id, withoutRecent(m.Flags)}
		}
	}
	return nil
}

// Kind is a word for what a refusal was.
func Kind(err error) string {
	var answer *imapclient.Error
	var smtp *textproto.Error
	switch {
	case errors.As(err, &answer):
		return answer.Kind
	case errors.As(err, &smtp):
		return "4xx"
	case strings.Contains(err.Error(), "refused"):
		return "connection refused"
	case strings.Contains(err.Error(), "timeout"):
		command, _, _ := strings.Cut(err.Error(), ":")
		return "no answer to " + command
	}
	return "connection lost"
}
