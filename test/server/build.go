package server

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Build builds the binary into a directory and returns its path.
func Build(dir string) (string, error) {
	if err := lookAtSources(); err != nil {
		return "", err
	}
	binary := filepath.Join(dir, "postfach")
	cmd := exec.Command("go", "build", "-o", binary, "postfach/cmd/postfach")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // as `make build` does
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return binary, nil
}

// lookAtSources looks at every file that the binary is made from. The cache of go test does
// not know what another process reads; what a test itself looks at it knows, and so it runs
// the test again when the server has changed.
func lookAtSources() error {
	mod, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return fmt.Errorf("go env: %w", err)
	}
	root := filepath.Dir(strings.TrimSpace(string(mod)))
	for _, dir := range []string{"cmd", "internal"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, _ fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") {
				_, err = os.Stat(path)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
