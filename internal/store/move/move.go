package move

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"postfach/internal/mail"
)

// Options of a move. Zero values mean the defaults.
type Options struct {
	Now func() time.Time
	// AccountsAtOnce is how many accounts All moves at the same time; 2.
	AccountsAtOnce int
	// Deep reads the bytes of every message back before an account changes its place.
	Deep bool
	// Below this much that is still missing, an account is fenced; 500 messages and rows,
	// 4 MiB. Above it, it is copied once more, PassesMax times in all; 8.
	DeltaMessages int
	DeltaBytes    int64
	PassesMax     int
	// FenceTimeout bounds the time under the fence: a move that would take longer is undone
	// and fails; 5 s.
	FenceTimeout time.Duration
	// Switched is told when an account has changed its place: who has it loaded should drop it.
	Switched func(mail.AccountID)
	// Moved is told of every account of All, one at a time.
	Moved func(Moved)
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.AccountsAtOnce == 0 {
		o.AccountsAtOnce = 2
	}
	if o.DeltaMessages == 0 {
		o.DeltaMessages = 500
	}
	if o.DeltaBytes == 0 {
		o.DeltaBytes = 4 << 20
	}
	if o.PassesMax == 0 {
		o.PassesMax = 8
	}
	if o.FenceTimeout == 0 {
		o.FenceTimeout = 5 * time.Second
	}
	return o
}

// Moved is what became of one account.
type Moved struct {
	Account  mail.Account
	Messages int64         // copied in this move
	Bytes    int64         // of them
	Fenced   time.Duration // how long it could not be written
	Err      error
}

// Account moves one account. When the account is at the target already, it only sees to it that the source has let go of it.
// The end of the context is a clean stop: the account stays where it is, and the next move
// goes on with what has been copied. No two moves of an account may run at the same time.
func Account(ctx context.Context, from, to mail.Movable, id mail.AccountID, o Options) (Moved, error) {
	m := &mover{from: from, to: to, id: id, o: o.withDefaults(), known: map[mail.MailboxID]*known{}}
	m.err(m.run(ctx))
	return m.moved, m.moved.Err
}

// mover moves one account.
type mover struct {
	from, to mail.Movable
	id       mail.AccountID
	o        Options
	moved    Moved

	in       mail.Import
	known    map[mail.MailboxID]*known // what the target has
	outcomes mail.Version              // those up to it are at the target
	finished bool                      // Finish was called: the target may have decided
}

func (m *mover) err(err error) {
	if err != nil {
		m.moved.Err = fmt.Errorf("moving the account %s: %w", m.moved.Account.Name, err)
	}
}

func (m *mover) run(ctx context.Context) error {
	var err error
	m.moved.Account = mail.Account{ID: m.id, Name: m.id.String()}
	if done, err := m.recover(ctx); done || err != nil {
		return err
	}
	if m.moved.Account, err = m.from.Entry(ctx, m.id); err != nil {
		return err
	}
	if m.in, err = m.to.Import(ctx, m.moved.Account); err != nil {
		return err
	}
	defer func() { m.in.Close() }()
	for pass := 1; ; pass++ {
		state, err := m.from.LoadAccount(ctx, m.id)
		if err != nil {
			return err
		}
		delta, err := m.copy(ctx, state)
		if err == nil {
			err = m.in.Outcomes(ctx, m.from.Outcomes(ctx, m.id, m.outcomes))
		}
		if err != nil {
			return err
		}
		m.outcomes = state.Version
		if pass >= m.o.PassesMax || delta.messages+delta.rows < m.o.DeltaMessages && delta.bytes < m.o.DeltaBytes {
			break
		}
	}
	if err := m.verify(ctx); err != nil {
		return err
	}
	return m.change(ctx)
}

// recover finishes or undoes what a move that was broken off has left. done: the account is
// at the target.
func (m *mover) recover(ctx context.Context) (done bool, err error) {
	here, err := m.from.Place(ctx, m.id)
	if err != nil {
		return false, err
	}
	there, err := m.to.Place(ctx, m.id)
	if err != nil {
		return false, err
	}
	switch {
	case here == mail.Here && there != mail.Here && there != mail.Fenced:
		return false, nil
	case here == mail.Fenced && there == mail.Here:
		return true, m.leave(ctx)
	case here == mail.Fenced && there != mail.Fenced:
		return false, m.undo(ctx)
	case here == mail.Left && there == mail.Here:
		// Leaving may have been cut off between its writes (postgres: the account, then the directory).
		if err = m.from.Leave(ctx, m.id, m.o.Now().Unix()); err == nil {
			m.moved.Account, err = m.to.Entry(ctx, m.id)
		}
		return true, err
	case there == mail.Here && (here == mail.Nowhere || here == mail.Coming):
		m.moved.Account, err = m.to.Entry(ctx, m.id)
		return true, err
	case here == mail.Nowhere || here == mail.Coming || here == mail.Left:
		return false, mail.Errorf(mail.NotFound, "the account is not there")
	}
	return false, mail.Errorf(mail.Internal, "the account is in both stores")
}

