package transcript

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Script is a transcript that can be played.
type Script struct {
	name   string
	lines  []string // of the file
	header []entry
	stages []stage
	blank  bool // the line before was empty
}

// entry is a line of the header.
type entry struct {
	at   int // its line, from 1
	verb string
	rest string
	body []line // the lines after "| "
}

// stage is something that happens and what is said then.
type stage struct {
	at     int    // its first line, from 1
	verb   string // "send", "wait" and so on; empty: nothing happens
	rest   string
	peer   int    // who does it, if it is a connection
	send   []line // what it sends
	expect []said // what is said
	from   int    // where the expected lines begin in the file, from 0
	to     int    // and where they end
}

// said is a line that a connection shall be told.
type said struct {
	line
	peer int
	at   int
}

var (
	speech = regexp.MustCompile(`^([CS])([1-9])([:|])(?: (.*))?$`)
	verbs  = regexp.MustCompile(`^(wait|check|tls|deflate|plain|close|stall|read|drain) (.+)$`)
)

// Parse reads a script. name is for messages.
func Parse(name, text string) (*Script, error) {
	s := &Script{name: name, lines: strings.Split(strings.TrimSuffix(text, "\n"), "\n")}
	for i, text := range s.lines {
		if err := s.take(i, text); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, i+1, err)
		}
		s.blank = text == ""
	}
	s.fillSizes()
	return s, nil
}

// take takes in a line.
func (s *Script) take(i int, text string) error {
	if m := speech.FindStringSubmatch(text); m != nil {
		peer, _ := strconv.Atoi(m[2])
		l := line{literal: m[3] == "|", text: m[4]}
		if m[1] == "C" {
			s.client(i, peer, l)
		} else {
			s.server(i, peer, l)
		}
		return nil
	}
	if m := verbs.FindStringSubmatch(text); m != nil {
		return s.event(i, m[1], m[2])
	}
	switch {
	case text == "", strings.HasPrefix(text, "#"):
	case len(s.stages) > 0:
		return fmt.Errorf("neither C1: nor S1: nor a thing that happens: %q", text)
	case strings.HasPrefix(text, "|"):
		if len(s.header) == 0 {
			return fmt.Errorf("a message's line without a message")
		}
		e := &s.header[len(s.header)-1]
		e.body = append(e.body, line{true, strings.TrimPrefix(text[1:], " ")})
	default:
		verb, rest, _ := strings.Cut(text, " ")
		s.header = append(s.header, entry{at: i + 1, verb: verb, rest: rest})
	}
	return nil
}

// client adds to what a connection sends in one write.
func (s *Script) client(i, peer int, l line) {
	n := len(s.stages)
	if n == 0 || s.blank || s.stages[n-1].verb != "send" || s.stages[n-1].peer != peer || len(s.stages[n-1].expect) > 0 {
		s.stages = append(s.stages, stage{at: i + 1, verb: "send", peer: peer, from: i + 1, to: i + 1})
		n++
	}
	st := &s.stages[n-1]
	st.send = append(st.send, l)
	st.from, st.to = i+1, i+1
}

// server adds to what is said in a stage.
func (s *Script) server(i, peer int, l line) {
	if len(s.stages) == 0 {
		s.stages = append(s.stages, stage{at: i + 1, from: i, to: i})
	}
	st := &s.stages[len(s.stages)-1]
	if len(st.expect) == 0 {
		st.from = i
	}
	st.expect = append(st.expect, said{l, peer, i + 1})
	st.to = i + 1
}

func (s *Script) event(i int, verb, rest string) error {
	st := stage{at: i + 1, verb: verb, rest: rest, from: i + 1, to: i + 1}
	switch verb {
	case "tls", "deflate", "plain", "close", "stall", "read", "drain":
		number, more, _ := strings.Cut(rest, " ")
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 || n > 9 {
			return fmt.Errorf("%s wants the number of a connection", verb)
		}
		st.peer, st.rest = n, more
	}
	s.stages = append(s.stages, st)
	return nil
}

// fillSizes computes the sizes that are left to compute. A client's literal may
// come after the server's "+", in a later stage.
func (s *Script) fillSizes() {
	client := map[int][]*line{}
	for i := range s.stages {
		st := &s.stages[i]
		for k := range st.send {
			client[st.peer] = append(client[st.peer], &st.send[k])
		}
		for peer := range peersOf(st) {
			fill(st.expect, peer)
		}
	}
	for _, pointers := range client {
		lines := make([]line, len(pointers))
		for i, l := range pointers {
			lines[i] = *l
		}
		fillSizes(lines)
		for i, l := range pointers {
			*l = lines[i]
		}
	}
}

// fill fills the sizes in what one connection is told.
func fill(expect []said, peer int) {
	var lines []line
	var where []int
	for i := range expect {
		if expect[i].peer == peer {
			lines, where = append(lines, expect[i].line), append(where, i)
		}
	}
	fillSizes(lines)
	for k, i := range where {
		expect[i].line = lines[k]
	}
}

// peersOf is the set of connections that a stage names.
func peersOf(st *stage) map[int]bool {
	peers := map[int]bool{}
	if st.peer > 0 {
		peers[st.peer] = true
	}
	for _, e := range st.expect {
		peers[e.peer] = true
	}
	return peers
}
