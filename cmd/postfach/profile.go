package main

import (
	"errors"
	"os"
	"runtime/pprof"
)

// cpuProfile writes a CPU profile to a file until the function that it returns is called. No
// file, no profile.
func cpuProfile(file string) (stop func(), err error) {
	if file == "" {
		return func() {}, nil
	}
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		f.Close()
		return nil, err
	}
	return func() { pprof.StopCPUProfile(); f.Close() }, nil
}

// heapProfile writes what is on the heap, and what memory the process has, to a file. No
// file, no profile.
func heapProfile(file string) error {
	if file == "" {
		return nil
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	const asText = 1 // only this form has the sizes of stacks and of what is free
	return errors.Join(pprof.Lookup("heap").WriteTo(f, asText), f.Close())
}
