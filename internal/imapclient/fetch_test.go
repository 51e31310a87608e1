package imapclient

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

func TestFetch(t *testing.T) {
	var news []string
	o := Options{News: func(n News) { news = append(news, n.What) }}
	talk(t, o, hello+`
		C: A1 UID FETCH 1:* (FLAGS BODY.PEEK[])
		S: * 1 FETCH (UID 7 FLAGS (\Seen x) MODSEQ (65) RFC822.SIZE 4294967296 INTERNALDATE "17-Jul-1996 02:44:25 -0700" BODY[] {11}
		S: a: b
		S- c: 12)
		S: 
		S: * 5 EXISTS
		S: * 2 FETCH (BODY[HEADER.FIELDS (TO FROM)] "quoted \" one" BINARY[1]<10> ~{3}
		S: a\0b BODY[9] NIL ENVELOPE (NIL "sub" (("a" NIL "b" {1}
		S: c)(NIL NIL "d" "e")) ()) UID 9)
		S: A1 OK done
		C: A2 FETCH 1 (FLAGS)
		S: A2 BAD no
	`, func(t *testing.T, c *Client) {
		all, err := FetchAll(c.UIDFetch("1:*", "(FLAGS BODY.PEEK[])"))
		check(t, err)
		if len(all) != 2 {
			t.Fatalf("%d messages", len(all))
		}
		m := all[0]
		if m.Seq != 1 || m.UID != 7 || m.ModSeq != 65 || m.Size != 1<<32 || !m.Flag(`\Seen`) || !m.Flag("x") || string(m.Body()) != "a: b\r\nc: 12" {
			t.Errorf("%+v", m)
		}
		if want := time.Date(1996, 7, 17, 9, 44, 25, 0, time.UTC); !m.Date.Equal(want) {
			t.Errorf("date %v", m.Date)
		}
		m = all[1]
		if s := m.Section("BODY[HEADER.FIELDS (TO FROM)]"); s == nil || string(s.Body) != `quoted " one` || s.From != -1 {
			t.Errorf("%+v", s)
		}
		if s := m.Section("BINARY[1]"); s == nil || string(s.Body) != "a\x00b" || s.From != 10 {
			t.Errorf("%+v", s)
		}
		if s := m.Section("BODY[9]"); s == nil || !s.NIL {
			t.Errorf("%+v", s)
		}
		if v := m.Items["ENVELOPE"]; !v.IsList || !v.List[0].NIL || v.List[1].Text != "sub" || v.List[2].List[0].List[3].Text != "c" || !v.List[3].IsList || m.UID != 9 {
			t.Errorf("%+v", v)
		}
		if fmt.Sprint(news) != "[EXISTS]" {
			t.Errorf("news %v", news)
		}
		_, err = FetchAll(c.Fetch("1", "(FLAGS)"))
		refusedWith(t, err, "BAD", "")
	})
}

// TestFetchAndStore sends commands from inside the loop, with and without waiting.
func TestFetchAndStore(t *testing.T) {
	talk(t, Options{}, hello+`
		C: A1 UID FETCH 1:3 UID
		S: * 1 FETCH (UID 1)
		C: A2 UID STORE 1 +FLAGS.SILENT (\Seen)
		S: * 2 FETCH (UID 2)
		S: * 3 FETCH (UID 3)
		S: A1 OK done
		S: A2 OK done
		C: A3 NOOP
		S: A3 OK done
	`, func(t *testing.T, c *Client) {
		n := 0
		for m, err := range c.UIDFetch("1:3", "UID") {
			check(t, err)
			if n++; m.UID == 1 {
				check(t, c.UIDStore("1", "+FLAGS.SILENT", `\Seen`))
			}
			if n == 2 {
				break // the third is skipped
			}
		}
		check(t, c.Noop())
	})
}

func TestFetchBodies(t *testing.T) {
	big := strings.Repeat("0123456789", 20_000)
	talk(t, Options{BodyBytesMax: 10}, hello+fmt.Sprintf(`
		C: A1 UID FETCH 1 (BODY[] BODY[TEXT])
		S: * 1 FETCH (UID 1 BODY[] {%d}
		S- %s BODY[TEXT] "abc")
		S: 
		S: A1 OK done
		C: A2 UID FETCH 1 BODY[]
		S: * 1 FETCH (UID 1 BODY[] {11}
	`, len(big), big), func(t *testing.T, c *Client) {
		var got strings.Builder
		take := func(m *Message, s *Section, size int64, r io.Reader) error {
			if s.Name == "BODY[TEXT]" {
				return nil // skipped
			}
			if m.UID != 1 || size != int64(len(big)) {
				t.Errorf("uid %d, %d bytes", m.UID, size)
			}
			_, err := io.Copy(&got, r)
			return err
		}
		for _, err := range c.UIDFetchBodies("1", "(BODY[] BODY[TEXT])", take) {
			check(t, err)
		}
		if got.String() != big {
			t.Errorf("%d bytes, want %d", got.Len(), len(big))
		}
		if _, err := FetchAll(c.UIDFetch("1", "BODY[]")); err == nil || !strings.Contains(err.Error(), "11 bytes") {
			t.Errorf("a section that is too big: %v", err)
		}
	})
}

// TestPipeline sends more than sockets hold before it reads anything, to a server that does
// not read while it writes.
func TestPipeline(t *testing.T) {
	const commands = 40_000
	text := "NOOP " + strings.Repeat("x", 80)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer l.Close()
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "* OK hello\r\n")
		line := make([]byte, 0, 200)
		one := make([]byte, 64<<10)
		answer := strings.Repeat("* OK and so on and so on and so on\r\n", 3)
		for {
			n, err := conn.Read(one)
			if err != nil {
				return
			}
			for _, b := range one[:n] {
				if line = append(line, b); b == '\n' {
					tag, _, _ := strings.Cut(string(line), " ")
					_, _ = io.WriteString(conn, answer+tag+" OK done\r\n")
					line = line[:0]
				}
			}
		}
	}()
	c, err := Dial(t.Context(), l.Addr().String(), Options{})
	check(t, err)
	defer c.Close()
	all := make([]*Command, commands)
	for i := range all {
		all[i] = c.Send(text)
	}
	for i, cmd := range all {
		if _, err := cmd.Wait(); err != nil {
			t.Fatalf("command %d: %v", i, err)
		}
	}
	if c.out.ahead != 0 {
		t.Errorf("%d bytes ahead when all is answered", c.out.ahead)
	}
}

func BenchmarkPipelinedNoop(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	go func() {
		conn, _ := l.Accept()
		_, _ = io.WriteString(conn, "* OK hello\r\n")
		buf := make([]byte, 64<<10)
		tag, out := 0, []byte(nil)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			for _, c := range buf[:n] {
				if c == '\n' {
					tag++
					out = fmt.Appendf(out, "A%d OK done\r\n", tag)
				}
			}
			_, _ = conn.Write(out)
			out = out[:0]
		}
	}()
	c, err := Dial(b.Context(), l.Addr().String(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	window := make([]*Command, 0, 100)
	for b.Loop() {
		if len(window) == cap(window) {
			for _, cmd := range window {
				if _, err := cmd.Wait(); err != nil {
					b.Fatal(err)
				}
			}
			window = window[:0]
		}
		window = append(window, c.Send("NOOP"))
	}
}
