package main

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"

	"postfach/internal/auth"
)

// accountCommand is the parent of the account subcommands.
type accountCommand struct {
	Add    accountAdd    `cmd:"" help:"Add an account."`
	List   accountList   `cmd:"" help:"List the accounts: name, id, day of creation."`
	Passwd accountPasswd `cmd:"" help:"Set the password of an account."`
	Remove accountRemove `cmd:"" help:"Remove an account with all its mail."`
	Move   accountMove   `cmd:"" help:"Move an account to another database of a shared store, while it is in use."`
	Import accountImport `cmd:"" help:"Add many accounts from a file with a line name:password for each."`
}

// passwordFlag says where a new password comes from.
type passwordFlag struct {
	PasswordStdin bool `help:"Read the password from the first line of standard input. Without this flag a password is made and printed."`
}

// password returns the password, and what to print about it.
func (f passwordFlag) password(p *process) (password, note string, err error) {
	if !f.PasswordStdin {
		password = strings.ToLower(rand.Text())
		return password, "password: " + password + "\n", nil
	}
	line, err := bufio.NewReader(io.LimitReader(p.stdin, 2*auth.PasswordBytesMax)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", "", err
	}
	password = strings.TrimRight(line, "\r\n")
	if password == "" {
		return "", "", fmt.Errorf("there is no password on standard input")
	}
	return password, "", nil
}
