package s3

import (
	"context"
	"io"
	"time"

	"github.com/minio/minio-go/v7"

	"postfach/internal/blob"
	"postfach/internal/mail"
)

// enqueue gives a complete record to the pack that is open, and returns its index there.
func (b *Bucket) enqueue(r *blob.Record) (*pack, int, error) {
	alone := r.Bytes() >= b.o.AloneBytesMin
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, 0, mail.Errorf(mail.Away, "the store is closed")
	}
	if alone {
		k := newPack()
		i := k.add(r)
		k.users++
		b.sealLocked(k)
		go b.putLarge(k)
		return k, i, nil
	}
	if b.open != nil && b.open.bytes+r.Bytes() > b.o.PackBytesMax {
		b.sealLocked(b.open)
	}
	if b.open == nil {
		b.open = newPack()
		go b.putPack(b.open)
	}
	k := b.open
	i := k.add(r)
	k.users++
	if k.bytes >= b.o.PackBytesMax {
		b.sealLocked(k)
	}
	return k, i, nil
}

func (b *Bucket) sealLocked(k *pack) {
	if !k.sealed {
		k.sealed = true
		close(k.full)
	}
	if b.open == k {
		b.open = nil
	}
}

// putPack waits for more small messages, then for a turn, and writes them. While it waits
// for the turn the pack goes on growing: the slower S3 is, the fewer the requests.
func (b *Bucket) putPack(k *pack) {
	ctx, cancel := context.WithTimeout(b.ctx, b.o.Patience)
	defer cancel()
	delay := time.NewTimer(b.o.PackDelay)
	defer delay.Stop()
	select {
	case <-delay.C:
	case <-k.full:
	case <-ctx.Done():
	}
	b.put(ctx, k, b.packs, minio.PutObjectOptions{PartSize: partBytes, NumThreads: 1})
}

// putLarge waits for a turn longer than small messages do, since each turn takes longer.
func (b *Bucket) putLarge(k *pack) {
	ctx, cancel := context.WithTimeout(b.ctx, 3*b.o.Patience)
	defer cancel()
	b.put(ctx, k, b.large, minio.PutObjectOptions{PartSize: partBytes, NumThreads: largeThreads})
}

// put writes an object in its turn. wait bounds the waiting for that.
func (b *Bucket) put(wait context.Context, k *pack, turns chan struct{}, o minio.PutObjectOptions) {
	select {
	case turns <- struct{}{}:
		defer func() { <-turns }()
	case <-wait.Done():
		b.seal(k)
		b.giveUp(k, waitError(wait))
		return
	}
	b.seal(k)
	number, err := b.numbers.take(wait)
	if err != nil {
		b.giveUp(k, err)
		return
	}
	b.lease(k, number)
	k.place(number)
	b.transfer(k, o)
}

// transfer writes an object that is leased, and tells all who wait for it. The object
// may be there after an error: an orphan.
func (b *Bucket) transfer(k *pack, o minio.PutObjectOptions) {
	ctx, cancel := context.WithCancelCause(b.ctx)
	defer cancel(nil)
	silent := func() { cancel(errSilent) }
	slow := time.AfterFunc(b.o.Patience+time.Duration(k.bytes)*time.Second/slowBytesASecond, silent)
	defer slow.Stop()
	stalled := time.AfterFunc(b.o.Patience, silent)
	defer stalled.Stop()
	k.progress = func() { stalled.Reset(b.o.Patience) }
	// minio tidies up after a failure, which takes time: nobody waits for that.
	stop := context.AfterFunc(ctx, func() { k.finish(mail.Wrap(mail.Away, context.Cause(ctx))) })
	err := b.attempt(ctx, k, o)
	if stop() {
		k.finish(mail.Wrap(mail.Away, err))
	}
	<-k.done
	k.release()
	b.unuse(k)
}

// attempt repeats a request that has failed, for half of Patience; a transfer that has
// failed after that has one more chance. Every attempt reads through a reader of its own: a
// failed one may still be reading while the next has begun, so that minio must not do it.
func (b *Bucket) attempt(ctx context.Context, k *pack, o minio.PutObjectOptions) error {
	start := time.Now()
	for n, wait := 1, firstWait; ; n, wait = n+1, min(2*wait, time.Second) {
		_, err := b.writer.PutObject(ctx, b.place.bucket, b.key(k.number), io.NewSectionReader(k, 0, k.bytes), k.bytes, o)
		if err == nil || !passing(err) || n > 1 && time.Since(start) > b.o.Patience/2 {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
}

// giveUp ends a pack of which S3 has heard nothing.
func (b *Bucket) giveUp(k *pack, err error) {
	k.finish(err)
	k.release()
	b.unuse(k)
}

func (b *Bucket) seal(k *pack) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sealLocked(k)
}

// lease keeps the sweeper off an object from before there is anything of it.
func (b *Bucket) lease(k *pack, number uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	k.number = number
	b.leased[number] = k
}

// unuse says that one user of the pack less needs its object.
func (b *Bucket) unuse(k *pack) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if k.users--; k.users == 0 {
		delete(b.leased, k.number)
	}
}
