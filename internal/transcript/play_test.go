package transcript

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// echo is a server that greets, says OK to everything, repeats what it is asked to
// say, and tells it to all when it begins with "all".
type echo struct {
	mu    sync.Mutex
	conns []net.Conn
}

func (e *echo) world(quiet func()) World {
	return World{
		Start: func(map[string]string) error { return nil },
		User:  func(string, string) error { return nil },
		Quiet: quiet,
		Dial: func(string) (net.Conn, error) {
			c, s := Pipe(nil)
			e.mu.Lock()
			e.conns = append(e.conns, s)
			e.mu.Unlock()
			go e.serve(s)
			return c, nil
		},
	}
}

func (e *echo) serve(c net.Conn) {
	defer c.Close()
	fmt.Fprintf(c, "* OK hello\r\n")
	r := bufio.NewScanner(c)
	for r.Scan() {
		tag, rest, _ := strings.Cut(r.Text(), " ")
		verb, rest, _ := strings.Cut(rest, " ")
		switch verb {
		case "SAY":
			fmt.Fprintf(c, "* %s\r\n", rest)
		case "LATER":
			time.AfterFunc(time.Hour, func() { fmt.Fprintf(c, "* later\r\n") })
		case "ALL":
			e.mu.Lock()
			for _, o := range e.conns {
				fmt.Fprintf(o, "* %s\r\n", rest)
			}
			e.mu.Unlock()
		case "QUIT":
			return
		case "LIT":
			fmt.Fprintf(c, "* L {5}\r\na\r\nbc)\r\n")
		}
		fmt.Fprintf(c, "%s OK done\r\n", tag)
	}
}

// good is a script that is as it says.
const good = `# a comment
C1: a SAY one $$5
# inside
S1: * one $$5
S1: a OK done

C1: b NOOP
C1: c SAY $$x $$y
S1: b OK ...
S1: * $x $y
S1: c OK done
C2: d ALL hear
S1: * hear
S2: * hear
S2: d OK done
C1: e LATER
S1: e OK done
wait 59m
wait 1m
S1: * later
C1: f LIT
S1: * L {*}
S1| a
S1| bc<more>
S1: )
S1: f OK done

C1: g SAY 12
S1: * $n
S1: g OK done
check $n > 11
C1: h QUIT
S1: <closed>
`

func playText(t *testing.T, text string) (err error) {
	t.Helper()
	s, err := Parse("test", text)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) { err = s.Play((&echo{}).world(synctest.Wait)) })
	return err
}

func TestPlay(t *testing.T) {
	if err := playText(t, good); err != nil {
		t.Fatal(err)
	}
}

// TestPlayFinds changes the good script in ways that must each be found out.
func TestPlayFinds(t *testing.T) {
	for _, c := range []struct{ name, old, new string }{
		{"a line too few", "S1: * one $$5\n", ""},
		{"a line too many", "S1: * later\n", "S1: * later\nS1: * later\n"},
		{"the other connection's line", "S1: * hear\n", ""},
		{"another text", "S1: b OK ...", "S1: b NO ..."},
		{"too early", "wait 59m\n", "wait 59m\nS1: * later\n"},
		{"another size", "{*}", "{6}"},
		{"another literal", "S1| a\n", "S1: a\n"},
		{"a wrong check", "$n > 11", "$n > 12"},
		{"still open", "h QUIT\n", "h NOOP\n"},
		{"closed", "S1: <closed>\n", ""},
	} {
		if !strings.Contains(good, c.old) {
			t.Fatalf("%s: nothing to replace", c.name)
		}
		if err := playText(t, strings.Replace(good, c.old, c.new, 1)); err == nil {
			t.Errorf("%s: not found", c.name)
		}
	}
}

// TestRewriteMends takes the expected lines away and gets them again.
func TestRewriteMends(t *testing.T) {
	var kept []string
	for text := range strings.Lines(good) {
		if !strings.HasPrefix(text, "S") || strings.Contains(text, "$") {
			kept = append(kept, text)
		}
	}
	s, err := Parse("test", strings.Join(kept, ""))
	if err != nil {
		t.Fatal(err)
	}
	var text string
	synctest.Test(t, func(t *testing.T) { text, err = s.Rewrite((&echo{}).world(synctest.Wait)) })
	if err != nil {
		t.Fatal(err)
	}
	want := strings.NewReplacer("b OK ...", "b OK done", "{*}", "{5}").Replace(good)
	if text != want {
		t.Fatalf("got\n%s\nwant\n%s", text, want)
	}
}

func TestRewriteKeepsWhatMatches(t *testing.T) {
	s, err := Parse("test", good)
	if err != nil {
		t.Fatal(err)
	}
	var text string
	synctest.Test(t, func(t *testing.T) { text, err = s.Rewrite((&echo{}).world(synctest.Wait)) })
	if err != nil || text != good {
		t.Fatalf("%v\n%s", err, text)
	}
}

// TestRealTime plays without the fake clock: a fence finds what was left over.
func TestRealTime(t *testing.T) {
	text := good[:strings.Index(good, "C1: e")]
	s, err := Parse("test", text)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Play((&echo{}).world(nil)); err != nil {
		t.Fatal(err)
	}
	s, _ = Parse("test", strings.Replace(text, "S1: * hear\n", "", 1))
	if err := s.Play((&echo{}).world(nil)); err == nil {
		t.Fatal("what was left over was not found")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(good)
	f.Add("message INBOX\n| x\nC1: a APPEND {*}\nC1| x\nS1: +\ntls 1\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse("fuzz", text)
		if err != nil {
			return
		}
		b := bindings{}
		for _, st := range s.stages {
			for _, e := range st.expect {
				b.matches(e.line, e.line)
			}
		}
	})
}
