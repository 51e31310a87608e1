// A day of imapflow: imapflow.cjs HOST PORT CERTIFICATE USER PASSWORD MAILBOX OPTIONS, with
// ten messages of a series in INBOX. It prints what it believes in the end, as JSON.
const assert = require('assert');
const fs = require('fs');
const { ImapFlow } = require('imapflow');

const [host, port, certificate, user, pass, box, options] = process.argv.slice(2);

function client(more) {
    return new ImapFlow({
        host, port: Number(port), secure: true, tls: { ca: fs.readFileSync(certificate), servername: 'localhost' },
        auth: { user, pass }, logger: false, disableAutoIdle: true, ...JSON.parse(options), ...more,
    });
}

const text = n => `Message-ID: <flow.${n}@example.org>\r\nSubject: flow ${n}\r\n\r\nGr\u00fc\u00dfe ${n}\r\n`;
const uids = async (c, query) => c.search(query, { uid: true });

async function mailboxes(c) {
    const all = await c.list();
    assert.equal(all.find(m => m.path === 'Sent').specialUse, '\\Sent');
    assert.ok(all.find(m => m.path === 'INBOX'));
    assert.ok((await c.mailboxCreate([box, 'Ordner f\u00fcr M\u00fcll'])).created);
    assert.equal((await c.mailboxCreate([box, 'Ordner f\u00fcr M\u00fcll'])).created, false);
    await c.mailboxRename([box, 'Ordner f\u00fcr M\u00fcll'], [box, 'copies']);
    assert.ok(await c.mailboxSubscribe([box, 'copies']));
    assert.ok((await c.list()).find(m => m.path === `${box}/copies` && m.subscribed));
    await c.mailboxCreate(`${box}/gone`);
    await c.mailboxDelete(`${box}/gone`);
    assert.ok(!(await c.list()).find(m => m.path === `${box}/gone`));
    await assert.rejects(c.mailboxOpen(`${box}/gone`));
}

async function messages(c) {
    for (let n = 1; n <= 10; n++) {
        const a = await c.append(box, text(n), n % 2 ? ['\\Flagged', 'label'] : [], new Date(1767322800000));
        assert.equal(a.uid, n);
    }
    const status = await c.status(box, { messages: true, unseen: true, uidNext: true, uidValidity: true });
    assert.deepEqual([status.messages, status.unseen, status.uidNext], [10, 10, 11]);
    const opened = await c.mailboxOpen(box);
    assert.equal(opened.exists, 10);
    assert.equal(opened.uidValidity, status.uidValidity);
    assert.deepEqual(await uids(c, { flagged: true }), [1, 3, 5, 7, 9]);
    assert.deepEqual(await uids(c, { keyword: 'label', uid: '4:8' }), [5, 7]);
    assert.deepEqual(await uids(c, { header: { subject: 'flow 7' } }), [7]);
    assert.deepEqual(await uids(c, { or: [{ subject: 'flow 10' }, { body: 'Gr\u00fc\u00dfe 2' }] }), [2, 10]);
    assert.deepEqual(await uids(c, { since: new Date('2026-01-03') }), []);
    const all = await c.fetchAll('1:*', { uid: true, flags: true, envelope: true, bodyStructure: true, size: true, internalDate: true, source: true, headers: ['subject'] });
    assert.equal(all.length, 10);
    for (const m of all) {
        assert.equal(m.source.toString(), text(m.uid));
        assert.equal(m.size, Buffer.byteLength(text(m.uid)));
        assert.equal(m.envelope.subject, `flow ${m.uid}`);
        assert.equal(m.bodyStructure.type, 'text/plain');
        assert.equal(new Date(m.internalDate).getTime(), 1767322800000);
        assert.equal(m.headers.toString().trim(), `Subject: flow ${m.uid}`);
        assert.equal(m.flags.has('label'), m.uid % 2 === 1);
    }
    const { content } = await c.download('3', 'TEXT', { uid: true });
    let downloaded = '';
    for await (const chunk of content) downloaded += chunk;
    assert.equal(downloaded, 'Gr\u00fc\u00dfe 3\r\n');
}

async function changes(c) {
    const uid = { uid: true };
    assert.ok(await c.messageFlagsAdd('1:2', ['\\Seen', 'other'], uid));
    assert.ok(await c.messageFlagsRemove('1', ['label'], uid));
    assert.ok(await c.messageFlagsSet('3', ['\\Answered'], uid));
    const copied = await c.messageCopy('4:5', `${box}/copies`, uid);
    assert.deepEqual([...copied.uidMap], [[4, 1], [5, 2]]);
    const moved = await c.messageMove('6,8', `${box}/copies`, uid);
    assert.deepEqual([...moved.uidMap], [[6, 3], [8, 4]]);
    assert.ok(await c.messageDelete({ uid: '9,10' }, uid));
    assert.equal(c.mailbox.exists, 6);
    assert.deepEqual(await uids(c, { all: true }), [1, 2, 3, 4, 5, 7]);
}

// until waits for an event for which a test is true.
function until(c, name, is) {
    return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no ${name} within 10 seconds`)), 10000);
        c.on(name, event => {
            if (!is(event)) return;
            clearTimeout(timer);
            resolve();
        });
    });
}

async function idle(c) {
    const other = client();
    await other.connect();
    await other.mailboxOpen(box);
    const idling = c.idle();
    const come = until(c, 'exists', e => e.count === 7 && e.path === box);
    await other.append(box, text(11), []);
    await come;
    const flagged = until(c, 'flags', e => e.seq === 1 && e.flags.has('news'));
    await other.messageFlagsAdd('1', ['news'], { uid: true });
    await flagged;
    const gone = until(c, 'expunge', e => (e.vanished ? e.uid === 2 : e.seq === 2));
    await other.messageDelete('2', { uid: true });
    await gone;
    assert.equal(c.mailbox.exists, 6);
    await c.noop(); // ends IDLE
    await idling;
    await other.logout();
}

// resync leaves the mailbox, and hears what has changed meanwhile in the answer to SELECT.
async function resync(c) {
    const { highestModseq, uidValidity } = c.mailbox;
    await c.mailboxClose();
    const other = client();
    await other.connect();
    await other.mailboxOpen(box);
    await other.messageFlagsAdd('3', ['later'], { uid: true });
    await other.messageDelete('4', { uid: true });
    await other.logout();
    const heard = [];
    c.on('flags', e => heard.push(`flags ${e.uid}`));
    c.on('expunge', e => heard.push(`gone ${e.uid}`));
    await c.mailboxOpen(box, { changedSince: highestModseq, uidValidity });
    // It may hear of older changes again: it does not follow HIGHESTMODSEQ while it idles.
    if (c.enabled.has('QRESYNC')) assert.ok(heard.includes('flags 3') && heard.includes('gone 4'), heard.join());
}

async function main() {
    const c = client();
    await c.connect();
    await mailboxes(c);
    await messages(c);
    await changes(c);
    await idle(c);
    await resync(c);
    const believed = {};
    for (const path of ['INBOX', box, `${box}/copies`]) {
        const lock = await c.getMailboxLock(path);
        believed[path] = (await c.fetchAll('1:*', { uid: true, flags: true, source: true })).map(m => ({
            uid: m.uid, flags: [...m.flags].filter(f => f !== '\\Recent').sort(), source: m.source.toString(),
        }));
        lock.release();
    }
    const enabled = [...c.enabled].sort();
    await c.logout();
    console.log(JSON.stringify({ enabled, believed }));
}

main().catch(err => {
    console.error(err, err.responseText || '', err.response || '');
    process.exit(1);
});
