"""A session of Python's imaplib: session.py KIND HOST PORT CERTIFICATE USER PASSWORD."""

import imaplib
import re
import ssl
import sys
import time

kind, host, port, certificate, user, password = sys.argv[1:]
box = "python-" + kind
imaplib.Debug = 0


def ok(answer, want="OK"):
    status, data = answer
    assert status == want, (status, data)
    return data


def uids(data):
    return [int(u) for u in data[0].split()]


def connect():
    context = ssl.create_default_context(cafile=certificate)
    if kind == "imaps":
        return imaplib.IMAP4_SSL(host, int(port), ssl_context=context, timeout=20)
    m = imaplib.IMAP4(host, int(port), timeout=20)
    if kind == "starttls":
        ok(m.starttls(context))
    return m


def message(n):
    return ("Subject: number %d\r\nFrom: a@example.org\r\n\r\n.\r\nbody %d\r\n" % (n, n)).encode()


m = connect()
try:
    m.login(user, "wrong")
    raise AssertionError("a wrong password is good enough")
except imaplib.IMAP4.error as e:
    assert "AUTHENTICATIONFAILED" in str(e), e
ok(m.login(user, password))
assert "UIDPLUS" in m.capability()[1][0].decode()
names = ok(m.list())
assert any(b"\\Sent" in n for n in names), names
assert any(n.endswith(b"INBOX") or n.endswith(b'"INBOX"') for n in names), names

ok(m.create(box))
ok(m.create(box), "NO")
ok(m.subscribe(box))
assert any(box.encode() in n for n in ok(m.lsub())), m.lsub()
when = imaplib.Time2Internaldate(time.mktime((2026, 1, 2, 3, 4, 5, 0, 0, 0)))
for n in range(1, 21):
    data = ok(m.append(box, "(\\Flagged)" if n % 2 else None, when, message(n)))
    assert re.search(rb"APPENDUID \d+ %d\b" % n, data[0]), data
data = ok(m.status(box, "(MESSAGES UNSEEN UIDNEXT UIDVALIDITY RECENT)"))
assert b"MESSAGES 20" in data[0] and b"UNSEEN 20" in data[0] and b"UIDNEXT 21" in data[0], data

assert ok(m.select(box)) == [b"20"]
assert m.response("READ-WRITE")[0] == "READ-WRITE"
assert uids(ok(m.search(None, "FLAGGED"))) == list(range(1, 21, 2))
assert uids(ok(m.uid("SEARCH", "SUBJECT", '"number 7"'))) == [7]
assert uids(ok(m.search("UTF-8", "BODY", '"body 1"'))) == [1] + list(range(10, 20))
assert uids(ok(m.search(None, "UNSEEN", "NOT", "FLAGGED", "ON", "2-Jan-2026", "3:5"))) == [4]

data = ok(m.fetch("3", "(UID FLAGS RFC822.SIZE INTERNALDATE BODY.PEEK[])"))
assert data[0][1] == message(3), data
assert b"UID 3" in data[0][0] + data[1], data
assert int(re.search(rb"RFC822.SIZE (\d+)", data[0][0] + data[1]).group(1)) == len(message(3))
assert imaplib.Internaldate2tuple(data[0][0] + data[1]).tm_year == 2026
data = ok(m.uid("FETCH", "4:5", "(BODY[HEADER.FIELDS (SUBJECT)])"))
assert data[0][1] == b"Subject: number 4\r\n\r\n" and data[2][1] == b"Subject: number 5\r\n\r\n", data
assert b"\\Seen" in ok(m.fetch("4", "(FLAGS)"))[0]
assert b"\\Seen" not in ok(m.fetch("3", "(FLAGS)"))[0]
data = ok(m.fetch("1", "(ENVELOPE BODYSTRUCTURE)"))
assert b'"number 1"' in data[0] and b'"text" "plain"' in data[0].lower(), data

assert b"\\Answered" in ok(m.store("1", "+FLAGS", "(\\Answered label)"))[0]
assert b"label" in ok(m.fetch("1", "(FLAGS)"))[0]
ok(m.uid("STORE", "1", "-FLAGS", "(\\Answered)"))
flags = ok(m.fetch("1", "(FLAGS)"))[0]
assert b"\\Answered" not in flags and b"label" in flags, flags
ok(m.uid("STORE", "2:3", "FLAGS.SILENT", "(\\Deleted)"))

ok(m.create(box + "/copies"))
assert b"COPYUID" in ok(m.copy("5:6", box + "/copies"))[0]
ok(m.uid("COPY", "7", box + "/copies"))
ok(m.copy("5", box + "/nowhere"), "NO")
assert b"MESSAGES 3" in ok(m.status(box + "/copies", "(MESSAGES)"))[0]

assert ok(m.expunge()) in ([b"2", b"2"], [b"3", b"2"])  # either order is right
assert uids(ok(m.uid("SEARCH", "UID", "1:4"))) == [1, 4]
ok(m.uid("MOVE", "8", box + "/copies"))
assert 8 not in uids(ok(m.uid("SEARCH", "ALL")))
assert ok(m.uid("FETCH", "8", "(FLAGS)")) == [None]
ok(m.noop())
ok(m.check())
ok(m.close())

ok(m.select(box, readonly=True))
try:
    ok(m.store("1", "+FLAGS", "(\\Seen)"), "NO")
except imaplib.IMAP4.readonly:
    pass
ok(m.unselect())
ok(m.rename(box + "/copies", box + "-copies"))
ok(m.select(box + "-copies"))
assert uids(ok(m.uid("SEARCH", "ALL"))) == [1, 2, 3, 4]
ok(m.close())
ok(m.delete(box + "-copies"))
ok(m.delete(box + "-copies"), "NO")
ok(m.unsubscribe(box))
assert m.logout()[0] == "BYE"
print("all is well")
