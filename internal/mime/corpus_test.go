package mime

import (
	"bytes"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write testdata/*.tree anew; read the difference against the message")

// corpus returns messages that real programs have stumbled over, by name.
func corpus(t testing.TB) map[string]string {
	files, _ := filepath.Glob("../../../shared/mail/*.msg")
	if len(files) == 0 {
		t.Skip("LEFT OUT: the folder shared/mail with awkward messages is not beside the repository")
	}
	messages := map[string]string{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		messages[strings.TrimSuffix(filepath.Base(file), ".msg")] = string(b)
	}
	return messages
}

func TestCorpus(t *testing.T) {
	for name, message := range corpus(t) {
		t.Run(name, func(t *testing.T) {
			lf := strings.ReplaceAll(message, "\r\n", "\n")
			for _, message := range []string{message, lf, crlf(lf)} {
				whole := parse(message)
				check(t, whole, int64(len(message)))
				checkSplits(t, whole, message)
				checkRecord(t, whole)
			}
			// The line ends change offsets and nothing else.
			if a, b := shape(parse(lf)), shape(parse(crlf(lf))); a != b {
				t.Errorf("LF:\n%s\nCRLF:\n%s", a, b)
			}
		})
	}
}

// shape is what does not depend on the line ends.
func shape(s *Structure) string {
	var b strings.Builder
	b.WriteString(s.Preview + "\n")
	for p := range s.Root.All() {
		b.WriteString(p.Type + "/" + p.Subtype + paramList(p.Params) + p.Encoding + "\n")
	}
	return b.String()
}

// checkSplits fails when the way in which a message is cut into writes matters.
func checkSplits(t *testing.T, whole *Structure, message string) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, uint64(len(message))))
	for _, most := range []int{1, 3, 100, 5000} {
		p := NewParser()
		for rest := []byte(message); len(rest) > 0; {
			n := min(len(rest), 1+random.IntN(most))
			piece := bytes.Clone(rest[:n])
			p.Write(piece)
			clear(piece) // The parser must keep nothing of it.
			rest = rest[n:]
		}
		if got := p.Close(); !reflect.DeepEqual(got, whole) {
			t.Fatalf("in pieces of up to %d bytes:\n%s\nwhole:\n%s", most, dump(got, message), dump(whole, message))
		}
	}
}

func checkRecord(t *testing.T, s *Structure) {
	t.Helper()
	record := Append(nil, s)
	again, err := Decode(record)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(again, s) {
		t.Fatalf("decoded %+v\nencoded %+v", again, s)
	}
	if len(record) > 4096 {
		t.Errorf("the record takes %d bytes", len(record))
	}
}

// TestTrees compares with trees that were read by hand against the messages.
func TestTrees(t *testing.T) {
	messages := corpus(t)
	files, _ := filepath.Glob("testdata/*.tree")
	if len(files) < 10 {
		t.Fatalf("%d trees", len(files))
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".tree")
		got := dump(parse(messages[name]), messages[name])
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got == string(want) {
			continue
		}
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		if *rewrite {
			os.WriteFile(file, []byte(got), 0o644)
		}
	}
}
