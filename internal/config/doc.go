// Package config reads the configuration file: TOML, with the names of the command
// line's flags as keys. It also has the kinds of values that people write with a unit.
package config
