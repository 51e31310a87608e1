// Command postfach is an IMAP server: one binary with everything that an
// administrator needs as subcommands.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// The exit codes are a contract with scripts.
const (
	exitFailed = 1
	exitUsage  = 2
)

type commands struct {
	Serve   serveCommand   `cmd:"" help:"Run the server in the foreground."`
	Account accountCommand `cmd:"" help:"Manage accounts, whether the server runs or not."`
	Deliver deliverCommand `cmd:"" help:"Deliver the message on standard input to an account."`
	Migrate migrateCommand `cmd:"" help:"Move all accounts between a data directory and PostgreSQL, while its server runs or not."`
	Shard   shardCommand   `cmd:"" help:"Manage the databases of a shared store."`
	Index   indexCommand   `cmd:"" help:"Look after the text indexes that searches use, whether the server runs or not."`
	Check   checkCommand   `cmd:"" help:"Verify everything in a data directory. The server must not be running."`
	Demo    demoCommand    `cmd:"" help:"Run a throw-away server with an account full of mail."`
	Bench   benchCommand   `cmd:"" help:"Put any IMAP server under load and measure it."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// process is what a command gets from the world outside.
type process struct {
	ctx            context.Context // ends with the first SIGINT or SIGTERM
	stdin          io.Reader
	stdout, stderr io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// After the first signal the next one ends the process at once, as it does by default.
	context.AfterFunc(ctx, stop)
	os.Exit(run(&process{ctx, os.Stdin, os.Stdout, os.Stderr}, os.Args[1:]))
}

// run runs one command and returns the exit code.
func run(p *process, args []string) int {
	var c commands
	parser, err := kong.New(&c,
		kong.Name("postfach"),
		kong.Description("An IMAP server that is easy to run."),
		kong.Vars{"data": defaultData()},
		kong.Writers(p.stdout, p.stderr),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
	)
	if err != nil {
		return report(p, err, exitFailed)
	}
	k, err := parser.Parse(args)
	if err != nil {
		code := report(p, err, exitUsage)
		fmt.Fprintln(p.stderr, `Run "postfach --help" or "postfach COMMAND --help".`)
		return code
	}
	if err := k.Run(p); err != nil {
		return report(p, err, exitFailed)
	}
	return 0
}

func report(p *process, err error, code int) int {
	fmt.Fprintln(p.stderr, "postfach:", err)
	return code
}
