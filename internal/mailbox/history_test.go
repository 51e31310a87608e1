package mailbox

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"postfach/internal/mail"
	"postfach/internal/store/mem"
)

var historySteps = flag.Int("history.steps", 400, "random operations of each session of TestFlakyHistories")

// letter is a message that one session knows about, and all that may be true of it.
type letter struct {
	id     int64        // its date
	places []string     // mailboxes that it may be in; "" is none
	uid    mail.UID     // where there is one place; 0: not known
	flags  []mail.Flags // that it may have
	twin   *letter      // it is there or the letter that was to replace it, nobody knows which
}

// writer is a session that works at random, on its own letters only, and keeps account of
// what it has been told.
type writer struct {
	t       *testing.T
	rng     *rand.Rand
	engine  *Engine
	number  int64
	account *Account
	belief  *belief
	letters []*letter
	names   map[string][]bool // mailboxes that it has made: there or not
	counts  map[string]int
}

// said sorts an answer: done, certainly not done, or unknown. After an unknown one the
// session begins anew, as one that had to say BYE.
func (w *writer) said(what string, err error) (done, unknown bool) {
	kind := mail.KindOf(err)
	switch {
	case err == nil:
		w.counts[what+" done"]++
		return true, false
	case kind == mail.Unavailable:
		w.counts[what+" unknown"]++
		w.leave()
		return false, true
	case kind != mail.Away:
		w.t.Errorf("%s: %v", what, err)
	}
	w.counts[what+" refused"]++
	return false, false
}

func (w *writer) leave() {
	if w.belief != nil {
		w.belief.view.Close()
		w.belief = nil
	}
	if w.account != nil {
		if w.account.Err() != nil {
			w.t.Error("the account has ended:", w.account.Err())
		}
		w.account.Release()
		w.account = nil
	}
}

// enter makes sure of a view; false when the store does not let it.
func (w *writer) enter() bool {
	ctx := context.Background()
	if w.account == nil {
		a, err := w.engine.Account(ctx, 1)
		if err != nil {
			return false
		}
		w.account = a
	}
	if w.belief == nil {
		if w.account.Sync(ctx) != nil {
			return false
		}
		v, err := w.account.Select(ctx, w.account.Tree().Lookup(Inbox), false, nil)
		if err != nil {
			return false
		}
		w.belief = &belief{t: w.t, view: v, flags: map[mail.UID]mail.Flags{}}
		if v.Exists() > 0 {
			w.belief.Arrived(v)
		}
	}
	return true
}

func (w *writer) step() {
	time.Sleep(time.Duration(w.rng.IntN(30)) * time.Millisecond)
	if !w.enter() {
		return
	}
	if w.rng.IntN(4) == 0 {
		_ = w.account.Sync(context.Background())
	}
	switch k := w.rng.IntN(22); {
	case k < 7:
		w.append()
	case k < 12:
		w.store()
	case k < 14:
		w.remove()
	case k < 17:
		w.move()
	case k < 18:
		w.create()
	case k < 20:
		w.replace()
	}
	w.tell()
}

func (w *writer) tell() {
	if w.belief == nil {
		return
	}
	w.belief.view.Refresh()
	w.belief.view.Tell(w.belief, []News{AllNews, AllNews &^ Expunges}[w.rng.IntN(2)])
	if w.belief.view.Exists() != uint32(len(w.belief.uids)) {
		w.t.Errorf("the view counts %d, the client %d", w.belief.view.Exists(), len(w.belief.uids))
	}
}

func (w *writer) do(op Op) (Result, error) { return w.account.Do(context.Background(), op) }

func (w *writer) id(name string) mail.MailboxID { return w.account.Tree().Lookup(name).ID }

func (w *writer) append() {
	var in []Incoming
	var sent []*letter
	for range 1 + w.rng.IntN(2) {
		one, l, release, err := w.compose()
		defer release()
		if err != nil {
			return // nothing has been sent
		}
		in = append(in, one)
		sent = append(sent, l)
	}
	r, err := w.do(&Append{Mailbox: w.id(Inbox), Messages: in, Now: 5})
	done, unknown := w.said("append", err)
	if unknown {
		for _, l := range sent {
			l.places = []string{Inbox, ""}
		}
	}
	if done && len(r.Target) > 0 {
		for i, l := range sent {
			l.uid = mail.UID(r.Target[0].First) + mail.UID(i)
		}
	} else if done {
		w.counts["append without UIDs"]++
	}
	for _, l := range sent {
		if !done && !unknown {
			l.places = []string{""}
		}
		w.letters = append(w.letters, l)
	}
}

