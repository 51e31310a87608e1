package imap

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// patched is what a diff makes of a file.
type patched struct {
	path    string
	exists  bool // before
	text    string
	added   int // lines
	removed int
}

// TestToyExtension: the extension that CONTRIBUTING.md shows can be built, does what its
// transcript says, and changes one line of one file that is there.
func TestToyExtension(t *testing.T) {
	page, err := os.ReadFile("../../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	_, diff, _ := strings.Cut(string(page), "\n```diff\n")
	diff, _, found := strings.Cut(diff, "\n```\n")
	if !found {
		t.Fatal("CONTRIBUTING.md shows no extension")
	}
	dir := t.TempDir()
	overlay := map[string]string{} // by the path of what it replaces
	script, changed := "", 0
	for _, f := range applyDiff(t, diff) {
		if f.exists {
			changed += f.added + 2*f.removed
		}
		to := filepath.Join(dir, filepath.Base(f.path))
		if err := os.WriteFile(to, []byte(f.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(f.path, ".imap") {
			script = to
			continue
		}
		path, _ := filepath.Abs(filepath.Join("../..", f.path))
		overlay[path] = to
	}
	if changed != 1 {
		t.Errorf("an extension is a line in families.go; here it takes %d", changed)
	}
	if testing.Short() {
		t.Skip("does not build it")
	}
	list, _ := json.Marshal(map[string]any{"Replace": overlay})
	if err := os.WriteFile(filepath.Join(dir, "overlay"), list, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "test", "-overlay", filepath.Join(dir, "overlay"), "-v", "-run", "^TestTranscripts$", ".",
		"-transcripts", script).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestTranscripts/") {
		t.Errorf("%v\n%s", err, out)
	}
}

// applyDiff applies a diff, as "git apply" would, to files below the root of the
// repository, and returns what they become.
func applyDiff(t *testing.T, diff string) (files []patched) {
	t.Helper()
	for _, part := range strings.Split("\n"+diff, "\n--- ")[1:] {
		lines := strings.Split(part, "\n")
		f := patched{path: strings.TrimPrefix(lines[1], "+++ b/"), exists: lines[0] != "/dev/null"}
		var before, after strings.Builder
		for _, line := range lines[3:] {
			switch line[0] {
			case '+':
				f.added++
			case '-':
				f.removed++
			}
			if line[0] != '+' {
				before.WriteString(line[1:] + "\n")
			}
			if line[0] != '-' {
				after.WriteString(line[1:] + "\n")
			}
		}
		if f.text = after.String(); f.exists {
			old, err := os.ReadFile(filepath.Join("../..", f.path))
			if err != nil || strings.Count(string(old), before.String()) != 1 {
				t.Fatalf("%s: the lines around the change are not there, or not once (%v)", f.path, err)
			}
			f.text = strings.Replace(string(old), before.String(), after.String(), 1)
		}
		files = append(files, f)
	}
	return files
}
