package postgres

import "postfach/internal/mail"

// edge is what a store has besides its commits and loads: what it remembers, and what it
// tells and hears of other processes.
type edge struct {
	cache  cache
	recent recents
	sender sender
	chunks leases // of bodies in the database
}

// startEdge makes it ready. The directory's shard must be known.
func (s *Store) startEdge() error {
	if err := s.cache.init(s.o.CacheBytes); err != nil {
		return err
	}
	s.recent.init()
	s.chunks.init()
	s.sender.init()
	s.wg.Go(s.recentLoop)
	if !s.o.NoHints {
		s.wg.Go(s.sendLoop)
	}
	return nil
}

// stopEdge writes what is still to be written. s.closing must be closed, and the shards open.
func (s *Store) stopEdge() {
	s.flushRecent()
}

// committed remembers what a commit of this process has written, and tells others.
func (s *Store) committed(c *mail.Commit, v mail.Version) {
	for _, change := range c.Changes {
		switch change := change.(type) {
		case *mail.Appended:
			s.cache.keep(c.Account, change.Arrivals)
		case *mail.MailboxDeleted:
			s.recent.drop(c.Account, change.Mailbox)
		}
	}
	s.moved(c.Account, v)
}

// moved tells others of a version that this process has made.
func (s *Store) moved(id mail.AccountID, v mail.Version) {
	if !s.o.NoHints {
		s.sender.add(id, v)
	}
}

// removedAccount forgets all about an account that is not here any more, and tells others.
func (s *Store) removedAccount(id mail.AccountID) {
	if !s.o.NoHints {
		s.sender.add(id, gone)
	}
	s.cache.drop(id)
	s.recent.dropAccount(id)
}
