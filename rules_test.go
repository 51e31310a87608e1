// Package postfach_test holds the rules of the whole repository as tests.
package postfach_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// rooms says which rooms of internal/ each room may import, and why not more. The
// standard library, and what docs/dependencies.md lists, are not asked for here.
var rooms = map[string]struct {
	may []string
	why string
}{
	"mail":           {nil, "everybody shares its words, so it knows nobody"},
	"wire":           {nil, "bytes never hear the word mailbox"},
	"mime":           {nil, "a message is a message, wherever it is kept"},
	"metrics":        {nil, "counters know nobody"},
	"lookout":        {nil, "bytes of a connection, whoever reads them"},
	"config":         {nil, "reading a file needs nobody"},
	"mailbox":        {[]string{"mail", "mime"}, "the engine hears neither IMAP nor any store"},
	"search":         {[]string{"mail", "mime"}, "criteria are about messages, not about commands"},
	"blob":           {[]string{"mail"}, "bytes of messages, whoever asks"},
	"store/mem":      {[]string{"mail"}, "a store never hears the word IMAP"},
	"blob/s3":        {[]string{"mail", "blob"}, "the same records, elsewhere"},
	"store/pebble":   {[]string{"mail", "blob"}, "a store never hears the word IMAP"},
	"store/postgres": {[]string{"mail", "blob"}, "a store never hears the word IMAP"},
	"store/pair":     {[]string{"mail"}, "two stores as one, whichever they are"},
	"store/move":     {[]string{"mail"}, "from a store to a store, whichever they are"},
	"auth":           {[]string{"mail"}, "who somebody is does not depend on what they do"},
	"delivery":       {[]string{"mail", "mailbox", "mime"}, "decisions about mail that comes in, whatever the protocol"},
	"lmtp":           {[]string{"delivery", "lookout", "mail", "metrics"}, "the protocol; decisions are delivery's"},
	"imap":           {[]string{"wire", "lookout", "mailbox", "search", "auth", "mail", "mime", "metrics"}, "the protocol never touches a store"},
	"bench":          {nil, "it measures any server, and knows each only over its sockets"},
	"imapclient":     {[]string{"wire", "mail"}, "a client knows only what it is told"},
	"admin":          {[]string{"mail", "auth", "delivery", "mailbox", "search"}, "what an administrator asks of a running server"},
	"transcript":     {nil, "plays against whatever it is given"},
}

// testRooms may be imported by tests of any room.
var testRooms = map[string]bool{"store/mem": true, "store/pebble": true, "store/postgres": true, "blob/s3": true, "store/storetest": true, "transcript": true, "imapclient": true}

const module = "postfach/internal/"

// TestImports holds the import graph of ARCHITECTURE.md.
func TestImports(t *testing.T) {
	eachGoFile(t, "internal", func(path string, f *ast.File) {
		room := roomOf(path)
		rule, known := rooms[room]
		if !known {
			if !testRooms[room] {
				t.Errorf("%s: the room %q is not in the design", path, room)
			}
			return
		}
		for _, spec := range f.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			other, ours := strings.CutPrefix(imported, module)
			if !ours || other == room || allowed(rule.may, other) || strings.HasSuffix(path, "_test.go") && (testRooms[other] || allowedInTests(room, other)) {
				continue
			}
			t.Errorf("%s: %s must not import %s: %s", path, room, other, rule.why)
		}
	})
}

// allowedInTests lets the tests of a room build what is below it.
func allowedInTests(room, other string) bool {
	switch room {
	case "imap", "lmtp", "delivery", "admin":
		return other == "mailbox" || other == "auth" || other == "mail" || other == "metrics" || other == "delivery" || other == "mime"
	}
	return false
}

func allowed(may []string, room string) bool {
	for _, m := range may {
		if m == room {
			return true
		}
	}
	return false
}

func roomOf(path string) string {
	dir := filepath.ToSlash(filepath.Dir(path))
	return strings.TrimPrefix(dir, "internal/")
}

const (
	fileLinesMax     = 500
	functionLinesMax = 70
)

// TestSizes keeps files and functions small.
func TestSizes(t *testing.T) {
	for _, root := range []string{"cmd", "internal"} {
		eachGoFile(t, root, func(path string, f *ast.File) {
			if strings.HasSuffix(path, "_test.go") {
				return
			}
			if n := fileSet.Position(f.End()).Line; n > fileLinesMax {
				t.Errorf("%s has %d lines: it holds more than one thing", path, n)
			}
			for _, d := range f.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok {
					continue
				}
				if n := fileSet.Position(fn.End()).Line - fileSet.Position(fn.Pos()).Line + 1; n > functionLinesMax {
					t.Errorf("%s: %s has %d lines", path, fn.Name.Name, n)
				}
			}
		})
	}
}

// TestDependencies wants a line of reason for every direct dependency.
func TestDependencies(t *testing.T) {
	mod := read(t, "go.mod")
	reasons := read(t, "docs/dependencies.md")
	direct := false
	for line := range strings.Lines(mod) {
		line = strings.TrimSpace(line)
		switch {
		case line == "require (":
			direct = true
		case line == ")":
			direct = false
		case direct && !strings.Contains(line, "// indirect"):
			name, _, _ := strings.Cut(line, " ")
			if !strings.Contains(reasons, name) {
				t.Errorf("docs/dependencies.md says nothing of %s", name)
			}
		}
	}
}

// TestNoMachinePaths keeps paths of the machine that something was written on out of
// the repository.
func TestNoMachinePaths(t *testing.T) {
	forbidden := []string{"/work" + "/", "/root" + "/", "/home" + "/", "proxy.golang" + ".org", "registry.npmjs" + ".org", "deb.debian" + ".org"}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && (d.Name() == ".git" || d.Name() == "bin") {
			return skipDir(err)
		}
		if d.IsDir() || filepath.Base(path) == "go.sum" || strings.Contains(path, "testdata/fuzz") {
			return nil
		}
		text := read(t, path)
		for _, word := range forbidden {
			if strings.Contains(text, word) {
				t.Errorf("%s has %q", path, word)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func skipDir(err error) error {
	if err != nil {
		return err
	}
	return filepath.SkipDir
}

var fileSet = token.NewFileSet()

func eachGoFile(t *testing.T, root string, f func(path string, file *ast.File)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		file, err := parser.ParseFile(fileSet, path, nil, parser.ParseComments)
		if err == nil {
			f(filepath.ToSlash(path), file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
