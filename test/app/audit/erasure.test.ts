/** Encryption and erasure as a user has them: settings, hooks, commands, and what lies on disk afterwards. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { performErasure, planErasure } from '../../../lib/app/audit/erasure.ts';
import { openRecord } from '../../../lib/app/audit/record.ts';
import { startControlPlane } from '../../../lib/app/control-plane.ts';
import { openEntries } from '../../../lib/app/audit/protection.ts';
import type { AuditEvent } from '../../../lib/audit/entry.ts';
import { queryLog, type AuditFilter, type LoggedEntry } from '../../../lib/audit/query.ts';
import type { JsonObject } from '../../../lib/base/json.ts';
import { makeGround, type Ground } from '../../support/ground.ts';
import { fixture } from '../../support/root.ts';

const bothOn = 'enterprise:\n  audit:\n    encrypt: true\n    gdpr_compliance: true\n';
const gdprOn = 'enterprise:\n  audit:\n    gdpr_compliance: true\n';
const encryptOn = 'enterprise:\n  audit:\n    encrypt: true\n';

async function record(ground: Ground, ...events: readonly AuditEvent[]): Promise<void> {
  const log = openRecord(ground.installation());
  for (const event of events) await log.record(event);
  await log.close();
}

function opened(ground: Ground, filter: AuditFilter = {}, env: Readonly<Record<string, string>> = {}): readonly LoggedEntry[] {
  const installation = ground.installation(env);
  return [...queryLog(installation.host.disk, installation.home.audit, filter, { order: 'oldest', opener: openEntries(installation) })];
}

/** Every file below a folder that holds the text. */
function holding(folder: string, text: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name)).filter((path) => readFileSync(path).includes(text) || path.includes(text));
}

const alices: readonly AuditEvent[] = [
  { event: 'session.start', actor: 'user:zalice', resource: 'session:ses_1', details: { prd: './zmarker.md' } },
  { event: 'approval.request', actor: 'agent:claude', details: { requested_by: 'user:zalice', action: { kind: 'exec', command: 'ls' } } },
  { event: 'approval.approve', actor: 'user:zbob', details: { for: 'user:zalice', reason: 'fine' } },
  { event: 'run.create', actor: 'user:zalice', details: { text: 'zmarker '.repeat(10_000) } },
];

async function erase(ground: Ground, ...args: readonly string[]): ReturnType<Ground['loki']> {
  return ground.loki(['audit', 'erase', 'zalice', '--request', 'R-1', ...args]);
}

