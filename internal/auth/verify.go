package auth

import (
	"context"
	"time"

	"postfach/internal/mail"
)

// flight is a check under way that equal attempts share: a client that opens
// twenty connections at once costs one hash, and is wrong once.
type flight struct {
	done chan struct{}
	err  error
}

// share runs the check or waits for an equal one.
func (a *Authenticator) share(ctx context.Context, k pair, f fingerprint, s *secret, password string) error {
	for {
		shared, first := a.board(f)
		if first {
			defer a.land(f, shared)
			shared.err = a.verify(ctx, k, f, s, password)
			return shared.err
		}
		select {
		case <-shared.done:
		case <-ctx.Done():
			return mail.Wrap(mail.Busy, ctx.Err())
		}
		if shared.err == nil || mail.Is(shared.err, mail.Denied) || shared.err == errBusy {
			return shared.err
		} // else the other one gave up, for a reason of its own
	}
}

// board returns the flight for the attempt, and whether the caller is the one to make it.
func (a *Authenticator) board(f fingerprint) (*flight, bool) {
	a.flightsMu.Lock()
	defer a.flightsMu.Unlock()
	if shared := a.flights[f]; shared != nil {
		return shared, false
	}
	shared := &flight{done: make(chan struct{}), err: errGaveUp}
	a.flights[f] = shared
	return shared, true
}

// errGaveUp is the result of a flight that never came to one.
var errGaveUp = mail.Errorf(mail.Internal, "the check was given up")

func (a *Authenticator) land(f fingerprint, shared *flight) {
	a.flightsMu.Lock()
	delete(a.flights, f)
	a.flightsMu.Unlock()
	close(shared.done)
}

// verify waits as long as the throttle wants and checks the password.
func (a *Authenticator) verify(ctx context.Context, k pair, f fingerprint, s *secret, password string) error {
	if err := a.takeTurn(ctx, k); err != nil {
		return err
	}
	if a.throttle.repeated(k, f, a.env.Now()) {
		<-a.hashes
		return errDenied
	}
	normal, err := normalPassword(password)
	possible := err == nil
	ok, err := s.matches(normal) // costs the same for a password that can't be one
	// Counted before the slot is free: no more attempts than slots are ever uncounted.
	switch now := a.env.Now(); {
	case err != nil:
	case ok && possible && s != a.nobody:
		a.throttle.succeeded(k)
		a.cache.add(f, now)
	default:
		a.throttle.failed(k, f, now)
		err = errDenied
	}
	<-a.hashes
	return err
}

// takeTurn takes a slot for the hash at a moment when the throttle has nothing against
// it. While waiting it holds none.
func (a *Authenticator) takeTurn(ctx context.Context, k pair) error {
	began := a.env.Now()
	for {
		now := a.env.Now()
		wait := a.throttle.wait(k, began, now)
		if now.Add(wait).Sub(began) > a.o.WaitMax {
			return errBusy
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
		select {
		case a.hashes <- struct{}{}:
		case <-ctx.Done():
			return mail.Wrap(mail.Busy, ctx.Err())
		}
		if a.throttle.wait(k, began, a.env.Now()) == 0 {
			return nil
		}
		<-a.hashes
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	if d > 0 && !mail.Sleep(ctx, d) {
		return mail.Wrap(mail.Busy, ctx.Err())
	}
	return nil
}
