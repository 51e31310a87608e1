package postgres

import (
	"math"

	"github.com/jackc/pgx/v5"

	"postfach/internal/mail"
)

// arrivalsMax is how many messages one statement writes: it is made in memory.
const arrivalsMax = 500

// atVersion queues a commit for one version of the account: advance, which decides, then what
// the changes say.
func (a *attempt) atVersion(b *pgx.Batch) {
	c, k := a.c, a.k
	a.version = max(k.last, c.At)
	firstMailbox, firstMessage := int64(math.MaxInt64), int64(math.MaxInt64)
	if k.firstMailbox != 0 {
		firstMailbox = int64(k.firstMailbox)
	}
	if k.firstMessage != 0 {
		firstMessage = int64(k.firstMessage)
	}
	b.Queue("SELECT advance($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
		int64(c.Account), int64(min(c.At, maxModSeq)), int64(min(a.version, maxModSeq)), a.op, c.Now, a.log, k.uploadsSince,
		firstMailbox, int64(k.nextMailbox), firstMessage, int64(k.nextMessage), int64(k.uidValidity),
		k.totals.Messages, k.totals.Unseen, k.totals.Deleted, k.totals.Bytes)
	a.create(b)
	a.touch(b)
	a.keywords(b)
	for _, change := range c.Changes {
		a.change(b, change)
	}
}