describe('erasing a person', () => {
  for (const [settings, yaml] of [['with keys of subjects', gdprOn], ['encrypted as well', bothOn]] as const) {
    test(`${settings}: nothing of the person is left in search, in the bytes, or on disk, and the chain is whole`, async (t) => {
      const ground = makeGround(t);
      ground.write('home/config.yaml', yaml);
      await record(ground, ...alices);
      assert.deepEqual(holding(ground.home, 'zalice'), []);
      assert.deepEqual(holding(ground.home, 'zmarker'), []);
      assert.equal(opened(ground, { subject: 'zalice' }).length, 4);
      assert.equal(opened(ground, { actor: 'user:zalice' }).length, 2);

      const done = await erase(ground, '--yes', '--json');
      assert.equal(done.exit, 0, done.stderr);
      const document = JSON.parse(done.stdout);
      assert.equal(document.status, 'erased');
      assert.deepEqual(document.sealed, { entries: 4, first_seq: 2, last_seq: 5 });
      assert.deepEqual(document.left, { entries: 0, first_seq: null, last_seq: null, exact: 0 });

      const after = JSON.stringify(opened(ground));
      assert.ok(!after.includes('zalice') && !after.includes('zmarker'), after);
      assert.ok(after.includes('user:zbob'));
      assert.deepEqual(opened(ground, { actor: 'user:zalice' }), []);
      assert.deepEqual([...holding(ground.home, 'zalice'), ...holding(ground.home, 'zmarker')], []);
      const [{ kid, check }] = document.keys;
      assert.deepEqual(holding(join(ground.home, 'keys'), kid), []);
      const told = ground.entries().filter(({ event }) => event === 'audit.erase');
      assert.deepEqual(told.map(({ details }) => (details as JsonObject)['state']), ['begun', 'done']);
      assert.deepEqual(told.map(({ details }) => (details as JsonObject)['kids']), [[kid], [kid]]);
      assert.deepEqual((told[0]?.['details'] as JsonObject)['key_checks'], [check]);
      assert.deepEqual((told[0]?.['details'] as JsonObject)['proof'], { kind: 'terminal' });
      const verified = await ground.loki(['audit', 'verify', '--json']);
      assert.equal(JSON.parse(verified.stdout).chains[0].valid, true, verified.stdout);

      // Whoever acts again has a new key, and can be erased again.
      await record(ground, alices[0] ?? { event: 'session.start', actor: 'system' });
      assert.equal(opened(ground, { actor: 'user:zalice' }).length, 1);
      assert.ok(!ground.entries().at(-1)?.['actor']?.toString().includes(kid));
      const again = await ground.loki(['audit', 'erase', 'user:zalice', '--request', 'R-2', '--yes', '--json']);
      assert.deepEqual(JSON.parse(again.stdout).sealed.entries, 1);
      assert.deepEqual(opened(ground, { actor: 'user:zalice' }), []);
    });
  }

  test('what is written between the look and the destruction is counted, and a blob that only names is, too', async (t) => {
    const ground = makeGround(t);
    ground.write('home/config.yaml', bothOn);
    await record(ground, ...alices);
    const installation = ground.installation();
    const plan = await planErasure(installation, 'user:zalice', 'R-1');
    assert.deepEqual(plan.sealed, { entries: 4, first_seq: 2, last_seq: 5 });
    await record(ground, { event: 'session.start', actor: 'user:zalice' }, { event: 'policy.allow', actor: 'agent:claude', details: { text: 'x'.repeat(80_000), owner: 'user:zalice' } });
    const log = openRecord(installation);
    const erased = await performErasure(installation, log.record, plan, { by: 'user:zbob' });
    await log.close();
    assert.deepEqual(erased.sealed, { entries: 6, first_seq: 2, last_seq: 7 });
    const [begun, done] = ground.entries().filter(({ event }) => event === 'audit.erase').map(({ details }) => details as JsonObject);
    assert.deepEqual([begun?.['entries'], done?.['entries'], done?.['last_seq']], [4, 6, 7]);
    assert.deepEqual(done?.['left'], { entries: 0, first_seq: null, last_seq: null });
  });

  test('somebody nobody knows: it says so, and records nothing', async (t) => {
    const ground = makeGround(t);
    ground.write('home/config.yaml', gdprOn);
    await record(ground, ...alices);
    const before = ground.entries().length;
    const { exit, stdout } = await ground.loki(['audit', 'erase', 'zcarol', '--request', 'R-1', '--yes']);
    assert.equal(exit, 1);
    assert.match(stdout, /Nothing in the log of record is about user:zcarol/);
    assert.equal(ground.entries().length, before);
    assert.deepEqual(holding(ground.home, 'zcarol'), []);
  });

  test('a dry run, a missing confirmation and a refusal erase nothing', async (t) => {
    const ground = makeGround(t);
    ground.write('home/config.yaml', gdprOn);
    await record(ground, ...alices);
    const before = ground.entries().length;
    const dry = await erase(ground, '--dry-run');
    assert.equal(dry.exit, 0, dry.stderr);
    assert.match(dry.stdout, /without it 4 entries \(seq 2 to 5\) cannot be read any more/);
    assert.match(dry.stdout, /backups of keys/);
    assert.equal((await erase(ground)).exit, 2);
    assert.equal(ground.entries().length, before);
    assert.equal((await erase(ground, '--refuse', '--yes')).exit, 2);
    assert.equal((await erase(ground, '--refuse', '--ground', 'Zalice has a claim', '--yes')).exit, 2);
    const refused = await erase(ground, '--refuse', '--ground', 'Art 17(3)(e): legal claim 4711', '--yes');
    assert.equal(refused.exit, 0, refused.stderr);
    const entry = ground.entries().at(-1);
    assert.equal(entry?.['event'], 'audit.erase_refused');
    assert.match(JSON.stringify(entry['details']), /"request":"R-1","ground":"Art 17\(3\)\(e\): legal claim 4711"/);
    assert.equal(opened(ground, { subject: 'zalice' }).length, 4);
    assert.equal((await ground.loki(['audit', 'erase', 'zalice', '--request', 'about zalice', '--yes'])).exit, 2);
    assert.equal((await ground.loki(['audit', 'erase', 'zalice', '--yes'])).exit, 2);
    assert.equal((await ground.loki(['audit', 'erase', 'agent:claude', '--request', 'R-1', '--yes'])).exit, 2);
  });

  test('what was written before the setting, and every copy, is named', async (t) => {
    const ground = makeGround(t);
    await ground.enrol();
    await record(ground, ...alices.slice(0, 2), { event: 'policy.allow', actor: 'agent:claude', details: { action: { file_path: '/home/zalice/x' } } });
    ground.write('project/.loki/logs/agent-audit.jsonl', '{"details":"zalice"}\n');
    ground.write('project/.loki/runs/run_1/prd.md', 'for zalice\n');
    ground.write('home/dashboard/blobs/abc', '"zalice"');
    ground.write('home/config.yaml', `${gdprOn}    checkpoint_copy: /srv/copies\n    syslog_enabled: true\n  siem:\n    syslog:\n      host: siem.example.com\n`);
    const impossible = await erase(ground, '--yes');
    assert.equal(impossible.exit, 1);
    assert.match(impossible.stdout, /has no key/);
    await record(ground, ...alices, { event: 'audit.export', actor: 'user:zbob', details: { path: '/tmp/z-export.csv' } });
    const { exit, stdout, stderr } = await erase(ground, '--yes', '--json');
    assert.equal(exit, 0, stderr);
    const { left, copies } = JSON.parse(stdout);
    assert.equal(left.entries, 3);
    assert.equal(left.exact, 2);
    const whats = copies.map(({ what }: JsonObject) => what);
    for (const what of ['agent chain', 'run folders', 'blobs', 'export', 'syslog receiver', 'checkpoint copies', 'backups of keys', 'copies of the log']) assert.ok(whats.includes(what), `${what} of ${whats}`);
    assert.ok(!whats.includes('older logs'));
    assert.ok(copies.some(({ where }: JsonObject) => where === '/tmp/z-export.csv'));
  });

  test('a name that JSON spells otherwise is found, in settings too', async (t) => {
    const ground = makeGround(t);
    await ground.enrol();
    const name = 'z"a\\lice ü';
    ground.write('home/config.yaml', gdprOn);
    ground.write('project/.loki/state/session.json', `${JSON.stringify({ owner: `user:${name}` })}\n`);
    ground.write('home/policies.yaml', `# ${name}\n`);
    await record(ground, { event: 'session.start', actor: `user:${name}`, details: { prd: './x' } });
    const { exit, stdout, stderr } = await ground.loki(['audit', 'erase', name, '--request', 'R-1', '--dry-run', '--json']);
    assert.equal(exit, 0, stderr);
    const { sealed, copies } = JSON.parse(stdout);
    assert.equal(sealed.entries, 1);
    assert.deepEqual(copies.filter(({ found }: JsonObject) => found !== null).map(({ what, found }: JsonObject) => [what, found]), [['session state', 1], ['settings', 1]]);
  });

  test('who erases himself is erased', async (t) => {
    const ground = makeGround(t);
    ground.write('home/config.yaml', bothOn);
    const me = `user:${ground.installation().host.facts.username}`;
    await record(ground, { event: 'session.start', actor: me, details: { text: 'zmarker' } });
    const { exit, stderr } = await ground.loki(['audit', 'erase', me, '--request', 'R-1', '--yes']);
    assert.equal(exit, 0, stderr);
    assert.ok(!JSON.stringify(opened(ground)).includes(`"${me}"`));
    assert.deepEqual(readdirSync(join(ground.home, 'keys/ring')).filter((name) => /^[sp]/.test(name)), []);
  });
});

