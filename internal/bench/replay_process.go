package bench

import (
	"bufio"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// A server is another process than its client, and so is what plays back its answers: to wake
// a process takes longer than to go on in the same one.

// recording is what is to be played, on its way to the player.
type recording struct {
	Greeting string
	Answers  map[string][]byte
	Dir      string // on the servers' disk; empty: in memory only
	Files    bool   // long answers are read from a file
	Durable  bool   // what came is kept before answers leave
	Store    bool   // in a store, not only in a log
}

// Replay is the player: it reads what it is to play, writes its addresses, and serves until
// there is no more to read. store opens a store for mail in a directory; nil: mail is kept in a log, too.
func Replay(in io.Reader, out io.Writer, store func(dir string) (Keeper, error)) error {
	buffered := bufio.NewReader(in) // gob would make its own, and take what is behind
	var r recording
	if err := gob.NewDecoder(buffered).Decode(&r); err != nil {
		return err
	}
	var disk Keeper
	if r.Durable && r.Dir != "" {
		var err error
		if disk, err = r.keeper(store); err != nil {
			return err
		}
		defer disk.Close()
	}
	var long *shelf
	if r.Files && r.Dir != "" {
		var err error
		if long, err = newShelf(r.Dir, r.Answers); err != nil {
			return err
		}
		defer long.close()
	}
	p, err := play(&tape{greeting: r.Greeting, answers: r.Answers}, long, disk)
	if err != nil {
		return err
	}
	defer p.close()
	if _, err := fmt.Fprintln(out, p.imap.Addr(), p.lmtp.Addr()); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, buffered)
	return err
}

func (r *recording) keeper(store func(dir string) (Keeper, error)) (Keeper, error) {
	if r.Store && store != nil {
		return store(r.Dir)
	}
	return newSyncLog(r.Dir)
}

// replayed is a player at work.
type replayed struct {
	imap, lmtp string
	close      func()
}

// startReplay starts a player: the command, which calls Replay, or without one this process.
func startReplay(ctx context.Context, command []string, r *recording) (*replayed, error) {
	input, send := io.Pipe()
	output, answer := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := runReplay(ctx, command, input, answer)
		input.CloseWithError(errors.Join(io.ErrClosedPipe, err))
		answer.CloseWithError(errors.Join(io.ErrUnexpectedEOF, err))
		ended <- err
	}()
	started := &replayed{close: func() { send.Close(); <-ended }}
	err := gob.NewEncoder(send).Encode(r)
	if err == nil {
		_, err = fmt.Fscanln(output, &started.imap, &started.lmtp)
	}
	if err != nil {
		started.close()
		return nil, err
	}
	return started, nil
}

func runReplay(ctx context.Context, command []string, in io.Reader, out io.Writer) error {
	if len(command) == 0 {
		return Replay(in, out, nil)
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, os.Stderr
	cmd.WaitDelay = time.Second // for what is still to be sent, when it has ended
	return cmd.Run()
}

func (r *replayed) target(like *Target) *Target {
	t := *like
	t.Name, t.PID, t.tape, t.Restart = "replay", 0, nil, nil
	t.IMAP, t.LMTP = r.imap, r.lmtp
	return &t
}