// compose uploads a new letter, which shall be in INBOX.
func (w *writer) compose() (Incoming, *letter, func(), error) {
	u := w.account.Upload(context.Background(), -1)
	if _, err := u.Write(make([]byte, 1+w.rng.IntN(mail.InlineBytesMax+1000))); err != nil {
		return Incoming{}, nil, u.Release, err
	}
	in, err := u.Finish()
	w.number++
	in.Date = mail.Stamp{Unix: w.number}
	return in, &letter{id: w.number, places: []string{Inbox}, flags: []mail.Flags{0}}, u.Release, err
}

// replace puts a new letter into INBOX in the place of another.
func (w *writer) replace() {
	old := w.one()
	if old == nil {
		return
	}
	in, l, release, err := w.compose()
	defer release()
	if err != nil {
		return
	}
	r, err := w.do(&ReplaceMessage{From: w.id(old.places[0]), UID: old.uid, To: w.id(Inbox), Message: in, Now: 6})
	switch done, unknown := w.said("replace", err); {
	case done && (len(r.Target) != 1 || len(r.Source) != 1):
		w.t.Errorf("letter %d is not there: %+v", old.id, r)
	case done:
		old.places, l.uid = []string{""}, mail.UID(r.Target[0].First)
	case unknown:
		old.twin, l.places = l, []string{Inbox, ""}
		old.places = append(old.places, "")
	default:
		l.places = []string{""}
	}
	w.letters = append(w.letters, l)
}

// one chooses a letter of which it is known where it is.
func (w *writer) one() *letter {
	if len(w.letters) == 0 {
		return nil
	}
	l := w.letters[w.rng.IntN(len(w.letters))]
	if l.uid == 0 || len(l.places) != 1 || l.places[0] == "" {
		return nil
	}
	return l
}

func (w *writer) store() {
	l := w.one()
	if l == nil {
		return
	}
	flags := mail.Flags(w.rng.IntN(32)) & mail.SystemFlags
	r, err := w.do(&Store{Mailbox: w.id(l.places[0]), UIDs: mail.UIDs(l.uid), Change: FlagChange{Mode: Replace, System: flags}})
	switch done, unknown := w.said("store", err); {
	case done && len(r.Source) != 1:
		w.t.Errorf("letter %d is not there: %+v", l.id, r)
	case done:
		l.flags = []mail.Flags{flags}
	case unknown:
		l.flags = append(l.flags, flags)
	}
}

func (w *writer) remove() {
	l := w.one()
	if l == nil {
		return
	}
	_, err := w.do(&Expunge{Mailbox: w.id(l.places[0]), UIDs: mail.UIDs(l.uid), Any: true})
	switch done, unknown := w.said("expunge", err); {
	case done:
		l.places = []string{""}
	case unknown:
		l.places = append(l.places, "")
	}
}

func (w *writer) move() {
	l := w.one()
	if l == nil {
		return
	}
	to := map[string]string{Inbox: "Archive", "Archive": Inbox}[l.places[0]]
	r, err := w.do(&Copy{From: w.id(l.places[0]), To: w.id(to), UIDs: mail.UIDs(l.uid), Move: true, Now: 7})
	switch done, unknown := w.said("move", err); {
	case done && len(r.Target) != 1:
		w.t.Errorf("letter %d is not there: %+v", l.id, r)
	case done:
		l.places, l.uid = []string{to}, mail.UID(r.Target[0].First)
	case unknown:
		l.places = append(l.places, to)
	}
}

func (w *writer) create() {
	w.number++
	name := fmt.Sprint("m", w.number)
	_, err := w.do(&Create{Name: name, Now: 1})
	done, unknown := w.said("create", err)
	switch w.names[name] = []bool{done}; {
	case unknown:
		w.names[name] = []bool{true, false}
	case done && w.account.Tree().Lookup(name) == nil:
		w.t.Errorf("%s is not there at once", name)
	}
}