describe('an encrypted log', () => {
  const action = JSON.stringify({ kind: 'exec', command: 'ls zmarker' });

  test('a hook asks, acts and reports, and nothing of it stands in clear', async (t) => {
    const ground = makeGround(t);
    ground.write('home/config.yaml', bothOn);
    await ground.enrol();
    const pre = await ground.loki(['hook', 'generic'], { input: action });
    assert.equal(pre.exit, 0, pre.stderr);
    const { audit_seq: ref } = JSON.parse(pre.stdout);
    const post = await ground.loki(['hook', 'generic'], { input: JSON.stringify({ phase: 'post', kind: 'exec', command: 'ls zmarker', ref, outcome: { ok: true, exit: 0 } }) });
    assert.equal(post.exit, 0, post.stderr);
    assert.deepEqual(holding(join(ground.home, 'dashboard'), 'zmarker'), []);
    assert.deepEqual(holding(join(ground.home, 'dashboard/audit'), 'agent:generic'), []);
    const outcome = opened(ground, { event: 'agent.action' })[0];
    assert.deepEqual(outcome?.['details'], { kind: 'exec', ref, ok: true, exit: 0 });
    assert.equal(statSync(join(ground.home, 'keys/audit.key')).mode & 0o777, 0o600);
    assert.equal(JSON.parse((await ground.loki(['audit', 'verify', '--json'])).stdout).chains[0].verdict, 'ok');
  });

  test('a process without the key records nothing and lets nothing pass; verifying needs none', async (t) => {
    const ground = makeGround(t);
    const key = Buffer.alloc(32, 7).toString('base64');
    await ground.enrol();
    const withKey = await ground.loki(['hook', 'generic'], { input: action, env: { LOKI_AUDIT_KEY: key } });
    assert.equal(withKey.exit, 0, withKey.stderr);
    const before = ground.entries().length;
    for (const env of [{}, { LOKI_AUDIT_KEY: Buffer.alloc(32, 8).toString('base64') }, { LOKI_AUDIT_KEY_FILE: '/nowhere/key' }]) {
      const { exit, stdout } = await ground.loki(['hook', 'generic'], { input: action, env });
      assert.equal(exit, 3);
      assert.match(JSON.parse(stdout).reason, /wrapped by the key with check [0-9a-f]{32}|there is no such file/);
    }
    assert.equal(ground.entries().length, before);
    assert.match(String(opened(ground).at(-1)?.actor), /^sealed:d\d{8}-/);
    assert.equal(opened(ground, {}, { LOKI_AUDIT_KEY: key }).at(-1)?.actor, 'agent:generic');
    assert.equal(JSON.parse((await ground.loki(['audit', 'verify', '--json'])).stdout).chains[0].verdict, 'ok');
    // A repository has no say in it.
    ground.write('project/.loki/config.yaml', 'enterprise:\n  audit:\n    encrypt: false\n');
    await assert.rejects(record(ground, { event: 'session.start', actor: 'user:zalice' }), /wrapped by the key with check/);
    assert.deepEqual(ground.entries().filter(({ actor }) => actor === 'user:zalice'), []);
    ground.write('project/.loki/config.yaml', '');
    // Said otherwise, it goes on in clear.
    ground.write('home/config.yaml', 'enterprise:\n  audit:\n    encrypt: false\n');
    assert.equal((await ground.loki(['hook', 'generic'], { input: action })).exit, 0);
    assert.equal(ground.entries().at(-1)?.['actor'], 'agent:generic');
  });

  test('the API opens it for who says who they are, and for nobody else', async (t) => {
    const ground = makeGround(t);
    ground.write('home/config.yaml', bothOn);
    await record(ground, ...alices.slice(0, 2));
    const plane = await startControlPlane(ground.installation({ LOKI_PORT: '0' }));
    t.after(() => plane.stop());
    const token = readFileSync(join(ground.home, 'run/token'), 'utf8').trim();
    const get = async (path: string, named: boolean): Promise<string> => (await fetch(`${plane.url}/api/${path}`, named ? { headers: { Authorization: `Bearer ${token}` } } : {})).text();
    for (const path of ['audit', 'audit?event=session.start', 'audit/summary']) {
      assert.match(await get(path, true), /zalice/, path);
      assert.doesNotMatch(await get(path, false), /zalice|zmarker/, path);
    }
    assert.match(await get('audit?event=session.start', false), /"actor":"sealed:s[0-9a-f]{32}"/);
    for (const path of ['audit?actor=zalice', 'audit?text=zmarker']) {
      assert.notEqual(await get(path, true), '[]', path);
      assert.equal(await get(path, false), '[]', path);
    }
  });

  test('without its key the state says that nothing is recorded, and why', async (t) => {
    const ground = makeGround(t);
    const file = ground.write('keys/audit.key', `${Buffer.alloc(32, 7).toString('base64')}\n`);
    const other = ground.write('keys/other.key', `${Buffer.alloc(32, 8).toString('base64')}\n`);
    await ground.enrol();
    ground.write('home/config.yaml', encryptOn);
    const env = { LOKI_AUDIT_KEY_FILE: file };
    assert.equal((await ground.loki(['hook', 'generic'], { input: action, env })).exit, 0);
    for (const command of [['status'], ['enterprise', 'status']]) {
      assert.doesNotMatch((await ground.loki(command, { env })).stdout, /nothing can be recorded/);
      for (const [bad, why] of [['/nowhere/key', /nothing can be recorded, and actions are denied: .*no such file/], [other, /nothing can be recorded, and actions are denied: .*wrapped by the key with check/]] as const) {
        const told = await ground.loki(command, { env: { LOKI_AUDIT_KEY_FILE: bad } });
        assert.match(told.stdout, why, command.join(' '));
        const document = JSON.parse((await ground.loki([...command, '--json'], { env: { LOKI_AUDIT_KEY_FILE: bad } })).stdout);
        assert.match(document.audit.troubles.join(), /nothing can be recorded/);
      }
    }
  });

  test('agents read no key, wherever it lies, and change none', async (t) => {
    const ground = makeGround(t);
    const file = ground.write('elsewhere/audit.key', `${Buffer.alloc(32, 7).toString('base64')}\n`);
    const tlsKey = ground.write('elsewhere/client.pem', 'x');
    const copies = join(ground.root, 'copies');
    mkdirSync(copies);
    ground.write('home/config.yaml', `enterprise:\n  audit:\n    checkpoint_copy: ${copies}\n  siem:\n    syslog:\n      cert: ${tlsKey}\n      key: ${tlsKey}\n`);
    await ground.enrol();
    const env = { LOKI_AUDIT_KEY_FILE: file };
    const rows = [
      [{ kind: 'fs.read', file_path: file }, 'builtin:secret-keys'], [{ kind: 'exec', command: `cat '${file}'` }, 'builtin:secret-keys'],
      [{ kind: 'fs.read', file_path: join(ground.home, 'keys/audit.key') }, 'builtin:secret-keys'], [{ kind: 'fs.write', file_path: file, content: 'x' }, 'builtin:protected-files'],
      [{ kind: 'exec', command: 'loki audit rekey --generate --yes' }, 'builtin:loki-commands'], [{ kind: 'exec', command: 'loki audit erase alice --request 1 --yes' }, 'builtin:loki-commands'],
      [{ kind: 'exec', command: 'loki enterprise audit export --output x' }, 'builtin:loki-commands'], [{ kind: 'exec', command: 'script -c "loki --json audit  prune" /dev/null' }, 'builtin:loki-commands'],
      [{ kind: 'fs.read', file_path: tlsKey }, 'builtin:secret-keys'], [{ kind: 'exec', command: `rm -r '${copies}/checkpoint'` }, 'builtin:protected-files'],
    ] as const;
    for (const [what, rule] of rows) {
      const { exit, stdout } = await ground.loki(['hook', 'generic'], { input: JSON.stringify(what), env });
      assert.deepEqual([exit, JSON.parse(stdout).rule], [3, rule], stdout);
    }
  });

  test('a lost key of its own is not made again', async (t) => {
    const ground = makeGround(t);
    ground.write('home/config.yaml', encryptOn);
    await record(ground, ...alices);
    rmSync(join(ground.home, 'keys/audit.key'));
    await assert.rejects(record(ground, ...alices), /no key is here/);
    assert.ok(!existsSync(join(ground.home, 'keys/audit.key')));
  });

  test('a governed session: its agent\'s hooks have the key, and the run is told of their decisions', async (t) => {
    const ground = makeGround(t);
    const file = ground.write('keys/audit.key', `${Buffer.alloc(32, 7).toString('base64')}\n`);
    const agent = [process.execPath, fixture('sample', 'agent', 'command-agent.mjs')].map((word) => `'${word}'`).join(' ');
    ground.write('home/config.yaml', `${gdprOn}runs:\n  provider: {name: command, command: ${JSON.stringify(agent)}}\n  council: {reviewers: [], required: 0}\n  max_iterations: 1\n  branch_protection: false\n`);
    ground.write('project/PRD.md', '# Make it work\n');
    const env = { LOKI_AUDIT_KEY_FILE: file };
    assert.equal((await ground.loki(['init', '--yes'], { env })).exit, 0);
    const { exit, stdout, stderr } = await ground.loki(['start', 'PRD.md'], { env });
    assert.equal(exit, 0, stdout + stderr);
    assert.match(stdout, /NOTES\.md/);
    assert.ok(ground.entries().filter(({ actor }) => actor !== 'system').every(({ actor }) => typeof actor === 'object'));
    assert.ok(opened(ground, { actor: 'agent:generic', event: 'policy.allow' }, env).length > 0);
    assert.deepEqual(opened(ground, { event: 'agent.action' }, env).map(({ details }) => (details as JsonObject)['ungated'] ?? false), [false]);
    const verified = await ground.loki(['audit', 'verify', '--json']);
    assert.equal(JSON.parse(verified.stdout).verdict, 'ok', verified.stdout);
  });

  test('a session whose hooks could not have the key is not begun', async (t) => {
    const ground = makeGround(t);
    ground.write('project/PRD.md', '# A thing\n\nDo it.\n');
    await ground.enrol();
    const { exit, stderr } = await ground.loki(['start', 'PRD.md'], { env: { LOKI_AUDIT_KEY: Buffer.alloc(32, 7).toString('base64') } });
    assert.equal(exit, 2, stderr);
    assert.match(stderr, /LOKI_AUDIT_KEY_FILE/);
  });
});

