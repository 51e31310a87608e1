package search

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"postfach/internal/mail"
)

// pass brings one account's index up to date.
type pass struct {
	x        *Indexer
	ctx      context.Context
	account  mail.AccountID
	from     Source
	turn     *Turn
	since    time.Time // when it has begun to work, or has rested last
	reader   reader
	document *document

	state    *mail.AccountState
	manifest *manifest
	stored   []byte // the manifest as this pass has read or written it, sealed
}

// keepDropped is how long a segment that is no longer listed stays for searches that have
// begun with it, in seconds.
const keepDropped = 60

var errRaced = mail.Errorf(mail.Busy, "another process indexes the same account")

func (x *Indexer) update(ctx context.Context, id mail.AccountID, clean bool) error {
	from, err := x.open(ctx, id)
	if err != nil {
		return err
	}
	defer from.Close()
	p := &pass{x: x, ctx: ctx, account: id, from: from, turn: x.workers.Turn(), since: x.env.Now(), reader: reader{x.index, id, false}}
	defer p.turn.End()
	if err := p.begin(); err != nil {
		return err
	}
	if err := p.fillGaps(); err != nil {
		return err
	}
	tidy := p.collect
	if clean {
		tidy = p.clean
	}
	if err := tidy(); err != nil {
		return err
	}
	if err := p.mergeAll(); err != nil {
		return err
	}
	if len(p.manifest.dropped) > 0 {
		x.changed(id, p.x.env.Now().Add(keepDropped*time.Second)) // then they can be deleted
	}
	return nil
}

// begin reads the manifest, takes out of it what has turned out to be damaged, and deletes
// what nobody needs.
func (p *pass) begin() (err error) {
	if p.state, err = p.x.store.LoadAccount(p.ctx, p.account); err != nil {
		return err
	}
	faults := p.x.index.takeFaults(p.account)
	if p.stored, err = p.readStored(); err != nil {
		return err
	}
	if p.manifest = openManifest(p.stored); p.manifest == nil {
		// What there is was made by another version, or nobody knows of it.
		p.manifest = new(manifest)
		return p.x.store.DropDerived(p.ctx, p.account, indexPrefix)
	}
	for i := len(p.manifest.segments) - 1; i >= 0; i-- {
		if _, bad := faults[p.manifest.segments[i].id]; bad {
			p.manifest.replace(i, i+1, nil, p.now())
		}
	}
	return p.sweep()
}

func (p *pass) now() int64 { return p.x.env.Now().Unix() }

func (p *pass) readStored() ([]byte, error) {
	b, err := p.x.store.Derived(p.ctx, p.account, manifestName)
	if mail.Is(err, mail.NotFound) {
		return nil, nil
	}
	return b, err
}

// sweptMax is how many accounts are known to have been swept.
const sweptMax = 100_000

// sweep deletes segments that were listed once, and, the first time, what an earlier
// process has not finished. (Where there are several at the same time, it may be about to.)
func (p *pass) sweep() error {
	if !p.x.swept[p.account] && !p.x.store.Shared() {
		if len(p.x.swept) >= sweptMax {
			clear(p.x.swept)
		}
		p.x.swept[p.account] = true
		keep := []string{manifestName}
		for _, s := range p.manifest.segments {
			keep = append(keep, segmentPrefix(s.id))
		}
		if err := p.x.store.DropDerived(p.ctx, p.account, indexPrefix, keep...); err != nil {
			return err
		}
		return p.forget(len(p.manifest.dropped))
	}
	n := 0
	for ; n < len(p.manifest.dropped) && p.manifest.dropped[n].when <= p.now()-keepDropped; n++ {
		if err := p.x.store.DropDerived(p.ctx, p.account, segmentPrefix(p.manifest.dropped[n].id)); err != nil {
			return err
		}
	}
	return p.forget(n)
}

// forget takes the first segments that were listed once, and are deleted now, off the manifest.
func (p *pass) forget(n int) error {
	if n == 0 {
		return nil
	}
	p.manifest.dropped = p.manifest.dropped[n:]
	return p.publish()
}

// publish stores the manifest. Another process may have been faster: then what this one
// has made is of no use.
func (p *pass) publish() error {
	// A message that is not durable may give its id to another one after a crash.
	if err := p.state.Ticket.Wait(p.ctx); err != nil {
		return err
	}
	now, err := p.readStored()
	if err != nil {
		return err
	}
	if !bytes.Equal(now, p.stored) {
		return errRaced
	}
	p.stored = seal(manifestName, p.manifest.encode())
	return p.x.store.PutDerived(p.ctx, p.account, manifestName, p.stored)
}

// write stores a segment and publishes it in the manifest, which update changes.
func (p *pass) write(fill func(id uint64, put func(partID, []byte) error) (segmentInfo, error), update func(segmentInfo)) error {
	var random [8]byte
	if _, err := io.ReadFull(p.x.env.Random, random[:]); err != nil {
		return mail.Wrap(mail.Internal, err)
	}
	id := max(1, binary.BigEndian.Uint64(random[:]))
	info, err := fill(id, p.put)
	if err == nil {
		update(info)
		err = p.publish()
	}
	if err != nil {
		// Whether this succeeds or not, nobody misses it.
		_ = p.x.store.DropDerived(context.WithoutCancel(p.ctx), p.account, segmentPrefix(id))
	}
	return err
}

