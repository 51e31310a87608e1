package transcript

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// head is what the header says of connections.
type head struct {
	noLogin bool
	from    string
	logins  map[int][2]string // user and password, as LOGIN takes them
	selects map[int]string    // the mailbox that a connection has selected
}

var isNews = regexp.MustCompile(`^\* [0-9]+ (EXISTS|EXPUNGE|RECENT|FETCH )`)

// endsOpen tells whether a connection is inside a command when the script ends, so
// that no NOOP can be sent.
func (s *Script) endsOpen(peer int) bool {
	last := ""
	for _, st := range s.stages {
		for _, e := range st.expect {
			if e.peer == peer && !e.literal && !strings.HasPrefix(e.text, "* ") {
				last = e.text
			}
		}
	}
	return strings.HasPrefix(last, "+")
}

// setUp makes what the header says there is. Mail is put there by IMAP commands, so
// that every server can be played against.
func (p *play) setUp() error {
	p.head = head{logins: map[int][2]string{}, selects: map[int]string{}}
	settings := map[string]string{}
	var mails []entry
	for _, e := range p.script.header {
		words := strings.Fields(e.rest)
		ok := true
		switch e.verb {
		case "user":
			ok = len(words) == 2
		case "login":
			if ok = len(words) == 3; ok {
				n, _ := strconv.Atoi(words[0])
				p.head.logins[n] = [2]string{words[1], words[2]}
			}
		case "select":
			if ok = len(words) == 2; ok {
				n, _ := strconv.Atoi(words[0])
				p.head.selects[n] = words[1]
			}
		case "no":
			p.head.noLogin = e.rest == "login"
			ok = p.head.noLogin
		case "from":
			p.head.from = e.rest
		case "set":
			if ok = len(words) == 2; ok {
				settings[words[0]] = words[1]
			}
		case "mailbox", "message", "messages":
			mails = append(mails, e)
		default:
			ok = false
		}
		if !ok {
			return fmt.Errorf("%s:%d: what is %q?", p.script.name, e.at, e.verb+" "+e.rest)
		}
	}
	if err := p.world.Start(settings); err != nil {
		return err
	}
	if err := p.fillAccounts(mails); err != nil {
		return err
	}
	for _, n := range sorted(p.head.selects) {
		if err := p.open(n); err != nil {
			return err
		}
		if err := p.command(p.peers[n], "SELECT "+p.head.selects[n]+"\r\n"); err != nil {
			return err
		}
	}
	return nil
}

func (p *play) fillAccounts(mails []entry) error {
	if err := p.world.User("anna", "secret"); err != nil {
		return err
	}
	for _, e := range p.script.header {
		if words := strings.Fields(e.rest); e.verb == "user" {
			if err := p.world.User(words[0], words[1]); err != nil {
				return err
			}
		}
	}
	if len(mails) == 0 {
		return nil
	}
	peer, err := p.dial("", [2]string{"anna", "secret"})
	if err != nil {
		return err
	}
	defer peer.close()
	for _, e := range mails {
		for _, c := range e.commands() {
			if err := p.command(peer, c); err != nil {
				return fmt.Errorf("%s:%d: %w", p.script.name, e.at, err)
			}
		}
	}
	return p.command(peer, "LOGOUT\r\n")
}

// commands are the IMAP commands that do what an entry says, without tags.
func (e *entry) commands() []string {
	switch e.verb {
	case "mailbox":
		return []string{"CREATE " + e.rest + "\r\n"}
	case "message":
		var body strings.Builder
		for _, l := range e.body {
			body.WriteString(l.bytesOf())
		}
		return []string{appendCommand(e.rest, body.String())}
	}
	words := append(strings.Fields(e.rest), "0", "0")
	n, _ := strconv.Atoi(words[1])
	size, _ := strconv.Atoi(words[2])
	var list []string
	for i := range n {
		text := fmt.Sprintf("Subject: message %d\r\n\r\nbody %d\r\n", i+1, i+1)
		if missing := size - len(text); missing > 0 {
			text += strings.Repeat(strings.Repeat("x", 70)+"\r\n", (missing+71)/72)[:missing]
		}
		list = append(list, appendCommand(words[0], text))
	}
	return list
}

func appendCommand(arguments, body string) string {
	return fmt.Sprintf("APPEND %s {%d+}\r\n%s\r\n", arguments, len(body), body)
}

// open makes a connection when a script names it first.
func (p *play) open(n int) error {
	if p.peers[n] != nil {
		return nil
	}
	if p.head.noLogin {
		c, err := p.world.Dial(p.head.from)
		if err != nil {
			return err
		}
		p.peers[n] = newPeer(c)
		p.quiet() // so that connections come in the order of their numbers
		return nil
	}
	login, ok := p.head.logins[n]
	if !ok {
		login = [2]string{"anna", "secret"}
	}
	peer, err := p.dial(p.head.from, login)
	p.peers[n] = peer
	return err
}

// dial makes a connection that is logged in.
func (p *play) dial(from string, login [2]string) (*peer, error) {
	c, err := p.world.Dial(from)
	if err != nil {
		return nil, err
	}
	peer := newPeer(c)
	greeting, ok := peer.next(patience)
	if !ok || !strings.HasPrefix(greeting.text, "* OK") {
		peer.close()
		return nil, fmt.Errorf("no greeting but %q", greeting.text)
	}
	err = p.command(peer, "LOGIN "+login[0]+" "+login[1]+"\r\n")
	if err == nil && p.world.Compress {
		if err = p.command(peer, "COMPRESS DEFLATE\r\n"); err == nil {
			err = peer.startDeflate(false)
		}
	}
	if err != nil {
		peer.close()
		return nil, err
	}
	return peer, nil
}

// command runs a command that has to succeed.
func (p *play) command(peer *peer, text string) error {
	peer.send("setup " + text)
	for {
		got, ok := peer.next(patience)
		switch {
		case !ok:
			return fmt.Errorf("no answer to %q", text)
		case strings.HasPrefix(got.text, "setup OK"):
			return nil
		case !strings.HasPrefix(got.text, "*"):
			return fmt.Errorf("%q was answered with %q", text, got.text)
		}
	}
}
