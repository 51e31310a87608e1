package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"postfach/internal/mail"
)

// versionMin is the oldest PostgreSQL that has all we use, as server_version_num.
const versionMin = 150_000

// migrationLock is the key of the advisory lock that one process at a time migrates under.
const migrationLock = 0x706f737466616368 // "postfach"

//go:embed schema/*.sql
var schemaFiles embed.FS

// migrations are the files of schema/ in order: the first makes version 1 out of nothing.
func migrations() (texts []string, err error) {
	files, err := schemaFiles.ReadDir("schema")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		text, err := schemaFiles.ReadFile("schema/" + f.Name())
		if err != nil {
			return nil, err
		}
		texts = append(texts, string(text))
	}
	return texts, nil
}

// prepare brings a database's tables up to this program's version, or says why it can't.
func (h *shard) prepare(ctx context.Context) error {
	all, err := migrations()
	if err != nil {
		return mail.Wrap(mail.Internal, err)
	}
	bounded, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	deadline, _ := bounded.Deadline()
	c, err := h.acquire(ctx, deadline)
	if err != nil {
		return startError(err)
	}
	defer c.Release()
	if err := migrate(ctx, c.Conn(), all); err != nil {
		closeConn(c.Conn()) // the lock goes with it
		return startError(err)
	}
	return nil
}

func migrate(ctx context.Context, c *pgx.Conn, all []string) error {
	var server int
	if err := c.QueryRow(ctx, "SELECT current_setting('server_version_num')::integer").Scan(&server); err != nil {
		return err
	}
	if server < versionMin {
		return mail.Errorf(mail.Unsupported, "PostgreSQL %d is too old: %d is the oldest that will do", server/10_000, versionMin/10_000)
	}
	done, err := schemaVersion(ctx, c)
	if err != nil || done == len(all) {
		return err
	}
	if done > len(all) {
		return mail.Errorf(mail.Unsupported, "the database has schema version %d, and this program knows %d: use a newer postfach", done, len(all))
	}
	if _, err := c.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(migrationLock)); err != nil {
		return err
	}
	if _, err := c.Exec(ctx, `CREATE TABLE IF NOT EXISTS schema_version
		(number integer PRIMARY KEY, since timestamptz NOT NULL DEFAULT now())`); err != nil {
		return err
	}
	if done, err = schemaVersion(ctx, c); err != nil {
		return err
	}
	for number := done + 1; number <= len(all); number++ {
		err := pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, all[number-1], pgx.QueryExecModeSimpleProtocol); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, "INSERT INTO schema_version (number) VALUES ($1)", number)
			return err
		})
		if err != nil {
			return fmt.Errorf("making schema version %d: %w", number, err)
		}
	}
	_, err = c.Exec(ctx, "SELECT pg_advisory_unlock($1)", int64(migrationLock))
	return err
}

// schemaVersion is 0 for an empty database.
func schemaVersion(ctx context.Context, c *pgx.Conn) (number int, err error) {
	var there bool
	if err := c.QueryRow(ctx, "SELECT to_regclass('schema_version') IS NOT NULL").Scan(&there); err != nil || !there {
		return 0, err
	}
	err = c.QueryRow(ctx, "SELECT coalesce(max(number), 0) FROM schema_version").Scan(&number)
	return number, err
}

// startError explains errors that an administrator meets first.
func startError(err error) error {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		var ours *mail.Error
		if errors.As(err, &ours) && ours.Kind != mail.Away {
			return err
		}
		return &mail.Error{Kind: mail.Away, Text: "the database can't be reached", Cause: err}
	}
	text := ""
	switch {
	case e.Code == "3D000":
		text = "there is no such database"
	case slices.Contains([]string{"28P01", "28000"}, e.Code):
		text = "the database refuses the user or the password"
	case e.Code == "42501":
		text = "the user may not make or use the tables"
	case e.Code == "42P07":
		text = "the database has tables of something else"
	case e.Code == codeReadOnly:
		text = "the database takes no writes"
	default:
		text = "the database can't be used"
	}
	return &mail.Error{Kind: mail.Denied, Text: text, Cause: errors.New(e.Message)}
}
