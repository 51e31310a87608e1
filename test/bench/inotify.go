package main

import (
	"os"
	"strings"
)

// inotifyInstances is how many processes of one user the kernel tells of changed files. Where
// Dovecot has more, they look every 30 seconds instead, so its manual wants it raised.
const inotifyInstances = "/proc/sys/fs/inotify/max_user_instances"

// raiseInotify raises the limit until the function that it returns is called. Where that is
// not allowed, Dovecot's news of many connections come late.
func raiseInotify() (restore func(), err error) {
	before, err := os.ReadFile(inotifyInstances)
	if err != nil {
		return func() {}, err
	}
	if err := os.WriteFile(inotifyInstances, []byte("65536"), 0); err != nil {
		return func() {}, err
	}
	return func() { _ = os.WriteFile(inotifyInstances, []byte(strings.TrimSpace(string(before))), 0) }, nil
}
