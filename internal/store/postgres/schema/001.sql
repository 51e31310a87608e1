-- Everything of an account has the account as its leading key, and no transaction leaves an account: the
-- tables can be distributed by it (docs/scaling.md). Times are seconds since 1970.

-- accounts: one row each on the shard that has the account's mail. Every commit moves its version.
CREATE TABLE accounts (
	account          bigint PRIMARY KEY,
	version          bigint NOT NULL DEFAULT 0,
	next_mailbox     bigint NOT NULL DEFAULT 1,
	next_message     bigint NOT NULL DEFAULT 1,
	last_uidvalidity bigint NOT NULL DEFAULT 0,
	messages         bigint NOT NULL DEFAULT 0, -- in all mailboxes, as the columns that follow
	unseen           bigint NOT NULL DEFAULT 0,
	deleted          bigint NOT NULL DEFAULT 0,
	bytes            bigint NOT NULL DEFAULT 0,
	-- here: in use. coming: being copied to this place. fenced: about to leave, takes no commits. moved: left.
	-- removed: its name is gone, the sweeper will free it.
	state            text NOT NULL DEFAULT 'here' CHECK (state IN ('here', 'coming', 'fenced', 'moved', 'removed')),
	state_since      bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
CREATE INDEX accounts_gone ON accounts (state_since) WHERE state IN ('moved', 'removed');

CREATE TABLE mailboxes (
	account        bigint NOT NULL,
	mailbox        bigint NOT NULL,
	name           text   NOT NULL,
	uidvalidity    bigint NOT NULL,
	uid_next       bigint NOT NULL,
	highest_modseq bigint NOT NULL,
	recent_from    bigint NOT NULL,
	special_use    integer NOT NULL DEFAULT 0, -- bits: 1 All, 2 Archive, 4 Drafts, 8 Flagged, 16 Junk, 32 Sent, 64 Trash, 128 Important, 256 Memos, 512 Scheduled, 1024 Snoozed
	messages       bigint NOT NULL DEFAULT 0,
	unseen         bigint NOT NULL DEFAULT 0,
	deleted        bigint NOT NULL DEFAULT 0,
	bytes          bigint NOT NULL DEFAULT 0,
	deleted_at     bigint, -- when the mailbox was deleted; the sweeper frees it
	PRIMARY KEY (account, mailbox)
) WITH (fillfactor = 50);
CREATE INDEX mailboxes_deleted ON mailboxes (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE subscriptions (
	account bigint NOT NULL,
	name    text   COLLATE "C" NOT NULL,
	PRIMARY KEY (account, name)
);

CREATE TABLE keyword_sets (
	account  bigint  NOT NULL,
	set      integer NOT NULL,
	keywords text[]  NOT NULL,
	PRIMARY KEY (account, set)
);

-- messages: what never changes about a message; copies in the same account share it.
CREATE TABLE messages (
	account           bigint   NOT NULL,
	message           bigint   NOT NULL,
	thread            bigint   NOT NULL,
	size              bigint   NOT NULL,
	digest            bytea    NOT NULL, -- SHA-256 of the bytes
	segment           bigint   NOT NULL, -- 0: the bytes are in bodies
	segment_offset    bigint   NOT NULL,
	segment_length    bigint   NOT NULL,
	structure         bytea    NOT NULL, -- MIME structure and headers, derived
	structure_version smallint NOT NULL,
	PRIMARY KEY (account, message)
);
-- Which segments are referred to at all: the sweeper's question.
CREATE INDEX messages_segment ON messages (segment) WHERE segment <> 0;
ALTER TABLE messages ALTER COLUMN structure SET STORAGE EXTERNAL;

-- bodies: the bytes of small messages.
CREATE TABLE bodies (
	account bigint NOT NULL,
	message bigint NOT NULL,
	body    bytea  NOT NULL,
	PRIMARY KEY (account, message)
) WITH (toast_tuple_target = 8160); -- up to 8 KB beside the key: one row instead of four
ALTER TABLE bodies ALTER COLUMN body SET STORAGE EXTERNAL;

-- chunks: the bytes of larger messages when there is no S3, a frame of a record in each row (docs/format.md).
CREATE TABLE chunks (
	account bigint  NOT NULL,
	segment bigint  NOT NULL,
	part    integer NOT NULL, -- number of the frame
	bytes   bytea   NOT NULL,
	PRIMARY KEY (account, segment, part)
);
ALTER TABLE chunks ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- mailbox_rows: a message in a mailbox.
CREATE TABLE mailbox_rows (
	account      bigint   NOT NULL,
	mailbox      bigint   NOT NULL,
	uid          bigint   NOT NULL,
	message      bigint   NOT NULL,
	flags        bigint   NOT NULL, -- 1 Seen, 2 Answered, 4 Flagged, 8 Deleted, 16 Draft; from bit 8 on the keyword set
	modseq       bigint   NOT NULL,
	size         bigint   NOT NULL,
	date         bigint   NOT NULL, -- INTERNALDATE
	zone_minutes smallint NOT NULL,
	saved        bigint   NOT NULL,
	PRIMARY KEY (account, mailbox, uid)
) WITH (fillfactor = 80);

-- tombstones: expunged messages, until the sweeper frees them.
CREATE TABLE tombstones (
	account         bigint   NOT NULL,
	mailbox         bigint   NOT NULL,
	uid             bigint   NOT NULL,
	message         bigint   NOT NULL,
	flags           bigint   NOT NULL,
	size            bigint   NOT NULL,
	date            bigint   NOT NULL,
	zone_minutes    smallint NOT NULL,
	saved           bigint   NOT NULL,
	expunged_modseq bigint   NOT NULL,
	expunged_at     bigint   NOT NULL,
	PRIMARY KEY (account, mailbox, uid)
);
-- What is old lies together: the sweeper finds it without reading the rest.
CREATE INDEX tombstones_age ON tombstones USING brin (expunged_at) WITH (pages_per_range = 16);

-- expunges: which UIDs went under which modification sequence (RFC 7162's VANISHED).
CREATE TABLE expunges (
	account bigint         NOT NULL,
	mailbox bigint         NOT NULL,
	modseq  bigint         NOT NULL,
	uids    int8multirange NOT NULL,
	PRIMARY KEY (account, mailbox, modseq)
);

-- commits: a day's operations: their outcomes, and a log for other processes to catch up with. A row
-- without a version is an operation that was given up before it arrived: it must not happen any more.
CREATE TABLE commits (
	account bigint NOT NULL,
	op      uuid   NOT NULL,
	version bigint,
	base    bigint, -- the version before
	at      bigint NOT NULL,
	bases   bigint[], -- of a blind commit: the first message id, then the first UID in each of its mailboxes
	changes bytea,    -- null: too large to keep
	PRIMARY KEY (account, op)
);
CREATE INDEX commits_version ON commits (account, version);
CREATE INDEX commits_age ON commits USING brin (at) WITH (pages_per_range = 16);

CREATE TABLE derived (
	account bigint NOT NULL,
	key     text   COLLATE "C" NOT NULL,
	value   bytea  NOT NULL,
	PRIMARY KEY (account, key)
);

-- The directory: only the first database's tables are used.
CREATE TABLE directory (
	account bigint PRIMARY KEY,
	name    text   COLLATE "C" NOT NULL,
	secret  text   NOT NULL,
	created bigint NOT NULL,
	shard   text   COLLATE "C" NOT NULL DEFAULT '', -- '': the first database
	-- coming: being copied from another store, not there yet. left: moved to another store.
	place   text   NOT NULL DEFAULT 'here' CHECK (place IN ('here', 'coming', 'left'))
);
CREATE UNIQUE INDEX directory_name ON directory (name) WHERE place <> 'left';
CREATE INDEX directory_left ON directory (name) WHERE place = 'left';

CREATE TABLE shards (
	shard text COLLATE "C" PRIMARY KEY,
	store text NOT NULL -- postgres://...
);

-- processes numbers every server process once.
CREATE SEQUENCE processes;

-- refuse ends a transaction with a code of ours.
CREATE FUNCTION refuse(code text, why text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION '%', why USING ERRCODE = code;
END
$$;

-- advance begins a commit that was made for one version of the account: it moves the version, or fails with
-- a code that says why, so that whatever is sent behind it in the same round trip does not happen.
-- first_mailbox and first_message are the lowest ids that the commit gives; uploads_since is when the
-- oldest upload began that it refers to, or 0.
CREATE FUNCTION advance(
	acct bigint, expected bigint, next_version bigint, op_id uuid, op_at bigint, log bytea, uploads_since bigint,
	first_mailbox bigint, mailbox_next bigint, first_message bigint, message_next bigint, uidvalidity_last bigint,
	d_messages bigint, d_unseen bigint, d_deleted bigint, d_bytes bigint
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	found_version bigint;
	found_state text;
BEGIN
	UPDATE accounts SET
		version = next_version,
		next_mailbox = greatest(next_mailbox, mailbox_next),
		next_message = greatest(next_message, message_next),
		last_uidvalidity = greatest(last_uidvalidity, uidvalidity_last),
		messages = messages + d_messages, unseen = unseen + d_unseen,
		deleted = deleted + d_deleted, bytes = bytes + d_bytes
	WHERE account = acct AND version = expected AND state = 'here'
		AND next_mailbox <= first_mailbox AND next_message <= first_message;
	IF NOT FOUND THEN
		SELECT version, state INTO found_version, found_state FROM accounts WHERE account = acct;
		IF found_state IS NULL OR found_state IN ('removed', 'coming') THEN
			RAISE EXCEPTION 'no such account' USING ERRCODE = 'PF404';
		ELSIF found_state = 'moved' THEN
			RAISE EXCEPTION 'the account has moved' USING ERRCODE = 'PF301';
		ELSIF found_state = 'fenced' THEN
			RAISE EXCEPTION 'the account is being moved' USING ERRCODE = 'PF503';
		ELSIF found_version <> expected THEN
			RAISE EXCEPTION 'the account has changed meanwhile' USING ERRCODE = 'PF409';
		END IF;
		RAISE EXCEPTION 'ids are given once' USING ERRCODE = 'PF422';
	END IF;
	-- An upload that began too long ago may be taken for an orphan by a sweeper.
	IF uploads_since > 0 AND uploads_since < extract(epoch FROM clock_timestamp()) - 3600 THEN
		RAISE EXCEPTION 'the upload has taken too long' USING ERRCODE = 'PF410';
	END IF;
	INSERT INTO commits (account, op, version, base, at, changes) VALUES (acct, op_id, next_version, expected, op_at, log);
END
$$;

-- hold keeps commits of an account waiting until the transaction ends: for the sweeper.
CREATE FUNCTION hold(acct bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM FROM accounts WHERE account = acct AND state = 'here' FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'no such account' USING ERRCODE = 'PF404';
	END IF;
END
$$;

-- mail shows what is where, for people.
CREATE VIEW mail AS
	SELECT d.name AS account_name, b.name AS mailbox_name, r.uid, to_timestamp(r.date) AS internaldate, r.size,
		concat_ws(' ', CASE WHEN r.flags & 1 <> 0 THEN '\Seen' END, CASE WHEN r.flags & 2 <> 0 THEN '\Answered' END,
			CASE WHEN r.flags & 4 <> 0 THEN '\Flagged' END, CASE WHEN r.flags & 8 <> 0 THEN '\Deleted' END,
			CASE WHEN r.flags & 16 <> 0 THEN '\Draft' END, array_to_string(k.keywords, ' ')) AS flags,
		r.modseq, r.account, r.mailbox, r.message
	FROM mailbox_rows r
	JOIN directory d ON d.account = r.account
	JOIN mailboxes b ON b.account = r.account AND b.mailbox = r.mailbox
	LEFT JOIN keyword_sets k ON k.account = r.account AND k.set = (r.flags >> 8)::integer;
