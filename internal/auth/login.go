package auth

import (
	"context"
	"io"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"postfach/internal/mail"
)

// Options of an Authenticator. Zero values mean the defaults.
type Options struct {
	Iterations   int           // of the secrets of users that don't exist; IterationsDefault
	HashesMax    int           // hash computations at once; default: the number of cores
	WaitMax      time.Duration // an attempt that would wait longer is Busy; default 30 s
	CacheFor     time.Duration // how long a login is remembered; default 5 min
	CacheMax     int           // logins remembered; default 10,000
	ThrottledMax int           // addresses, accounts and pairs of them remembered, each; default 20,000
}

func (o Options) withDefaults() Options {
	if o.Iterations == 0 {
		o.Iterations = IterationsDefault
	}
	if o.HashesMax == 0 {
		o.HashesMax = runtime.GOMAXPROCS(0)
	}
	if o.WaitMax == 0 {
		o.WaitMax = 30 * time.Second
	}
	if o.CacheFor == 0 {
		o.CacheFor = 5 * time.Minute
	}
	if o.CacheMax == 0 {
		o.CacheMax = 10_000
	}
	if o.ThrottledMax == 0 {
		o.ThrottledMax = 20_000
	}
	return o
}

// Authenticator checks logins. Its methods are safe for concurrent use.
type Authenticator struct {
	dir      mail.Directory
	env      *mail.Env
	o        Options
	key      []byte // of fingerprints
	nobody   *secret
	cache    cache
	throttle *throttle
	hashes   chan struct{} // a slot for each computation

	flightsMu sync.Mutex
	flights   map[fingerprint]*flight
}

// New makes an authenticator for the accounts of a directory. It fails only when
// there is no randomness.
func New(dir mail.Directory, env *mail.Env, o Options) (*Authenticator, error) {
	o = o.withDefaults()
	a := &Authenticator{dir: dir, env: env, o: o, key: make([]byte, 32),
		nobody:   &secret{iterations: o.Iterations, salt: make([]byte, saltBytes), storedKey: make([]byte, 32)},
		cache:    cache{keep: o.CacheFor, good: newTable[fingerprint, time.Time](o.CacheMax)},
		throttle: newThrottle(o.ThrottledMax),
		hashes:   make(chan struct{}, o.HashesMax), flights: make(map[fingerprint]*flight)}
	for _, b := range [][]byte{a.key, a.nobody.salt, a.nobody.storedKey} {
		if _, err := io.ReadFull(env.Random, b); err != nil {
			return nil, mail.Wrap(mail.Internal, err)
		}
	}
	return a, nil
}

// Attempt is one try to log in with a password.
type Attempt struct {
	Mechanism string     // for the log: "PLAIN", "LOGIN"
	User      string     // as the client wrote it
	Password  string     // as the client wrote it
	AuthzID   string     // who to act as; empty: the user. Another user is ErrActAs.
	Remote    netip.Addr // of the client; the zero value on a Unix socket
}

// ErrActAs is the answer to a login that is right, by somebody who wants to act as another
// user. Its kind is Denied.
var ErrActAs = mail.Errorf(mail.Denied, "nobody may act as another user")

// errDenied is the one answer to all that is wrong with a login.
var errDenied = mail.Errorf(mail.Denied, "wrong user name or password")

var errBusy = mail.Errorf(mail.Busy, "too many wrong passwords, try again later")

// Login checks an attempt and returns the account. Denied when anything about the name or
// the password is wrong, with one text for all reasons; ErrActAs; Busy when there were too many wrong ones; Unavailable
// when the store is away. It may take up to Options.WaitMax; the context ends the wait.
// It writes one line to the log, unless the error is neither Denied nor Busy.
func (a *Authenticator) Login(ctx context.Context, t Attempt) (mail.Account, error) {
	account, cached, err := a.login(ctx, t)
	if err == nil && !actsAsSelf(account.Name, t.AuthzID) {
		account, err = mail.Account{}, ErrActAs
	}
	switch {
	case err == nil:
		a.env.Log.Info("login", "user", account.Name, "remote", t.Remote, "mechanism", t.Mechanism, "cached", cached)
	case mail.Is(err, mail.Denied) || err == errBusy:
		a.env.Log.Info("login failed", "user", clip(t.User), "remote", t.Remote, "mechanism", t.Mechanism, "err", err)
	}
	return account, err
}

// clip bounds what a stranger can write into the log.
func clip(user string) string {
	if len(user) > 100 {
		return user[:100] + "..."
	}
	return user
}

func (a *Authenticator) login(ctx context.Context, t Attempt) (account mail.Account, cached bool, err error) {
	name, nameErr := CheckName(t.User)
	if nameErr != nil {
		name = "" // all impossible names share one bucket
	}
	account, err = a.dir.Account(ctx, name)
	exists := err == nil && nameErr == nil
	if err != nil && !mail.Is(err, mail.NotFound) {
		return mail.Account{}, false, err
	}
	s, text := a.nobody, ""
	if exists {
		if s, err = parseSecret(account.Secret); err != nil {
			a.env.Log.Error("an account has a broken secret", "user", name)
			s, exists = a.nobody, false
		} else {
			text = account.Secret
		}
	}
	k := pair{name, network(t.Remote)}
	f := fingerprintOf(a.key, k, text, t.Password)
	if exists && a.cache.has(f, a.env.Now()) && a.throttle.trusted(k, a.env.Now()) {
		return account, true, nil
	}
	if err := a.share(ctx, k, f, s, t.Password); err != nil {
		return mail.Account{}, false, err
	}
	if !exists {
		return mail.Account{}, false, errDenied
	}
	return account, false, nil
}

func actsAsSelf(name, authzID string) bool {
	if authzID == "" {
		return true
	}
	as, err := CheckName(authzID)
	return err == nil && as == name
}
