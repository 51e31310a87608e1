package mailbox

import (
	"context"
	"strconv"

	"postfach/internal/mail"
)

// BlockMessages is how many message ids share a block. Blocks are derived data about
// messages that mostly are wanted together; what is in them only those know who make them.
// When one of its messages is freed, a block goes with it, whatever it was made by.
const BlockMessages = 128

// BlockOf returns the block of a message, and its place there.
func BlockOf(id mail.MessageID) (number uint64, place int) {
	return uint64(id) / BlockMessages, int(id % BlockMessages)
}

func blockPrefix(number uint64) string { return "block/" + strconv.FormatUint(number, 36) + "/" }

// Block returns what is kept of a block under a name, NotFound when there is nothing.
func (a *Account) Block(ctx context.Context, number uint64, name string) ([]byte, error) {
	return a.Derived(ctx, blockPrefix(number)+name)
}

// ChangeBlock keeps what change makes of what is kept; it has to do with messages that are
// counted by a view, as of a ticket. Those who do it at the same time may undo each other's
// change.
//
// It waits until the messages are durable: one that a crash undoes may leave its id to
// another. And it keeps nothing that the sweeper may just have dropped: text of a message
// must not outlive it. (Of several processes, one that sweeps in the moment between reading
// and writing is not noticed.)
func (a *Account) ChangeBlock(ctx context.Context, t mail.Ticket, number uint64, name string, change func(old []byte) []byte) error {
	if err := a.Await(ctx, t); err != nil {
		return err
	}
	e := a.engine
	sweeps := e.sweeps.Load()
	if e.sweeping.Load() > 0 {
		return nil
	}
	old, err := a.Block(ctx, number, name)
	if err != nil && !mail.Is(err, mail.NotFound) {
		return err
	}
	if err := a.PutDerived(ctx, blockPrefix(number)+name, change(old)); err != nil {
		return err
	}
	if e.sweeps.Load() != sweeps {
		return e.store.DropDerived(ctx, a.ID, blockPrefix(number)+name)
	}
	return nil
}
