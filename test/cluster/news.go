package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"postfach/internal/imapclient"
)

// Bounds for news at 200 commits a second.
const (
	newsHalfMax = 20 * time.Millisecond
	newsMostMax = 50 * time.Millisecond // of 99 in 100
)

// newsAccounts share the commits among them.
const newsAccounts = 50

// heard is how long it took from the answer to a command on one server, and from its
// sending, until a session that idles on another was told.
type heard struct {
	mu                   sync.Mutex
	sinceDone, sinceSent []time.Duration
}

// news commits on one server and listens on another. An error: too late.
func news(out io.Writer, o options) error {
	o.servers = 2
	c, err := startCluster(out, o)
	if err != nil {
		return err
	}
	defer c.stop()
	return c.news()
}

func (c *cluster) news() error {
	var names []string
	for n := range newsAccounts {
		names = append(names, fmt.Sprintf("news%d", n))
	}
	if err := c.addAccounts(names); err != nil {
		return err
	}
	var all heard
	var wg sync.WaitGroup
	var err error
	errs := make(chan error, len(names))
	began := time.Now()
	for n, name := range names {
		wg.Go(func() { errs <- c.talk(name, time.Duration(n), &all) })
	}
	wg.Wait()
	close(errs)
	for e := range errs {
		err = errors.Join(err, e)
	}
	half, most := percentile(all.sinceDone, 50), percentile(all.sinceDone, 99)
	fmt.Fprintf(c.out, "%d commits in %v; an idling session on another server was told: p50 %v, p99 %v, at most %v after the answer; p50 %v, p99 %v after the command\n",
		len(all.sinceDone), time.Since(began).Round(time.Millisecond), half, most, percentile(all.sinceDone, 100), percentile(all.sinceSent, 50), percentile(all.sinceSent, 99))
	halfMax, mostMax := newsHalfMax*c.patience, newsMostMax*c.patience
	if err == nil && (half > halfMax || most > mostMax) {
		err = fmt.Errorf("news took p50 %v, p99 %v; at most %v and %v", half, most, halfMax, mostMax)
	}
	if err != nil {
		c.showLogs()
	}
	return err
}

// newsLost is when news counts as lost.
const newsLost = 5 * time.Second

// talker writes in one account on one server, one thing at a time, and hears it on another.
type talker struct {
	account string
	writer  *imapclient.Client
	told    chan hearing
	done    int
}

type hearing struct {
	what string
	at   time.Time
}

func (c *cluster) talk(account string, n time.Duration, all *heard) (err error) {
	t := &talker{account: account, told: make(chan hearing, 1000)}
	if t.writer, err = c.nodes[0].Login(context.Background(), account, imapclient.Options{}); err != nil {
		return err
	}
	defer t.writer.Close()
	if _, err := t.writer.Select("INBOX"); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := t.listen(ctx, c.nodes[1]); err != nil {
		return err
	}
	each := newsAccounts * time.Second / time.Duration(c.rate)
	next := time.Now().Add(n * each / newsAccounts)
	for end := time.Now().Add(c.options.news); next.Before(end); next = next.Add(each) {
		time.Sleep(time.Until(next))
		if err := t.once(all); err != nil {
			return fmt.Errorf("%s: %w", account, err)
		}
	}
	return nil
}

// once does something and waits until it is heard.
func (t *talker) once(all *heard) error {
	sent := time.Now()
	what, err := t.write()
	if err != nil {
		return err
	}
	done := time.Now()
	late := time.After(newsLost)
	for {
		select {
		case h := <-t.told:
			if h.what != what || h.at.Before(sent) {
				continue
			}
			all.mu.Lock()
			defer all.mu.Unlock()
			all.sinceDone = append(all.sinceDone, max(0, h.at.Sub(done)))
			all.sinceSent = append(all.sinceSent, h.at.Sub(sent))
			return nil
		case <-late:
			return fmt.Errorf("no news of %s after %v", what, newsLost)
		}
	}
}

// write appends a message, or changes the flags of the last one, and returns what has to
// be heard of it.
func (t *talker) write() (string, error) {
	t.done++
	if t.done%2 == 1 {
		m := []byte("Subject: news\r\n\r\nsomething new\r\n")
		_, _, err := t.writer.Append("INBOX", bytes.NewReader(m), int64(len(m)), imapclient.AppendOptions{})
		return "EXISTS", err
	}
	last := fmt.Sprint(t.writer.Mailbox().Exists)
	return "FETCH", t.writer.Store(last, "FLAGS.SILENT", fmt.Sprintf("news%d", t.done%50))
}

// listen idles on a server.
func (t *talker) listen(ctx context.Context, at place) error {
	listener, err := at.Login(ctx, t.account, imapclient.Options{})
	if err != nil {
		return err
	}
	if _, err := listener.Examine("INBOX"); err != nil {
		return err
	}
	go func() {
		defer listener.Close()
		_ = listener.Idle(ctx, func(n imapclient.News) { t.told <- hearing{n.What, time.Now()} })
	}()
	return nil
}
