package postgres

import (
	"github.com/jackc/pgx/v5"

	"postfach/internal/mail"
)

// appendBlind is a whole blind commit. The account's row comes first, so that commits to the
// same account wait for each other there and nowhere else.
const appendBlind = `WITH a AS (
	UPDATE accounts SET version = version + $2, next_message = next_message + $3,
		messages = messages + $4, unseen = unseen + $5, deleted = deleted + $6, bytes = bytes + $7
	WHERE account = $1 AND state = 'here'
	RETURNING version - $2 AS version, next_message - $3 AS message
), b AS (
	UPDATE mailboxes b SET uid_next = b.uid_next + g.n, highest_modseq = a.version + g.last,
		messages = b.messages + g.messages, unseen = b.unseen + g.unseen,
		deleted = b.deleted + g.deleted, bytes = b.bytes + g.bytes
	FROM a, unnest($8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[])
		WITH ORDINALITY AS g (mailbox, n, last, messages, unseen, deleted, bytes, position)
	WHERE b.account = $1 AND b.mailbox = g.mailbox AND b.deleted_at IS NULL
	RETURNING b.mailbox, b.uid_next, b.uid_next - g.n AS uid, g.position
), m AS (
	INSERT INTO messages (account, message, thread, size, digest, segment, segment_offset, segment_length, structure, structure_version)
	SELECT $1, a.message + r.n - 1, r.thread, r.size, r.digest, r.segment, r.segment_offset, r.segment_length, r.structure, r.structure_version
	FROM a, unnest($15::bigint[], $16::bigint[], $17::bytea[], $18::bigint[], $19::bigint[], $20::bigint[], $21::bytea[], $22::smallint[])
		WITH ORDINALITY AS r (thread, size, digest, segment, segment_offset, segment_length, structure, structure_version, n)
), i AS (
	INSERT INTO bodies (account, message, body)
	SELECT $1, a.message + r.n - 1, r.body FROM a, unnest($23::bytea[]) WITH ORDINALITY AS r (body, n) WHERE r.body IS NOT NULL
), w AS (
	INSERT INTO mailbox_rows (account, mailbox, uid, message, flags, modseq, size, date, zone_minutes, saved)
	SELECT $1, r.mailbox, b.uid + r.i, a.message + r.n - 1, r.flags, a.version + r.change, r.size, r.date, r.zone_minutes, r.saved
	FROM a, b, unnest($24::bigint[], $25::bigint[], $26::bigint[], $27::bigint[], $28::bigint[], $29::bigint[], $30::smallint[], $31::bigint[])
		WITH ORDINALITY AS r (mailbox, i, change, flags, size, date, zone_minutes, saved, n)
	WHERE b.mailbox = r.mailbox
), c AS (
	INSERT INTO commits (account, op, version, base, at, bases, changes)
	SELECT $1, $32, a.version + $2, a.version, $33, ARRAY[a.message] || (SELECT array_agg(b.uid ORDER BY b.position) FROM b), $34 FROM a
)
SELECT a.version, a.message, b.position, b.uid,
	CASE WHEN (SELECT count(*) FROM b) < $35 THEN refuse('PF404', 'no such mailbox')
	WHEN b.uid_next > 4294967295 THEN refuse('PF413', 'the mailbox has no UIDs left')
	WHEN $36::bigint > 0 AND $36::bigint < extract(epoch FROM clock_timestamp()) - 3600 THEN refuse('PF410', 'the upload has taken too long')
	WHEN $37::boolean AND EXISTS (SELECT FROM unnest($18::bigint[]) AS r (segment) WHERE r.segment <> 0
		AND (SELECT part FROM chunks WHERE account = $1 AND chunks.segment = r.segment AND part = 0) IS NULL)
		THEN refuse('PF410', 'the upload is gone') END
FROM a LEFT JOIN b ON true`