// undo lifts a fence. Another import makes sure that the last one will not be finished any
// more by something that is still under way.
func (m *mover) undo(ctx context.Context) error {
	entry, err := m.from.Entry(ctx, m.id)
	if err != nil {
		return err
	}
	in, err := m.to.Import(ctx, entry)
	switch {
	case err == nil:
		err = in.Close()
	case mail.Is(err, mail.Exists):
		// It has been finished after all, or another account has taken its name meanwhile, so
		// that it never will be.
		var there mail.Place
		if there, err = m.to.Place(ctx, m.id); err == nil && there == mail.Here {
			err = mail.Errorf(mail.Busy, "the account has just arrived")
		}
	}
	if err != nil {
		return err
	}
	return m.from.Fence(ctx, m.id, false)
}

func (m *mover) leave(ctx context.Context) error {
	err := m.from.Leave(ctx, m.id, m.o.Now().Unix())
	if err == nil {
		m.moved.Account, err = m.to.Entry(ctx, m.id)
		if m.o.Switched != nil {
			m.o.Switched(m.id)
		}
	}
	return err
}

const (
	undoTimeout = 30 * time.Second // for what has to be settled after a failure under the fence
	undoWait    = 100 * time.Millisecond
)

// change is the time under the fence. When it can't be ended well, it is undone; when not
// even that is possible, the account stays fenced, and the next move settles it.
func (m *mover) change(ctx context.Context) error {
	began := time.Now()
	err := m.fenced(ctx)
	if err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
		defer cancel()
		m.in.Close()
		var there bool
		if there, err = m.settle(ctx, err); there {
			err = nil
		}
	}
	m.moved.Fenced = time.Since(began)
	return err
}

// settle is recover after a failure, until it is possible. there: the account has changed its
// place nevertheless.
func (m *mover) settle(ctx context.Context, cause error) (there bool, err error) {
	for {
		if m.finished {
			there, err = m.recover(ctx)
		} else {
			err = m.from.Fence(ctx, m.id, false)
		}
		if err == nil || mail.Is(err, mail.NotFound) {
			return there, cause
		}
		timer := time.NewTimer(undoWait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return false, fmt.Errorf("%w (and it stays fenced until the next move: %w)", cause, err)
		}
	}
}

func (m *mover) fenced(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, m.o.FenceTimeout)
	defer cancel()
	if err := m.from.Fence(ctx, m.id, true); err != nil {
		return err
	}
	state, err := m.from.LoadAccount(ctx, m.id)
	if err != nil {
		return err
	}
	if _, err := m.copy(ctx, state); err != nil {
		return err
	}
	entry, err := m.from.Entry(ctx, m.id)
	if err != nil {
		return err
	}
	m.finished = true
	if err := m.in.Finish(ctx, entry, state, m.from.Outcomes(ctx, m.id, m.outcomes)); err != nil {
		return err
	}
	return m.leave(ctx)
}

// All moves all accounts, several at once. What goes wrong with one stops none of the others;
// the error tells of the first and how many there are. The end of the context is a clean stop.
func All(ctx context.Context, from, to mail.Movable, o Options) error {
	o = o.withDefaults()
	var ids []mail.AccountID
	for a, err := range from.Accounts(ctx) {
		if err != nil {
			return err
		}
		ids = append(ids, a.ID)
	}
	var (
		mu     sync.Mutex
		failed int
		first  error
		wg     sync.WaitGroup
		queue  = make(chan mail.AccountID)
	)
	one := func(id mail.AccountID) {
		moved, err := Account(ctx, from, to, id, o)
		mu.Lock()
		defer mu.Unlock()
		if ctx.Err() != nil && err != nil || removed(ctx, from, err, id) {
			return // stopped, or removed meanwhile
		}
		if err != nil {
			if failed++; first == nil {
				first = err
			}
		}
		if o.Moved != nil {
			o.Moved(moved)
		}
	}
	for range o.AccountsAtOnce {
		wg.Go(func() {
			for id := range queue {
				one(id)
			}
		})
	}
feed:
	for _, id := range ids {
		select {
		case queue <- id:
		case <-ctx.Done():
			break feed
		}
	}
	close(queue)
	wg.Wait()
	switch {
	case failed > 0:
		return fmt.Errorf("%d of %d accounts have not moved; the first: %w", failed, len(ids), first)
	case ctx.Err() != nil:
		return mail.Wrap(mail.Busy, errors.New("stopped before all accounts have moved"))
	}
	return nil
}

// removed tells whether an account could not be moved because it is no more.
func removed(ctx context.Context, from mail.Movable, err error, id mail.AccountID) bool {
	if !mail.Is(err, mail.NotFound) {
		return false
	}
	place, e := from.Place(ctx, id)
	return e == nil && place == mail.Nowhere
}
