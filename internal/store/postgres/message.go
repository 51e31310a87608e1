package postgres

import (
	"context"
	"encoding/binary"

	"github.com/jackc/pgx/v5/pgxpool"

	"postfach/internal/mail"
)

// aheadBytesMax is how many bytes of structures are read ahead at once.
const aheadBytesMax = 1 << 20

// Message implements mail.Store.
func (s *Store) Message(ctx context.Context, id mail.AccountID, message mail.MessageID) (*mail.Message, error) {
	k := s.cache.key(id, message, false)
	if e, ok := s.cache.entries.GetIfPresent(k); ok {
		return e.message, nil
	}
	e, err := s.fetch(ctx, k)
	return e.message, err
}

// Inline implements mail.Store.
func (s *Store) Inline(ctx context.Context, id mail.AccountID, message mail.MessageID) ([]byte, error) {
	k := s.cache.key(id, message, true)
	if e, ok := s.cache.entries.GetIfPresent(k); ok {
		return e.body, nil
	}
	e, err := s.fetch(ctx, k)
	return e.body, err
}

// Reader implements mail.Store: what may be wanted next is in the cache.
func (s *Store) Reader(context.Context, mail.AccountID) mail.Reader { return mail.NoReader{} }

// fetch reads what the cache does not have, and what may be wanted next.
func (s *Store) fetch(ctx context.Context, k cacheKey) (cached, error) {
	f, leads := s.cache.ahead.join(k)
	if !leads {
		select {
		case <-f.done:
		case <-ctx.Done():
			return cached{}, mail.Wrap(mail.Busy, ctx.Err())
		}
		if e, ok := f.found[k.message]; ok || f.err != nil {
			return e, f.err
		}
		f = &flight{cacheKey: k, n: 1} // it may have begun before the message was there
		f.err = s.read(ctx, f)
	} else {
		f.err = mail.Errorf(mail.Internal, "the read has ended early") // for those who wait, after a panic
		defer s.cache.ahead.leave(f)
		f.err = s.read(context.WithoutCancel(ctx), f)
	}
	e, ok := f.found[k.message]
	if f.err == nil && !ok {
		return e, mail.Errorf(mail.NotFound, "no such message")
	}
	return e, f.err
}

// read reads a flight's messages into the cache.
func (s *Store) read(ctx context.Context, f *flight) error {
	return s.onShard(ctx, f.account, func(h *shard) error {
		return h.do(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
			f.found = make(map[mail.MessageID]cached)
			return s.readRows(ctx, c, f)
		})
	})
}

// The account's state comes with every row: where it has gone, its messages mean nothing.
const (
	selectRecords = `SELECT a.state, m.message, m.thread, m.size, m.digest, m.segment, m.segment_offset, m.segment_length,
		m.structure, m.structure_version
	FROM accounts a LEFT JOIN LATERAL (
		SELECT *, sum(length(structure)) OVER (ORDER BY message) AS total FROM messages
		WHERE account = $1 AND message >= $2 AND message < $3
	) m ON m.total <= $4 OR m.message = $2
	WHERE a.account = $1`
	selectInline = `SELECT a.state, b.message, b.body
	FROM accounts a LEFT JOIN bodies b ON b.account = $1 AND b.message >= $2 AND b.message < $3
	WHERE a.account = $1`
)

func (s *Store) readRows(ctx context.Context, c *pgxpool.Conn, f *flight) error {
	query, args := selectRecords, []any{int64(f.account), int64(f.message), int64(f.message + f.n), int64(aheadBytesMax)}
	if f.inline {
		query, args = selectInline, args[:3]
	}
	rows, err := c.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	state := ""
	for rows.Next() {
		r := rows.RawValues()
		state = string(r[0])
		if r[1] == nil || stateError(state) != nil {
			continue
		}
		id := mail.MessageID(rawInt(r[1]))
		e := cached{}
		if f.inline {
			e.body = append([]byte{}, r[2]...)
		} else {
			e.message = rawMessage(id, r)
		}
		f.found[id] = e
		k := f.cacheKey
		k.message = id
		s.cache.entries.Set(k, e)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return stateError(state)
}

// rawMessage reads the columns of selectRecords.
func rawMessage(id mail.MessageID, r [][]byte) *mail.Message {
	m := &mail.Message{
		ID: id, Thread: mail.ThreadID(rawInt(r[2])), Size: rawInt(r[3]),
		Body:             mail.Ref{Segment: uint64(rawInt(r[5])), Offset: rawInt(r[6]), Length: rawInt(r[7])},
		Structure:        append([]byte(nil), r[8]...),
		StructureVersion: uint8(rawInt(r[9])),
	}
	copy(m.Digest[:], r[4])
	if m.Body.Segment == 0 {
		m.Body = mail.Ref{Inline: true}
	}
	return m
}

// rawInt reads an integer of PostgreSQL's binary format, of any width.
func rawInt(b []byte) int64 {
	switch len(b) {
	case 2:
		return int64(int16(binary.BigEndian.Uint16(b)))
	case 4:
		return int64(int32(binary.BigEndian.Uint32(b)))
	case 8:
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}