// blind queues a blind commit, whose answer has what the database gives.
func (a *attempt) blind(b *pgx.Batch) {
	if len(a.c.Changes) == 0 {
		a.nothing(b)
		return
	}
	arrivals := newArrivals(a.c.Changes)
	k := a.k
	n := len(k.touched)
	g := make([][]int64, 7)
	for i := range g {
		g[i] = make([]int64, n)
	}
	for i, t := range k.touched {
		for j, v := range [...]int64{int64(t.id), t.arrivals, t.last, t.delta.Messages, t.delta.Unseen, t.delta.Deleted, t.delta.Bytes} {
			g[j][i] = v
		}
	}
	args := []any{
		int64(a.c.Account), int64(len(a.c.Changes)), int64(arrivals.n),
		k.totals.Messages, k.totals.Unseen, k.totals.Deleted, k.totals.Bytes,
		g[0], g[1], g[2], g[3], g[4], g[5], g[6],
	}
	args = append(args, arrivals.messages()...)
	args = append(args, arrivals.bodies, arrivals.mailbox, arrivals.i, arrivals.change)
	args = append(args, arrivals.rows()...)
	args = append(args, a.op, a.c.Now, a.log, int64(n), k.uploadsSince, a.guard)
	b.Queue(appendBlind, args...).Query(func(rows pgx.Rows) error {
		a.found, a.numbered = false, given{uids: make([]mail.UID, n)}
		return each(func(r [][]byte) error {
			a.numbered.version, a.numbered.message = mail.Version(rawInt(r[0])), mail.MessageID(rawInt(r[1]))
			a.found, a.version = true, a.numbered.version+mail.Version(len(a.c.Changes))
			if i := rawInt(r[2]); i >= 1 && i <= int64(n) {
				a.numbered.uids[i-1] = mail.UID(rawInt(r[3]))
			}
			return nil
		})(rows)
	})
}

// nothing queues a blind commit without changes, of which only the outcome is kept.
func (a *attempt) nothing(b *pgx.Batch) {
	a.found = false
	b.Queue(`WITH a AS (
			SELECT version FROM accounts WHERE account = $1 AND state = 'here' FOR NO KEY UPDATE
		), c AS (
			INSERT INTO commits (account, op, version, base, at) SELECT $1, $2, version, version, $3 FROM a
		) SELECT version FROM a`, int64(a.c.Account), a.op, a.c.Now).Query(each(func(r [][]byte) error {
		a.found, a.version = true, mail.Version(rawInt(r[0]))
		return nil
	}))
}

// arrivals are messages by columns.
type arrivals struct {
	n                                     int
	thread, size, segment, offset, length []int64
	digest, structure, bodies             [][]byte
	structureVersion, zone                []int16
	mailbox, i, change                    []int64
	flags, rowSize, date, saved           []int64
}

func newArrivals(changes []mail.Change) *arrivals {
	v := &arrivals{}
	next := make(map[mail.MailboxID]int64, 1)
	for number, change := range changes {
		c := change.(*mail.Appended)
		for i := range c.Arrivals {
			v.add(&c.Arrivals[i])
			v.mailbox = append(v.mailbox, int64(c.Mailbox))
			v.i = append(v.i, next[c.Mailbox])
			v.change = append(v.change, int64(number+1))
			next[c.Mailbox]++
		}
	}
	return v
}

// add takes in a message but for what is given to it.
func (v *arrivals) add(a *mail.Arrival) {
	m, r := a.Message, &a.Row
	v.n++
	v.thread, v.size = append(v.thread, int64(m.Thread)), append(v.size, m.Size)
	v.digest = append(v.digest, m.Digest[:])
	if m.Body.Inline {
		v.segment, v.offset, v.length = append(v.segment, 0), append(v.offset, 0), append(v.length, 0)
		v.bodies = append(v.bodies, notNull(a.Inline))
	} else {
		v.segment = append(v.segment, int64(m.Body.Segment))
		v.offset, v.length = append(v.offset, m.Body.Offset), append(v.length, m.Body.Length)
		v.bodies = append(v.bodies, nil)
	}
	v.structure, v.structureVersion = append(v.structure, notNull(m.Structure)), append(v.structureVersion, int16(m.StructureVersion))
	v.flags, v.rowSize = append(v.flags, int64(r.Flags)), append(v.rowSize, r.Size)
	v.date, v.zone, v.saved = append(v.date, r.Date.Unix), append(v.zone, r.Date.ZoneMinutes), append(v.saved, r.Saved)
}

func notNull(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// messages are the columns of the table messages but the ids.
func (v *arrivals) messages() []any {
	return []any{v.thread, v.size, v.digest, v.segment, v.offset, v.length, v.structure, v.structureVersion}
}

// rows are the columns of the table mailbox_rows but what is given.
func (v *arrivals) rows() []any { return []any{v.flags, v.rowSize, v.date, v.zone, v.saved} }
