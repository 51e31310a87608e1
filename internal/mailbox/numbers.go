package mailbox

import (
	"context"
	"time"

	"postfach/internal/mail"
)

// numbersTimeout is how long an append that has happened waits for its UIDs when the
// answer that had them got lost.
const numbersTimeout = 5 * time.Second

// findNumbers reads the numbers of a blind commit whose answer got lost, and takes in
// what it did. The commit has happened: where its numbers can't be read any more, its
// changes are left without.
func (a *Account) findNumbers(ctx context.Context, c *mail.Commit, v mail.Version) {
	clearNumbers(c.Changes)
	ctx, cancel := context.WithTimeout(ctx, numbersTimeout)
	defer cancel()
	for wait := askWaitMin; ; wait = min(2*wait, askWaitMax) {
		list, err := a.readSince(ctx)
		switch {
		case err == nil:
			giveNumbers(c.Changes, list, v)
			a.absorbAll(list)
			return
		case mail.Is(err, mail.Invalid):
			if a.reload(ctx) == nil {
				return
			}
		}
		if !a.sleep(ctx, wait) {
			a.engine.news.behind(a.ID)
			return
		}
	}
}

// readSince reads all that the store has and the state has not. Invalid: the log does
// not reach back so far. It needs the turn.
func (a *Account) readSince(ctx context.Context) (list []mail.Change, err error) {
	for c, err := range a.engine.store.Since(ctx, a.ID, a.state.current) {
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// absorbAll takes in what other processes have done. It needs the turn.
func (a *Account) absorbAll(list []mail.Change) {
	s := a.state.begin()
	for _, c := range list {
		s.absorb(c)
	}
	s.publish(a, a.state.ticket)
}

func clearNumbers(list []mail.Change) {
	for _, c := range list {
		appended := c.(*mail.Appended)
		appended.ModSeq = 0
		for i := range appended.Arrivals {
			at := &appended.Arrivals[i]
			at.Row.UID, at.Row.ModSeq, at.Row.Message, at.Message.ID = 0, 0, 0, 0
		}
	}
}

// giveNumbers fills in the numbers of a blind commit from the log: it has the versions
// that end with v, one for each change. If anything does not fit, no numbers are given:
// none are better than wrong ones.
func giveNumbers(changes, log []mail.Change, v mail.Version) {
	first := v + 1 - mail.Version(len(changes))
	rows := make([][]mail.Row, len(changes))
	for _, c := range log {
		appended, ok := c.(*mail.Appended)
		if !ok || appended.ModSeq < first || appended.ModSeq > v {
			continue
		}
		i := appended.ModSeq - first
		if appended.Mailbox != changes[i].(*mail.Appended).Mailbox {
			return
		}
		for _, arrival := range appended.Arrivals {
			rows[i] = append(rows[i], arrival.Row)
		}
	}
	for i, c := range changes {
		if !sameRows(rows[i], c.(*mail.Appended).Arrivals) {
			return
		}
	}
	for i, c := range changes {
		appended := c.(*mail.Appended)
		appended.ModSeq = first + mail.Version(i)
		for n, row := range rows[i] {
			at := &appended.Arrivals[n]
			at.Row, at.Message.ID = row, row.Message
		}
	}
}

func sameRows(rows []mail.Row, arrivals []mail.Arrival) bool {
	if len(rows) != len(arrivals) {
		return false
	}
	for i := range rows {
		if rows[i].Size != arrivals[i].Row.Size || rows[i].Flags != arrivals[i].Row.Flags {
			return false
		}
	}
	return true
}
