package postgres

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"postfach/internal/mail"
)

// Hints go through one channel of the first database. A hint is a text: the number of the process
// that it comes from, a colon, then "account:version;" in base 36 for each account.
const (
	hintChannel  = "postfach"
	hintBytesMax = 7900 // PostgreSQL takes less than 8000
	hintPause    = 3 * time.Millisecond
	backOffMin   = 50 * time.Millisecond
	backOffMax   = 2 * time.Second
)

// gone stands in a hint for the version of an account that may not be here any more.
const gone mail.Version = 1<<63 - 1

// sender collects what is to be told to other processes.
type sender struct {
	pending versions
	wake    chan struct{} // capacity one
}

func (n *sender) init() {
	n.pending.init()
	n.wake = make(chan struct{}, 1)
}

// add never blocks.
func (n *sender) add(id mail.AccountID, v mail.Version) {
	n.pending.raise(id, v)
	signal(n.wake)
}

// encodeHints writes as many payloads as it takes.
func encodeHints(process uint32, moved map[mail.AccountID]mail.Version) (payloads []string) {
	const entryBytesMax = 2*14 + 2
	head := strconv.FormatUint(uint64(process), 36) + ":"
	b := []byte(head)
	for id, v := range moved {
		if len(b)+entryBytesMax > hintBytesMax {
			payloads = append(payloads, string(b))
			b = append(b[:0], head...)
		}
		b = append(strconv.AppendUint(b, uint64(id), 36), ':')
		b = append(strconv.AppendUint(b, uint64(v), 36), ';')
	}
	if len(b) > len(head) {
		payloads = append(payloads, string(b))
	}
	return payloads
}

// decodeHints calls f for each account of a payload of another process. What it does not
// understand it leaves out: hints may be lost.
func decodeHints(process uint32, payload string, f func(mail.AccountID, mail.Version)) {
	from, rest, ok := strings.Cut(payload, ":")
	if n, err := strconv.ParseUint(from, 36, 32); !ok || err != nil || uint32(n) == process {
		return
	}
	for entry := range strings.SplitSeq(rest, ";") {
		account, version, _ := strings.Cut(entry, ":")
		id, err := strconv.ParseUint(account, 36, 63)
		v, vErr := strconv.ParseUint(version, 36, 63)
		if err == nil && vErr == nil {
			f(mail.AccountID(id), mail.Version(v))
		}
	}
}

// sendLoop tells other processes what this one has committed: the first change at once, those
// that follow closely together. What can't be sent is lost: others poll.
func (s *Store) sendLoop() {
	ctx, cancel := s.untilClosing()
	defer cancel()
	var c *pgx.Conn
	defer func() { closeConn(c) }()
	empty := map[mail.AccountID]mail.Version{}
	pause := backOffMin
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			return
		case <-s.sender.wake:
		}
		moved := s.sender.pending.take(empty)
		var err error
		if c == nil || c.IsClosed() {
			c, err = s.connectHints(ctx)
		}
		for _, payload := range encodeHints(s.process, moved) {
			if err == nil {
				_, err = c.Exec(ctx, "SELECT pg_notify($1, $2)", hintChannel, payload)
			}
		}
		empty = moved
		if err == nil {
			pause = backOffMin
			wait(ctx, hintPause)
			continue
		}
		s.env.Log.Debug("could not tell other processes of changes", "err", err)
		closeConn(c)
		c = nil
		wait(ctx, pause)
		pause = min(2*pause, backOffMax)
	}
}

// connectHints opens a connection of its own to the first database, on which nothing waits for
// a disk or a replica.
func (s *Store) connectHints(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, s.o.ConnectTimeout)
	defer cancel()
	config := s.first.pool.Config().ConnConfig
	config.RuntimeParams["synchronous_commit"] = "off"
	return pgx.ConnectConfig(ctx, config)
}

func closeConn(c *pgx.Conn) {
	if c == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = c.Close(ctx)
}

// untilClosing is a context that ends when the store is closed.
func (s *Store) untilClosing() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		select {
		case <-s.closing:
		case <-ctx.Done():
		}
		cancel()
	}()
	return ctx, cancel
}

// wait waits, or less when the context ends.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
