package config

import (
	"fmt"
	"os"
	"slices"
	"sort"
	"strconv"

	"github.com/BurntSushi/toml"
)

// fileBytesMax bounds a configuration file; a larger one is a mistake.
const fileBytesMax = 1 << 20

// File is a configuration file: text by key, as it would stand on the command line.
type File map[string]string

// Load reads a configuration file. known are the keys that it can have. The error
// names the file, and for an unknown key the one that was probably meant.
func Load(path string, known []string) (File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > fileBytesMax {
		return nil, fmt.Errorf("%s: larger than %d bytes", path, fileBytesMax)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f, err := parse(string(text), known)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

func parse(text string, known []string) (File, error) {
	var raw map[string]any
	if _, err := toml.Decode(text, &raw); err != nil {
		return nil, err
	}
	keys := make([]string, 0, len(raw))
	for key := range raw {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	f := make(File, len(raw))
	for _, key := range keys {
		if !slices.Contains(known, key) {
			return nil, unknown(key, known)
		}
		value, err := textOf(raw[key])
		if err != nil {
			return nil, fmt.Errorf("key '%s': %w", key, err)
		}
		f[key] = value
	}
	return f, nil
}

func unknown(key string, known []string) error {
	if n := nearest(key, known); n != "" {
		return fmt.Errorf("unknown key '%s', did you mean '%s'?", key, n)
	}
	return fmt.Errorf("unknown key '%s'", key)
}

func textOf(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case bool:
		return strconv.FormatBool(v), nil
	}
	return "", fmt.Errorf("expected text, a whole number, true or false")
}
