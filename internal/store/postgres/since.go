package postgres

import (
	"context"
	"encoding/binary"
	"iter"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"postfach/internal/mail"
)

// What Since reads at most: beyond it, loading the account is less work.
const (
	sinceCommitsMax = 1000
	sinceBytesMax   = 4 << 20
)

var errTooOld = mail.Errorf(mail.Invalid, "the log does not reach back so far")

// news is what happened to an account after a version.
type news struct {
	version mail.Version // of the account now
	changes []mail.Change
	tooOld  bool // the log does not reach back
}

// The account's version and its log are of one moment, in one statement.
const selectLog = `SELECT a.state, a.version, c.version, c.base, c.bases, c.changes FROM accounts a
	LEFT JOIN commits c ON c.account = $1 AND c.version > $2
	WHERE a.account = $1 ORDER BY c.version LIMIT $3`

// readNews reads the log after a version.
func readNews(ctx context.Context, c *pgxpool.Conn, id mail.AccountID, v mail.Version) (*news, error) {
	rows, err := c.Query(ctx, selectLog, int64(id), int64(min(v, maxModSeq)), sinceCommitsMax+1)
	if err != nil {
		return nil, err
	}
	return collectNews(rows, v)
}

func collectNews(rows pgx.Rows, v mail.Version) (*news, error) {
	defer rows.Close()
	n := &news{}
	state, at, bytes, commits := "", v, 0, 0
	for rows.Next() {
		r := rows.RawValues()
		state, n.version = string(r[0]), mail.Version(rawInt(r[1]))
		if r[2] == nil || n.tooOld {
			continue
		}
		version, base := mail.Version(rawInt(r[2])), mail.Version(rawInt(r[3]))
		if version == base {
			continue // a commit without changes
		}
		bytes, commits = bytes+len(r[5]), commits+1
		if base != at || r[5] == nil || bytes > sinceBytesMax || commits > sinceCommitsMax {
			n.tooOld = true
			continue
		}
		changes, err := decodeCommit(base, r[4], r[5])
		if err != nil {
			return nil, err
		}
		n.changes, at = append(n.changes, changes...), version
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if n.tooOld = n.tooOld || at != n.version; n.tooOld {
		n.changes = nil
	}
	return n, stateError(state)
}

// decodeCommit reads a row of the log.
func decodeCommit(base mail.Version, bases, log []byte) ([]mail.Change, error) {
	changes, err := decodeChanges(base, log)
	if err != nil || bases == nil {
		return changes, err
	}
	g := given{version: base}
	numbers, err := rawInts(bases)
	if err != nil || len(numbers) == 0 {
		return nil, errLog
	}
	g.message = mail.MessageID(numbers[0])
	for _, uid := range numbers[1:] {
		g.uids = append(g.uids, mail.UID(uid))
	}
	if !g.number(changes) {
		return nil, errLog
	}
	return changes, nil
}

// rawInts reads a bigint[] of PostgreSQL's binary format: the number of dimensions, flags, the
// elements' type, the number of elements and the lower bound, then the elements with lengths.
func rawInts(b []byte) ([]int64, error) {
	const head, element = 20, 4 + 8
	if len(b) < head || binary.BigEndian.Uint32(b) != 1 || len(b) != head+element*int(binary.BigEndian.Uint32(b[12:])) {
		return nil, errLog
	}
	list := make([]int64, 0, (len(b)-head)/element)
	for b = b[head:]; len(b) > 0; b = b[element:] {
		list = append(list, rawInt(b[4:element]))
	}
	return list, nil
}

// given is what the database has given to a blind commit.
type given struct {
	version mail.Version   // the one before
	message mail.MessageID // the first id
	uids    []mail.UID     // the first of each mailbox, in the order in which these come
}

// number writes the numbers into the changes. false: the numbers are not of these changes.
func (g given) number(changes []mail.Change) bool {
	next := make(map[mail.MailboxID]mail.UID, len(g.uids))
	seq, id := g.version, g.message
	for _, change := range changes {
		c, ok := change.(*mail.Appended)
		if !ok {
			return false
		}
		if _, known := next[c.Mailbox]; !known {
			if len(next) == len(g.uids) {
				return false
			}
			next[c.Mailbox] = g.uids[len(next)]
		}
		seq++
		c.ModSeq = seq
		uid := next[c.Mailbox]
		for i := range c.Arrivals {
			a := &c.Arrivals[i]
			a.Row.UID, a.Row.ModSeq, a.Row.Message = uid, seq, id
			if a.Message != nil {
				a.Message.ID = id
			}
			uid, id = uid+1, id+1
		}
		next[c.Mailbox] = uid
	}
	return true
}

// Since implements mail.Store. It reaches back as far as commits are kept.
func (s *Store) Since(ctx context.Context, id mail.AccountID, v mail.Version) iter.Seq2[mail.Change, error] {
	return func(yield func(mail.Change, error) bool) {
		var n *news
		err := s.query(ctx, id, func(ctx context.Context, c *pgxpool.Conn) (err error) {
			n, err = readNews(ctx, c, id, v)
			return err
		})
		if err == nil && n.tooOld {
			err = errTooOld
		}
		if err != nil {
			yield(nil, err)
			return
		}
		for _, change := range n.changes {
			if !yield(change, nil) {
				return
			}
		}
	}
}

// conflict is the error of a commit that was made for another version than the account's.
func (n *news) conflict() error {
	return &mail.ConflictError{Version: n.version, Missed: n.changes, TooOld: n.tooOld}
}
