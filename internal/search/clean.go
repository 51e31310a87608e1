package search

import (
	"context"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"postfach/internal/mail"
)

// Text of a message must not stay for ever when the message is gone. What is kept of single
// messages goes with them, in the sweeper's own transaction; the segments of the index are
// written anew without them, about once a day.

// cleanName is a mark. It is made, with a number that nobody else has, before an index is
// cleaned, and the number goes into the manifest when that is done. The sweeper takes the
// mark away with every message that it frees: so both are equal only as long as there is
// nothing to do, whatever several processes do in whichever order, and whenever they end.
const cleanName = "search-clean"

// DerivedOf tells how the keys begin of what must go when a message does.
func DerivedOf(id mail.MessageID) []string {
	return []string{cleanName, chunkName(uint64(id) / chunkMessages)}
}

const (
	cleanInterval = 24 * time.Hour
	cleanDelayMax = 20 * time.Minute      // before the first time, so that processes differ
	cleanPause    = 10 * time.Millisecond // between two accounts
)

// cleanAll cleans the indexes of all accounts, again and again. Where several processes do it,
// the later ones find that it is done.
func (x *Indexer) cleanAll(ctx context.Context) {
	for wait := rand.N(cleanDelayMax); mail.Sleep(ctx, wait); wait = cleanInterval {
		var ids []mail.AccountID
		for a, err := range x.store.Accounts(ctx) {
			if err != nil {
				break // those that are not found now are the next time
			}
			ids = append(ids, a.ID)
		}
		for _, id := range ids {
			if err := x.Clean(ctx, id); err != nil && ctx.Err() == nil && !mail.Is(err, mail.NotFound) {
				x.env.Log.Info("cleaning an index is put off", "account", id, "err", err)
			}
			if !mail.Sleep(ctx, cleanPause) {
				return
			}
		}
	}
}

// Clean takes out of an account's index what is about messages that are gone, if the sweeper
// has freed any since the last time.
func (x *Indexer) Clean(ctx context.Context, id mail.AccountID) error {
	sealed, err := x.store.Derived(ctx, id, manifestName)
	if mail.Is(err, mail.NotFound) {
		return nil // there is no index
	}
	if err != nil {
		return err
	}
	mark, err := x.store.Derived(ctx, id, cleanName)
	if err != nil && !mail.Is(err, mail.NotFound) {
		return err
	}
	if m := openManifest(sealed); m != nil && len(mark) == 8 && m.clean == binary.BigEndian.Uint64(mark) && len(m.dropped) == 0 {
		return nil
	}
	return x.alone(ctx, func() error { return x.update(ctx, id, true) })
}

// clean writes segments anew of which a message is gone.
func (p *pass) clean() error {
	mark := make([]byte, 8)
	if _, err := io.ReadFull(p.x.env.Random, mark); err != nil {
		return mail.Wrap(mail.Internal, err)
	}
	if err := p.x.store.PutDerived(p.ctx, p.account, cleanName, mark); err != nil {
		return err
	}
	live, err := p.living()
	if err != nil {
		return err
	}
	if err := p.rewrite(live, func(left, was int64) bool { return left < was }); err != nil {
		return err
	}
	p.manifest.clean = binary.BigEndian.Uint64(mark)
	return p.publish()
}

// collect writes segments anew in which most messages are no longer there.
func (p *pass) collect() error {
	var indexed int64
	for _, s := range p.manifest.segments {
		indexed += s.live
	}
	if indexed <= 2*p.state.Totals.Messages+batchMessagesMax {
		return nil
	}
	live, err := p.living()
	if mail.Is(err, mail.Busy) {
		return nil // it is not urgent
	}
	if err != nil {
		return err
	}
	return p.rewrite(live, func(left, was int64) bool { return 2*left < was })
}

// rewrite writes segments anew, without the messages that are not there, of which so many are
// left of so many that it pays.
func (p *pass) rewrite(live map[uint64]*roaring.Bitmap, pays func(left, was int64) bool) error {
	for i := len(p.manifest.segments) - 1; i >= 0; i-- { // those behind i may become one
		i = min(i, len(p.manifest.segments)-1)
		s := p.manifest.segments[i]
		if left := live[s.id]; s.id != 0 && pays(int64(left.GetCardinality()), s.live) {
			if err := p.merge(i, i+1, []*roaring.Bitmap{left}); err != nil {
				return err
			}
		}
	}
	return nil
}

// livingTries is how often the mailboxes are read when the account changes meanwhile.
const livingTries = 4

var errRestless = mail.Errorf(mail.Busy, "the account does not stay the same while it is read")

// living returns the ordinals of the messages that are there, of every segment. A message that
// is moved while one mailbox is read after the other might be found in none: then all are read
// again.
func (p *pass) living() (live map[uint64]*roaring.Bitmap, err error) {
	for range livingTries {
		if p.state, err = p.x.store.LoadAccount(p.ctx, p.account); err != nil {
			return nil, err
		}
		live = make(map[uint64]*roaring.Bitmap)
		for _, s := range p.manifest.segments {
			live[s.id] = roaring.New()
		}
		if err := p.eachMessage(func(id mail.MessageID) { p.manifest.mark(live, id) }); err != nil {
			return nil, err
		}
		v, err := p.x.store.Version(p.ctx, p.account)
		if err != nil {
			return nil, err
		}
		if v == p.state.Version {
			return live, nil
		}
	}
	return nil, errRestless
}

// mark adds a message to the ordinals of its segment.
func (m *manifest) mark(ordinals map[uint64]*roaring.Bitmap, id mail.MessageID) {
	i, found := slices.BinarySearchFunc(m.segments, id, func(s segmentInfo, id mail.MessageID) int {
		switch {
		case s.end() <= id:
			return -1
		case s.lo > id:
			return 1
		}
		return 0
	})
	if found && m.segments[i].id != 0 {
		ordinals[m.segments[i].id].Add(uint32(id - m.segments[i].lo))
	}
}