describe('another key', () => {
  test('a new one of our own: what was read can be read, and the old one opens nothing', async (t) => {
    const ground = makeGround(t);
    ground.write('home/config.yaml', bothOn);
    await record(ground, ...alices);
    const before = opened(ground);
    const old = readFileSync(join(ground.home, 'keys/audit.key'), 'utf8').trim();
    const done = await ground.loki(['audit', 'rekey', '--generate', '--yes', '--json']);
    assert.equal(done.exit, 0, done.stderr);
    assert.notEqual(readFileSync(join(ground.home, 'keys/audit.key'), 'utf8').trim(), old);
    assert.ok(!existsSync(join(ground.home, 'keys/audit.next')));
    assert.deepEqual(opened(ground).slice(0, before.length), before);
    assert.equal(opened(ground).at(-1)?.event, 'config.change');
    assert.match(String(opened(ground, {}, { LOKI_AUDIT_KEY: old }).at(-1)?.actor), /^sealed:/);
    await record(ground, ...alices);
    assert.equal((await ground.loki(['audit', 'rekey', '--yes'])).exit, 2);
  });

  test('one from a file, which the environment must name from then on', async (t) => {
    const ground = makeGround(t);
    ground.write('home/config.yaml', encryptOn);
    await record(ground, ...alices);
    const before = opened(ground);
    const file = ground.write('new.key', `${Buffer.alloc(32, 9).toString('hex')}\n`);
    const done = await ground.loki(['audit', 'rekey', '--new-key-file', file, '--yes']);
    assert.equal(done.exit, 0, done.stderr);
    assert.deepEqual(opened(ground, {}, { LOKI_AUDIT_KEY_FILE: file }).slice(0, before.length), before);
    assert.ok(!existsSync(join(ground.home, 'keys/audit.key')));
    await assert.rejects(record(ground, ...alices), /no key is here/);
    // And on to the next, from the environment.
    const next = ground.write('next.key', Buffer.alloc(32, 10).toString('base64'));
    const refused = await ground.loki(['audit', 'rekey', '--generate', '--yes'], { env: { LOKI_AUDIT_KEY_FILE: file } });
    assert.equal(refused.exit, 2);
    const on = await ground.loki(['audit', 'rekey', '--new-key-file', next, '--yes'], { env: { LOKI_AUDIT_KEY_FILE: file } });
    assert.equal(on.exit, 0, on.stderr);
    assert.deepEqual(opened(ground, {}, { LOKI_AUDIT_KEY_FILE: next }).slice(0, before.length), before);
    writeFileSync(file, 'no key');
    const bad = await ground.loki(['audit', 'rekey', '--new-key-file', file, '--yes'], { env: { LOKI_AUDIT_KEY_FILE: next } });
    assert.equal(bad.exit, 2);
    assert.match(bad.stderr, /not 32 bytes in base64 or hex/);
    assert.ok(!bad.stderr.includes('no key\n'));
  });
});
