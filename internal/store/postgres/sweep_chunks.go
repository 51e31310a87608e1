package postgres

const (
	// Nobody can refer any more to an upload of more than an hour ago: commits refuse it. The
	// rest is for clocks that differ.
	ownOrphanSeconds = 2 * 60 * 60
	// What other processes hold can't be known.
	otherOrphanSeconds = 24 * 60 * 60
)

// orphans frees uploads into the database that no message refers to: they were dropped, or their
// process has died.
func (w *sweeper) orphans() error {
	const some = 2 * sweepPage
	account, segment := int64(-1), int64(0)
	for {
		list, err := w.ints(`WITH page AS (
				SELECT DISTINCT account, segment FROM chunks WHERE (account, segment) > ($1, $2) ORDER BY account, segment LIMIT $3
			)
			SELECT account, segment, coalesce(u.used, 0) FROM page LEFT JOIN LATERAL (SELECT 1 AS used FROM messages m
				WHERE m.segment = page.segment AND m.segment <> 0 AND m.account = page.account LIMIT 1) u ON true
			ORDER BY account, segment`, account, segment, some)
		if err != nil {
			return err
		}
		for _, row := range list {
			account, segment = row[0], row[1]
			if row[2] == 0 && w.tooOld(uint64(segment)) {
				if err := w.freeChunks(account, segment); err != nil {
					return err
				}
			}
		}
		if len(list) < some {
			return nil
		}
	}
}

// tooOld tells whether no commit can refer to an upload any more.
func (w *sweeper) tooOld(segment uint64) bool {
	age := w.s.env.Now().Unix() - segmentBorn(segment)
	if segmentProcess(segment) == w.s.process {
		return age > ownOrphanSeconds && !w.s.chunks.isHeld(segment)
	}
	return age > otherOrphanSeconds
}

func (w *sweeper) freeChunks(account, segment int64) error {
	r, err := w.ints(`WITH d AS (
			DELETE FROM chunks WHERE account = $1 AND segment = $2
				AND NOT EXISTS (SELECT FROM messages m WHERE m.segment = $2 AND m.segment <> 0 AND m.account = $1)
			RETURNING length(bytes) AS n
		) SELECT count(*), coalesce(sum(n), 0)::bigint FROM d`, account, segment)
	if err == nil && r[0][0] > 0 {
		w.swept.Segments++
		w.swept.Bytes += r[0][1]
	}
	return err
}
