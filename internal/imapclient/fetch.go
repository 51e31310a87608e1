package imapclient

import "iter"

// Fetch asks for items (RFC 9051 6.4.5), such as "(FLAGS BODY.PEEK[])", of the messages of
// a set of sequence numbers. The loop gets each message as it comes; an error is the
// last. What the server says about a message unasked meanwhile also comes here, with the
// items that it says.
//
// The loop may send further commands. One that waits for its answer has to keep all
// messages that come before that in memory.
func (c *Client) Fetch(set, items string) iter.Seq2[*Message, error] {
	return c.fetch("FETCH", set, items, nil)
}

// UIDFetch is Fetch by UIDs.
func (c *Client) UIDFetch(set, items string) iter.Seq2[*Message, error] {
	return c.fetch("UID FETCH", set, items, nil)
}

// UIDFetchBodies is UIDFetch for messages of any size: the bytes of each section go to a
// function as they come.
func (c *Client) UIDFetchBodies(set, items string, body BodyFunc) iter.Seq2[*Message, error] {
	return c.fetch("UID FETCH", set, items, body)
}

func (c *Client) fetch(command, set, items string, body BodyFunc) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		var come []*Message
		ended := false
		cmd := c.simple(command, set, items)
		cmd.body = body
		cmd.fetched = func(m *Message) {
			if !ended {
				come = append(come, m)
			}
		}
		defer func() { ended = true; _ = cmd.wait() }()
		for {
			for len(come) > 0 {
				m := come[0]
				if come = come[1:]; !yield(m, nil) {
					return
				}
			}
			come = come[:0:cap(come)]
			if cmd.done {
				break
			}
			c.step()
		}
		if cmd.err != nil {
			yield(nil, cmd.err)
		}
	}
}

// FetchAll collects what Fetch or UIDFetch yields.
func FetchAll(messages iter.Seq2[*Message, error]) ([]*Message, error) {
	var all []*Message
	for m, err := range messages {
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}