func (p *pass) put(part partID, value []byte) error {
	if err := p.work(); err != nil {
		return err
	}
	name := part.name()
	return p.x.store.PutDerived(p.ctx, p.account, name, seal(name, slices.Clip(value)))
}

// probeMax is up to how many ids are looked up one by one; of more the mailboxes tell
// which are there.
const probeMax = batchMessagesMax

// fillGaps indexes what no segment covers.
func (p *pass) fillGaps() error {
	gaps := p.manifest.gaps(p.state.NextMessage)
	missing := mail.MessageID(0)
	for _, gap := range gaps {
		missing += gap[1] - gap[0]
	}
	if missing == 0 || len(p.manifest.segments) >= manifestMax {
		return nil
	}
	var ids []mail.MessageID
	for _, gap := range gaps {
		for id := gap[0]; id < gap[1] && missing <= probeMax; id++ {
			ids = append(ids, id)
		}
	}
	if missing > probeMax {
		err := p.eachMessage(func(id mail.MessageID) {
			if slices.ContainsFunc(gaps, func(g [2]mail.MessageID) bool { return g[0] <= id && id < g[1] }) {
				ids = append(ids, id)
			}
		})
		if err != nil {
			return err
		}
		slices.Sort(ids)
		ids = slices.Compact(ids)
	}
	p.document = new(document)
	for _, gap := range gaps {
		n, _ := slices.BinarySearch(ids, gap[1])
		if err := p.fill(gap[0], gap[1], ids[:n]); err != nil {
			return err
		}
		ids = ids[n:]
	}
	p.document = nil
	return nil
}

// eachMessage calls f for the messages of all mailboxes.
func (p *pass) eachMessage(f func(mail.MessageID)) error {
	for _, m := range p.state.Mailboxes {
		_, rows, err := p.x.store.LoadMailbox(p.ctx, p.account, m.ID)
		if mail.Is(err, mail.NotFound) {
			continue // deleted meanwhile
		}
		if err != nil {
			return err
		}
		for row, err := range rows {
			if err != nil {
				return err
			}
			f(row.Message)
		}
	}
	return nil
}

// fill indexes the messages with ids from lo to before end.
func (p *pass) fill(lo, end mail.MessageID, ids []mail.MessageID) error {
	b := newBatch(lo)
	for _, id := range ids {
		if id-b.lo >= batchSpanMax {
			if err := p.endBatch(b, id); err != nil {
				return err
			}
			b = newBatch(id)
		}
		if err := p.work(); err != nil {
			return err
		}
		err := p.document.read(p.ctx, p.from, id)
		switch {
		case mail.Is(err, mail.NotFound):
			continue
		case err != nil:
			return err
		}
		if b.add(id, p.document); b.full() {
			if err := p.endBatch(b, id+1); err != nil {
				return err
			}
			b = newBatch(id + 1)
		}
	}
	return p.endBatch(b, end)
}

// endBatch makes a batch a segment; after it there is nothing up to an id.
func (p *pass) endBatch(b *batch, to mail.MessageID) error {
	nothing := func() {
		if from := b.lo + mail.MessageID(b.span); from < to {
			p.manifest.add(segmentInfo{lo: from, span: int64(to - from)})
		}
	}
	if b.live == 0 {
		if b.span = 0; b.lo == to {
			return nil
		}
		nothing()
		return p.publish()
	}
	return p.write(b.write, func(info segmentInfo) {
		p.manifest.add(info)
		nothing()
	})
}

// mergeAll merges neighbours until there is nothing to merge.
func (p *pass) mergeAll() error {
	for {
		i, j, ok := p.manifest.toMerge()
		if !ok {
			return nil
		}
		if err := p.merge(i, j, make([]*roaring.Bitmap, j-i)); err != nil {
			return err
		}
	}
}

// merge makes one segment of those from i to before j.
func (p *pass) merge(i, j int, live []*roaring.Bitmap) error {
	m := &merging{ctx: p.ctx, from: p.reader, live: live}
	var textBytes, before int64
	for _, info := range p.manifest.segments[i:j] {
		textBytes, before = textBytes+info.textBytes, before+info.live
		if info.id == 0 {
			m.in = append(m.in, &segment{lo: info.lo, span: int(info.span), open: roaring.New(), subjects: roaring.New()})
			continue
		}
		s, err := p.reader.head(p.ctx, info.id)
		if err != nil {
			return p.unreadable(i, j, err)
		}
		m.in = append(m.in, s)
	}
	err := p.write(m.write, func(info segmentInfo) {
		info.textBytes = textBytes / max(1, before) * info.live
		if info.live == 0 {
			info.id, info.bytes, info.textBytes = 0, 0, 0
		}
		p.manifest.replace(i, j, &info, p.now())
	})
	return p.unreadable(i, j, err)
}

// unreadable deals with segments that can't be merged since something of them is missing:
// they are forgotten, and what they were about is indexed again.
func (p *pass) unreadable(i, j int, err error) error {
	if !mail.Is(err, mail.Corrupt) && !mail.Is(err, mail.NotFound) {
		return err
	}
	p.manifest.replace(i, j, nil, p.now())
	p.x.Changed(p.account)
	return p.publish()
}