// check holds what the session has been told against what the store has.
func (w *writer) check(n *network, there map[string]bool) {
	places := map[int64][]string{}
	flags := map[int64]mail.Flags{}
	for _, name := range []string{Inbox, "Archive"} {
		for _, row := range n.rows(name) {
			places[row.Date.Unix] = append(places[row.Date.Unix], name)
			flags[row.Date.Unix] = row.Flags
		}
	}
	for _, l := range w.letters {
		at := places[l.id]
		switch {
		case len(at) > 1:
			w.t.Errorf("letter %d is in %v", l.id, at)
		case len(at) == 0 && !slices.Contains(l.places, ""):
			w.t.Errorf("letter %d is lost, it should be in %v", l.id, l.places)
		case l.twin != nil && len(at) == len(places[l.twin.id]):
			w.t.Errorf("letter %d is in %v, and %d that was to replace it in %v", l.id, at, l.twin.id, places[l.twin.id])
		case len(at) == 1 && !slices.Contains(l.places, at[0]):
			w.t.Errorf("letter %d is in %v, it should be in %q", l.id, at, l.places)
		case len(at) == 1 && !slices.Contains(l.flags, flags[l.id]):
			w.t.Errorf("letter %d has %v, it should have one of %v", l.id, flags[l.id], l.flags)
		}
	}
	for name, may := range w.names {
		if !slices.Contains(may, there[name]) {
			w.t.Errorf("mailbox %s: %v, it should be %v", name, there[name], may)
		}
	}
}

// TestFlakyHistories lets sessions of several processes work at random over a bad
// network: what was acknowledged has happened once, what was refused has not, what is
// unknown at most once; no view lies on the way, and all see the same in the end.
func TestFlakyHistories(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { flakyHistory(t, seed) })
		})
	}
}

func flakyHistory(t *testing.T, seed uint64) {
	n := newNetwork(t, Limits{})
	ctx, cancel := context.WithCancel(context.Background())
	var running, working sync.WaitGroup
	var nets []*mem.Flaky
	var writers []*writer
	for e := range uint64(3) {
		f := mem.NewFlaky(n.store, 10*seed+e)
		f.Set(mem.Faults{
			Away: 0.05, Reads: 0.05, Request: 0.05, Answer: 0.1, Late: 0.1, Delay: 300 * time.Millisecond,
			Outcome: 0.7, Hints: 0.3,
		})
		engine := New(f, f, otherEnv(100+10*seed+e), Limits{OutcomeTimeout: 300 * time.Millisecond})
		running.Go(func() { engine.Run(ctx, time.Hour) })
		nets = append(nets, f)
		for s := range uint64(2) {
			w := &writer{
				t: t, rng: rand.New(rand.NewPCG(seed, 2*e+s)), engine: engine, number: int64(1_000_000 * (2*e + s + 1)),
				names: map[string][]bool{}, counts: map[string]int{},
			}
			writers = append(writers, w)
			working.Go(func() {
				for range *historySteps {
					w.step()
				}
			})
		}
	}
	working.Wait()
	for _, f := range nets {
		f.Settle()
		f.Set(mem.Faults{Hints: 1})
	}
	time.Sleep(newsWaitMax + 2*time.Second) // a poll, and a try that was put off
	there := map[string]bool{}
	for _, m := range must[*mail.AccountState](t)(n.store.LoadAccount(ctx, 1)).Mailboxes {
		there[m.Name] = true
	}
	counts := map[string]int{}
	rows := n.rows(Inbox)
	for i, w := range writers {
		for what, c := range w.counts {
			counts[what] += c
		}
		w.check(n, there)
		if !w.enter() {
			t.Fatal("the session can't come back")
		}
		w.belief.view.Refresh()
		w.belief.view.Tell(w.belief, AllNews)
		if len(w.belief.uids) != len(rows) || w.account.Tree().Len() != len(there) {
			t.Errorf("session %d counts %d messages of %d, %d mailboxes of %d", i, len(w.belief.uids), len(rows), w.account.Tree().Len(), len(there))
			continue
		}
		for k, row := range rows {
			if w.belief.uids[k] != row.UID || w.belief.flags[row.UID] != row.Flags {
				t.Errorf("session %d believes %d %v, it is %+v", i, w.belief.uids[k], w.belief.flags[row.UID], row)
			}
		}
		w.leave()
	}
	for _, what := range []string{"append done", "append unknown", "append refused", "store done", "store unknown", "store refused", "replace done", "replace unknown"} {
		if counts[what] == 0 {
			t.Errorf("the history tests nothing: %s never", what)
		}
	}
	t.Log(counts)
	cancel()
	running.Wait()
}
