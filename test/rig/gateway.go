package rig

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	gatewayPackage = "github.com/versity/versitygw/cmd/versitygw"
	gatewayVersion = "v1.8.0"
)

// gateway is the path of versitygw, built when this machine does not have it yet. It is no
// module of ours: its hundreds of dependencies are nothing that the server is made of.
func gateway() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "postfach-test", "versitygw-"+gatewayVersion)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	unlock, err := lock(filepath.Join(dir, lockName), 0) // others may build it at the moment
	if err != nil {
		return "", err
	}
	defer unlock()
	binary := filepath.Join(dir, "versitygw")
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	cmd := exec.Command("go", "install", gatewayPackage+"@"+gatewayVersion)
	cmd.Dir = dir // outside of any module
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("versitygw: %w: go install: %w\n%s", ErrMissing, err, strings.TrimSpace(string(out)))
	}
	return binary, nil
}
