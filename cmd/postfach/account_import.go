package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"postfach/internal/admin"
	"postfach/internal/auth"
)

type accountImport struct {
	File string `arg:"" help:"The file; - is standard input. Empty lines and lines that begin with # are left out."`
	storeFlags
}

func (c *accountImport) Run(p *process) error {
	in := p.stdin
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	accounts, err := readAccounts(in)
	if err != nil {
		return err
	}
	err = c.withService(p, func(s admin.Service) error { return s.Add(p.ctx, accounts) })
	if err == nil {
		fmt.Fprintf(p.stdout, "%d accounts\n", len(accounts))
	}
	return err
}

// readAccounts reads lines name:password. All behind the first colon is the password.
func readAccounts(in io.Reader) ([]admin.NewAccount, error) {
	var accounts []admin.NewAccount
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 2*(auth.NameBytesMax+auth.PasswordBytesMax))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSuffix(lines.Text(), "\r")
		if line == "" || line[0] == '#' {
			continue
		}
		name, password, ok := strings.Cut(line, ":")
		if !ok || name == "" || password == "" {
			return nil, fmt.Errorf("line %d: expected name:password", n)
		}
		if len(accounts) == admin.AccountsMax {
			return nil, fmt.Errorf("line %d: more than %d accounts", n, admin.AccountsMax)
		}
		accounts = append(accounts, admin.NewAccount{Name: name, Password: password})
	}
	return accounts, lines.Err()
}
