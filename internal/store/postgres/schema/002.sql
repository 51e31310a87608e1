-- annotations: named values of mailboxes, and of the account (mailbox 0) (RFC 5464). Those of a deleted mailbox stay until
-- the sweeper frees it.
CREATE TABLE annotations (
	account bigint NOT NULL,
	mailbox bigint NOT NULL,
	name    text   COLLATE "C" NOT NULL,
	value   bytea  NOT NULL,
	modseq  bigint NOT NULL,
	PRIMARY KEY (account, mailbox, name)
);
