package postgres

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"postfach/internal/mail"
)

const (
	heldMax     = 4
	heldTimeout = 5 * time.Second
)

// held are accounts that other processes are kept out of: each is locked by a transaction that
// waits for this process's next commit.
type held struct {
	mu   sync.Mutex
	of   map[mail.AccountID]*heldLock
	made int // those that are being made among them
}

type heldLock struct {
	c     *pgxpool.Conn
	timer *time.Timer
}

// hold locks an account after it has been lost to others too often, and says what was missed.
// Without a place for another lock it only says so.
func (h *shard) hold(ctx context.Context, id mail.AccountID, v mail.Version) (*news, error) {
	if !h.held.reserve() {
		return h.news(ctx, id, v)
	}
	kept := false
	defer func() {
		if !kept {
			h.held.cancel()
		}
	}()
	c, err := h.acquire(ctx, time.Now().Add(h.timeout))
	if err != nil {
		return nil, err
	}
	n, err := lock(ctx, c, id, v)
	if err != nil {
		closeConn(c.Conn())
		c.Release()
		return nil, err
	}
	h.held.keep(id, c)
	kept = true
	return n, nil
}

func lock(ctx context.Context, c *pgxpool.Conn, id mail.AccountID, v mail.Version) (n *news, err error) {
	b := &pgx.Batch{}
	b.Queue("BEGIN")
	b.Queue("SELECT FROM accounts WHERE account = $1 FOR NO KEY UPDATE", int64(id))
	b.Queue(selectLog, int64(id), int64(min(v, maxModSeq)), sinceCommitsMax+1).Query(func(rows pgx.Rows) error {
		n, err = collectNews(rows, v)
		return err
	})
	return n, c.SendBatch(ctx, b).Close()
}

func (h *shard) news(ctx context.Context, id mail.AccountID, v mail.Version) (n *news, err error) {
	err = h.do(ctx, func(ctx context.Context, c *pgxpool.Conn) (err error) {
		n, err = readNews(ctx, c, id, v)
		return err
	})
	return n, err
}

func (l *held) reserve() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.of)+l.made >= heldMax {
		return false
	}
	l.made++
	return true
}

func (l *held) cancel() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.made--
}

// keep holds a lock until it is taken, or for a time.
func (l *held) keep(id mail.AccountID, c *pgxpool.Conn) {
	k := &heldLock{c: c}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.made--
	if l.of == nil {
		l.of = map[mail.AccountID]*heldLock{}
	}
	l.of[id] = k
	k.timer = time.AfterFunc(heldTimeout, func() {
		l.mu.Lock()
		mine := l.of[id] == k
		if mine {
			delete(l.of, id)
		}
		l.mu.Unlock()
		if mine {
			k.end()
		}
	})
}

// take returns the connection on which the account is locked, nil when it is not.
func (l *held) take(id mail.AccountID) *heldLock {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.of[id]
	if k != nil {
		k.timer.Stop()
		delete(l.of, id)
	}
	return k
}

// end lets others in again, and gives the connection back.
func (k *heldLock) end() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if _, err := k.c.Exec(ctx, "ROLLBACK"); err != nil {
		closeConn(k.c.Conn())
	}
	k.c.Release()
}

func (l *held) releaseAll() {
	l.mu.Lock()
	all := l.of
	l.of = nil
	l.mu.Unlock()
	for _, k := range all {
		k.timer.Stop() // when it is too late for that, its function finds nothing to end
		k.end()
	}
}