// create makes new mailboxes, also those that the same commit deletes again.
func (a *attempt) create(b *pgx.Batch) {
	for _, change := range a.c.Changes {
		c, ok := change.(*mail.MailboxCreated)
		if !ok {
			continue
		}
		m := &c.State
		b.Queue(`INSERT INTO mailboxes (account, mailbox, name, uidvalidity, uid_next, highest_modseq, recent_from, special_use,
				messages, unseen, deleted, bytes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
			int64(a.c.Account), int64(m.ID), m.Name, int64(m.UIDValidity), int64(m.UIDNext), int64(m.HighestModSeq), int64(m.RecentFrom),
			int64(m.Use), m.Messages, m.Unseen, m.Deleted, m.Bytes)
	}
}

// touchMailboxes moves the mailboxes' own rows, and makes sure that they are there and that UIDs
// are new.
const touchMailboxes = `WITH u AS (
	UPDATE mailboxes b SET uid_next = greatest(b.uid_next, g.uid_next), highest_modseq = greatest(b.highest_modseq, g.modseq),
		messages = b.messages + g.messages, unseen = b.unseen + g.unseen,
		deleted = b.deleted + g.deleted, bytes = b.bytes + g.bytes
	FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[])
		AS g (mailbox, first_uid, uid_next, modseq, messages, unseen, deleted, bytes)
	WHERE b.account = $1 AND b.mailbox = g.mailbox AND b.deleted_at IS NULL AND b.uid_next <= g.first_uid
	RETURNING b.mailbox
)
SELECT CASE WHEN (SELECT count(*) FROM u) = cardinality($2::bigint[]) THEN 0
	WHEN (SELECT count(*) FROM mailboxes WHERE account = $1 AND mailbox = ANY ($2::bigint[]) AND deleted_at IS NULL) < cardinality($2::bigint[])
		THEN refuse('PF404', 'no such mailbox')
	ELSE refuse('PF422', 'UIDs do not ascend') END`

func (a *attempt) touch(b *pgx.Batch) {
	var g [8][]int64
	for _, t := range a.k.touched {
		first := int64(math.MaxInt64)
		if t.first != 0 {
			first = int64(t.first)
		}
		for i, v := range [...]int64{int64(t.id), first, int64(t.next), int64(t.modSeq),
			t.delta.Messages, t.delta.Unseen, t.delta.Deleted, t.delta.Bytes} {
			g[i] = append(g[i], v)
		}
	}
	if len(a.k.touched) > 0 {
		b.Queue(touchMailboxes, int64(a.c.Account), g[0], g[1], g[2], g[3], g[4], g[5], g[6], g[7])
	}
}

// keywords adds sets, and makes sure that the first one's number is the next.
func (a *attempt) keywords(b *pgx.Batch) {
	for _, change := range a.c.Changes {
		c, ok := change.(*mail.KeywordSetAdded)
		if !ok {
			continue
		}
		words := c.Keywords
		if words == nil {
			words = []string{}
		}
		b.Queue(`INSERT INTO keyword_sets (account, set, keywords)
			SELECT $1, CASE WHEN $2::bigint = (SELECT coalesce(max(set), 0) + 1 FROM keyword_sets WHERE account = $1) THEN $2::bigint
				ELSE refuse('PF422', 'keyword sets are numbered in order') END, $3`,
			int64(a.c.Account), int64(c.Set), words)
	}
}

func (a *attempt) change(b *pgx.Batch, change mail.Change) {
	account := int64(a.c.Account)
	switch c := change.(type) {
	case *mail.Appended:
		for from := 0; from < len(c.Arrivals); from += arrivalsMax {
			a.appended(b, c, c.Arrivals[from:min(from+arrivalsMax, len(c.Arrivals))])
		}
	case *mail.Copied:
		for from := 0; from < len(c.Rows); from += uidsMax {
			a.copied(b, c, c.Rows[from:min(from+uidsMax, len(c.Rows))])
		}
	case *mail.FlagsSet:
		a.flags(b, c)
	case *mail.Removed:
		a.removed(b, c)
	case *mail.MailboxRenamed:
		b.Queue("UPDATE mailboxes SET name = $3 WHERE account = $1 AND mailbox = $2", account, int64(c.Mailbox), c.Name)
	case *mail.MailboxDeleted:
		b.Queue("UPDATE mailboxes SET deleted_at = $3 WHERE account = $1 AND mailbox = $2", account, int64(c.Mailbox), a.c.Now)
	case *mail.Subscribed:
		if c.On {
			b.Queue("INSERT INTO subscriptions (account, name) VALUES ($1, $2) ON CONFLICT DO NOTHING", account, c.Name)
		} else {
			b.Queue("DELETE FROM subscriptions WHERE account = $1 AND name = $2", account, c.Name)
		}
	case *mail.Annotated:
		if c.Gone {
			b.Queue("DELETE FROM annotations WHERE account = $1 AND mailbox = $2 AND name = $3", account, int64(c.Mailbox), c.Name)
		} else {
			b.Queue(`INSERT INTO annotations (account, mailbox, name, value, modseq) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (account, mailbox, name) DO UPDATE SET value = $4, modseq = $5`,
				account, int64(c.Mailbox), c.Name, []byte(c.Value), int64(c.ModSeq))
		}
	}
}

const appendNumbered = `WITH m AS (
	INSERT INTO messages (account, message, thread, size, digest, segment, segment_offset, segment_length, structure, structure_version)
	SELECT $1, * FROM unnest($5::bigint[], $6::bigint[], $7::bigint[], $8::bytea[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bytea[], $13::smallint[])
), i AS (
	INSERT INTO bodies (account, message, body)
	SELECT $1, r.* FROM unnest($5::bigint[], $14::bytea[]) AS r (message, body) WHERE r.body IS NOT NULL
), w AS (
	INSERT INTO mailbox_rows (account, mailbox, uid, message, modseq, flags, size, date, zone_minutes, saved)
	SELECT $1, $2, r.uid, r.message, $3, r.flags, r.size, r.date, r.zone_minutes, r.saved
	FROM unnest($4::bigint[], $5::bigint[], $15::bigint[], $16::bigint[], $17::bigint[], $18::smallint[], $19::bigint[])
		AS r (uid, message, flags, size, date, zone_minutes, saved)
)
SELECT CASE WHEN $20::boolean AND EXISTS (SELECT FROM unnest($9::bigint[]) AS r (segment) WHERE r.segment <> 0
		AND (SELECT part FROM chunks WHERE account = $1 AND chunks.segment = r.segment AND part = 0) IS NULL)
	THEN refuse('PF410', 'the upload is gone') END`

func (a *attempt) appended(b *pgx.Batch, c *mail.Appended, some []mail.Arrival) {
	v := &arrivals{}
	var uids, ids []int64
	for i := range some {
		v.add(&some[i])
		uids, ids = append(uids, int64(some[i].Row.UID)), append(ids, int64(some[i].Row.Message))
	}
	args := append([]any{int64(a.c.Account), int64(c.Mailbox), int64(c.ModSeq), uids, ids}, v.messages()...)
	args = append(args, v.bodies)
	args = append(args, v.rows()...)
	b.Queue(appendNumbered, append(args, a.guard)...)
}

// copyRows makes sure that the messages are there.
const copyRows = `WITH w AS (
	INSERT INTO mailbox_rows (account, mailbox, modseq, uid, message, flags, size, date, zone_minutes, saved)
	SELECT $1, $2, $3, * FROM unnest($4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::smallint[], $10::bigint[])
)
SELECT CASE WHEN EXISTS (SELECT FROM unnest($5::bigint[]) AS r (message)
	WHERE (SELECT 1 FROM messages m WHERE m.account = $1 AND m.message = r.message) IS NULL)
	THEN refuse('PF404', 'no such message') END`

func (a *attempt) copied(b *pgx.Batch, c *mail.Copied, rows []mail.Row) {
	var g [6][]int64
	var zone []int16
	for i := range rows {
		r := &rows[i]
		for j, v := range [...]int64{int64(r.UID), int64(r.Message), int64(r.Flags), r.Size, r.Date.Unix, r.Saved} {
			g[j] = append(g[j], v)
		}
		zone = append(zone, r.Date.ZoneMinutes)
	}
	b.Queue(copyRows, int64(a.c.Account), int64(c.Mailbox), int64(c.ModSeq), g[0], g[1], g[2], g[3], g[4], zone, g[5])
}
