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
	Dir      string // of the log to write to before answers leave; empty: none
}

// Replay is the player: it reads what it is to play, writes its addresses, and serves until
// there is no more to read.
func Replay(in io.Reader, out io.Writer) error {
	buffered := bufio.NewReader(in) // gob would make its own, and take what is behind
	var r recording
	if err := gob.NewDecoder(buffered).Decode(&r); err != nil {
		return err
	}
	var disk *syncLog
	if r.Dir != "" {
		var err error
		if disk, err = newSyncLog(r.Dir); err != nil {
			return err
		}
		defer disk.close()
	}
	p, err := play(&tape{greeting: r.Greeting, answers: r.Answers}, disk)
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
		return Replay(in, out)
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
