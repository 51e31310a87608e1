package postgres

import (
	"sync"

	"postfach/internal/mail"
)

// versionsMax bounds how many accounts a versions has. Any that is missing costs others a hint
// more or less.
const versionsMax = 200_000

// versions are the newest known versions of accounts.
type versions struct {
	mu sync.Mutex
	of map[mail.AccountID]mail.Version
}

func (v *versions) init() { v.of = map[mail.AccountID]mail.Version{} }

// raise takes in a version.
func (v *versions) raise(id mail.AccountID, version mail.Version) {
	v.mu.Lock()
	defer v.mu.Unlock()
	old, known := v.of[id]
	if known && old >= version {
		return
	}
	if !known && len(v.of) >= versionsMax {
		for other := range v.of {
			delete(v.of, other)
			break
		}
	}
	v.of[id] = version
}

// take empties it, keeping the other map for the next time.
func (v *versions) take(empty map[mail.AccountID]mail.Version) map[mail.AccountID]mail.Version {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := v.of
	clear(empty)
	v.of = empty
	return all
}
