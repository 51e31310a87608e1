package bench

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of the times in /proc/PID/stat; Linux has it fixed for user space.
const clockTick = 10 * time.Millisecond

// usage is what a tree of processes has used.
type usage struct {
	cpu         time.Duration // children that are gone included
	memoryBytes int64         // proportional set size: what is shared counts in parts
	processes   int
}

// processTree finds a process and all that descend from it.
func processTree(root int) ([]int, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	children := make(map[int][]int)
	for _, path := range stats {
		fields, err := statFields(path)
		if err != nil {
			continue // it has ended meanwhile
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		parent, _ := strconv.Atoi(fields[1])
		children[parent] = append(children[parent], pid)
	}
	tree := []int{root}
	for i := 0; i < len(tree); i++ {
		tree = append(tree, children[tree[i]]...)
	}
	return tree, nil
}

// statFields are the fields of /proc/PID/stat behind the name, the state first.
func statFields(path string) ([]string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) < 15 {
		return nil, fmt.Errorf("%s is too short", path)
	}
	return fields, nil
}

// cpuOf reads the time that a tree of processes has used; zero without one.
func cpuOf(root int) time.Duration {
	u, _ := used(root, false) // a tree that is gone has used nothing more
	return u.cpu
}

func used(root int, memory bool) (usage, error) {
	var u usage
	if root == 0 {
		return u, nil
	}
	tree, err := processTree(root)
	if err != nil {
		return u, err
	}
	for _, pid := range tree {
		fields, err := statFields(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue
		}
		for _, f := range fields[11:15] { // utime, stime, cutime, cstime
			ticks, _ := strconv.ParseInt(f, 10, 64)
			u.cpu += time.Duration(ticks) * clockTick
		}
		u.processes++
		if memory {
			n, err := proportionalBytes(pid)
			if err != nil {
				return u, err
			}
			u.memoryBytes += n
		}
	}
	return u, nil
}

// proportionalBytes reads a process's proportional set size; 0 when it has ended.
func proportionalBytes(pid int) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		if os.IsPermission(err) {
			return 0, err
		}
		return 0, nil
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "Pss:"); ok {
			kB, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kB << 10, err
		}
	}
	return 0, nil
}
