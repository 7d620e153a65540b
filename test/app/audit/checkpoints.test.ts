/** Checkpoints of an installation, as people and their programs come by them: through the command line. */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startControlPlane } from '../../../lib/app/control-plane.ts';
import { openRecord } from '../../../lib/app/audit/record.ts';
import { checkpointNow, openCheckpoints, signStatement } from '../../../lib/app/audit/checkpoints.ts';
import { openProjectChain } from '../../../lib/app/audit/record.ts';
import { openCheckpoint } from '../../../lib/base/merkle/checkpoint.ts';
import { openNote, parseVkey, type NoteKey } from '../../../lib/base/merkle/note.ts';
import { isPlainObject, type JsonObject } from '../../../lib/base/json.ts';
import { makeGround, until, type Ground } from '../../support/ground.ts';

const keysOf = (ground: Ground): readonly NoteKey[] => readFileSync(join(ground.home, 'keys/checkpoint.vkey'), 'utf8').split('\n').map(parseVkey).filter((key) => key !== undefined);
const checkpointFile = (ground: Ground): string => join(ground.home, 'dashboard/tlog/checkpoint');

function told(ground: Ground): readonly JsonObject[] {
  return ground.entries().filter(({ event }) => event === 'audit.checkpoint').map(({ details }) => (isPlainObject(details) ? details : {}));
}

async function recorded(ground: Ground, count: number): Promise<void> {
  const log = openRecord(ground.installation());
  for (let n = 0; n < count; n += 1) await log.record({ event: 'policy.allow', actor: 'agent:x', details: { n } });
  await log.close();
}

test('loki audit checkpoint signs what is new, prints it, and tells of it in the log', async (t) => {
  const ground = makeGround(t);
  const none = await ground.loki(['audit', 'checkpoint']);
  assert.deepEqual([none.exit, none.stdout, existsSync(ground.home)], [2, '', false]);
  assert.match(none.stderr, /nothing has been recorded/);
  await recorded(ground, 5);
  const { exit, stdout, stderr } = await ground.loki(['audit', 'checkpoint']);
  assert.equal(exit, 0, stderr);
  const opened = openCheckpoint(stdout, keysOf(ground));
  assert.equal(opened.ok && opened.checkpoint.size, 6);
  assert.match(stderr, /Signed now: 6 entries\. It is checked with the key \S+\/loki\/audit\+[0-9a-f]{8}\+/);
  assert.deepEqual(told(ground).map(({ chain, size, reason, vkey }) => [chain, size, reason, vkey]), [['record', 6, 'request', keysOf(ground)[0]?.vkey]]);
  const again = await ground.loki(['audit', 'checkpoint', '--json']);
  const document: JsonObject = JSON.parse(again.stdout);
  assert.deepEqual([document['made'], document['size'], document['note'], document['vkey']], [false, 6, stdout, keysOf(ground)[0]?.vkey]);
  assert.equal(told(ground).length, 1);
  for (const name of ['checkpoint.key', 'checkpoint.vkey']) assert.equal(statSync(join(ground.home, 'keys', name)).mode & 0o777, 0o600);
  await recorded(ground, 1);
  await ground.loki(['audit', 'checkpoint']);
  assert.deepEqual(told(ground).map(({ size, vkey }) => [size, vkey]).at(-1), [8, undefined]);
});

test('a proof is written by one machine and checked by another that has only the file and the key', async (t) => {
  const ground = makeGround(t);
  await recorded(ground, 9);
  const prove = await ground.loki(['audit', 'prove', '4']);
  assert.deepEqual([prove.exit, prove.stderr], [0, '']);
  assert.equal(prove.stdout, `${join(ground.project, '4.tlog-proof')}: entry 4 of 10\n`);
  const vkey = keysOf(ground)[0]?.vkey ?? assert.fail();
  const elsewhere = ground.write('elsewhere/4.tlog-proof', readFileSync(join(ground.project, '4.tlog-proof'), 'utf8'));
  const cwd = join(ground.root, 'elsewhere');
  renameSync(ground.home, `${ground.home} put away`);
  const nowhere = { cwd, env: { LOKI_HOME: '/nonexistent' } };
  const proven = await ground.loki(['audit', 'verify-proof', '4.tlog-proof', '--vkey', vkey], nowhere);
  assert.deepEqual([proven.exit, proven.stderr], [0, '']);
  const line = readFileSync(join(`${ground.home} put away`, 'dashboard/audit', readdirSync(join(`${ground.home} put away`, 'dashboard/audit'))[0] ?? ''), 'utf8').split('\n')[3] ?? '';
  assert.equal(proven.stdout, `Proven: entry 4 of the log "${parseVkey(vkey)?.name}", which then had 10 entries, is\n${line}\nsigned with ${vkey}\n`);
  ground.write('elsewhere/line.json', `${line}\n`);
  ground.write('elsewhere/keys', `${vkey}\n`);
  const given = await ground.loki(['audit', 'verify-proof', '4.tlog-proof', '--vkey', 'keys', '--entry', 'line.json', '--json'], nowhere);
  assert.deepEqual([given.exit, JSON.parse(given.stdout).proven, JSON.parse(given.stdout).seq], [0, true, 4]);
  assert.equal(existsSync('/nonexistent'), false);

  ground.write('elsewhere/other.json', line.replace('"n":2', '"n":3'));
  const other = await ground.loki(['audit', 'verify-proof', '4.tlog-proof', '--vkey', vkey, '--entry', 'other.json'], nowhere);
  assert.equal(other.exit, 6);
  assert.match(other.stdout, /^NOT PROVEN: the entry is not at index 3/);
  const foreign = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
  const wrongKey = await ground.loki(['audit', 'verify-proof', '4.tlog-proof', '--vkey', foreign, '--json'], nowhere);
  assert.deepEqual([wrongKey.exit, JSON.parse(wrongKey.stdout).proven], [6, false]);
  const text = readFileSync(elsewhere, 'utf8');
  ground.write('elsewhere/forged.tlog-proof', text.replace('\n10\n', '\n11\n'));
  assert.equal((await ground.loki(['audit', 'verify-proof', 'forged.tlog-proof', '--vkey', vkey], nowhere)).exit, 6);
});

test('what cannot be used is said, with exit code 2', async (t) => {
  const ground = makeGround(t);
  await recorded(ground, 3);
  await ground.loki(['audit', 'prove', '2', '-o', 'p']);
  const vkey = keysOf(ground)[0]?.vkey ?? assert.fail();
  ground.write('project/no-proof', 'c2sp.org/tlog-proof@v1\nindex x\n\n');
  ground.write('project/no-key', 'key\n');
  ground.write('project/no-extra', readFileSync(join(ground.project, 'p'), 'utf8').replace(/extra .*\n/, ''));
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['prove'], /SEQ/], [['prove', '0'], /whole number from 1/], [['prove', 'x'], /whole number/], [['prove', '-1'], /-1/], [['prove', '99'], /entries 1 to \d/], [['prove', '1', '-o', 'none/x'], /no directory/], [['prove', '1', '-o', '.'], /directory/],
    [['prove', '1', '--chain', 'agent:prj_NONE'], /neither/], [['checkpoint', '--chain', 'nonsense'], /neither/], [['checkpoint', '--chain', 'agent:../../x'], /neither/], [['checkpoint', '--reason', 'why'], /why/],
    [['verify-proof', 'gone', '--vkey', vkey], /no such file/], [['verify-proof', 'no-proof', '--vkey', vkey], /no proof/], [['verify-proof', 'p'], /no key/], [['verify-proof', 'p', '--vkey', 'gone'], /no such file/],
    [['verify-proof', 'p', '--vkey', 'no-key'], /no public key/], [['verify-proof', 'p', '--vkey', vkey.replace(/\+[0-9a-f]{8}\+/, '+00000000+')], /id is not/], [['verify-proof', 'no-extra', '--vkey', vkey], /--entry/], [['verify-proof', '.', '--vkey', vkey], /directory/],
  ];
  for (const [words, expected] of cases) {
    const { exit, stdout, stderr } = await ground.loki(['audit', ...words]);
    assert.deepEqual([exit, stdout], [exit === 1 && /directory/.test(stderr) ? 1 : 2, ''], `${words.join(' ')}: ${stderr}`);
    assert.match(stderr, expected, words.join(' '));
  }
});

test('a log that contradicts its checkpoint: refused, said once in the log, and never signed', async (t) => {
  const ground = makeGround(t);
  await recorded(ground, 9);
  await ground.loki(['audit', 'checkpoint']);
  const before = readFileSync(checkpointFile(ground), 'utf8');
  const [name = ''] = readdirSync(join(ground.home, 'dashboard/audit'));
  const path = join(ground.home, 'dashboard/audit', name);
  const lines = readFileSync(path, 'utf8').split('\n');
  writeFileSync(path, `${lines.slice(0, 4).join('\n')}\n`);
  rmSync(join(ground.home, 'dashboard/tlog/state.json'));
  for (let n = 0; n < 3; n += 1) {
    const { exit, stderr } = await ground.loki(['audit', 'checkpoint']);
    assert.equal(exit, 6, stderr);
  }
  assert.equal(readFileSync(checkpointFile(ground), 'utf8'), before);
  assert.deepEqual(told(ground).map(({ refused }) => refused).filter((code) => code !== undefined), ['audit.tampered']);
  assert.match(readFileSync(join(ground.home, 'dashboard/tlog/refused'), 'utf8'), /log ends at/);
  writeFileSync(path, lines.join('\n'));
  assert.equal((await ground.loki(['audit', 'checkpoint'])).exit, 0);
  assert.equal(existsSync(join(ground.home, 'dashboard/tlog/refused')), false);
});

test('a process that lives long makes one at its end, under a chosen name, and copies it', async (t) => {
  const ground = makeGround(t);
  mkdirSync(join(ground.root, 'copies'));
  ground.write('home/config.yaml', `enterprise:\n  audit:\n    origin: logs.example.com\n    checkpoint_copy: ${JSON.stringify(join(ground.root, 'copies'))}\n`);
  const plane = await startControlPlane(ground.installation({ LOKI_PORT: '0' }), { otherPortWhenTaken: true });
  await (await fetch(`${plane.url}/api/runs`)).arrayBuffer();
  assert.equal((await fetch(`${plane.url}/api/audit/checkpoint`)).status, 404);
  await recorded(ground, 3);
  await checkpointNow(ground.installation(), async () => ({ seq: null, chain_hash: null }), { reason: 'request' });
  const found: JsonObject = JSON.parse(await (await fetch(`${plane.url}/api/v2/audit/checkpoint`)).text());
  assert.deepEqual([found['origin'], found['vkey']], ['logs.example.com/loki/audit', keysOf(ground).at(-1)?.vkey]);
  const proof = await (await fetch(`${plane.url}/api/audit/proof/2`)).text();
  ground.write('project/2.tlog-proof', proof);
  assert.equal((await ground.loki(['audit', 'verify-proof', '2.tlog-proof', '--vkey', String(found['vkey'])])).exit, 0);
  await plane.stop();
  assert.deepEqual(told(ground).map(({ reason }) => reason), ['exit']);
  const copy = readFileSync(join(ground.root, 'copies/logs.example.com_loki_audit.checkpoints'), 'utf8');
  assert.equal(copy.endsWith(`${readFileSync(checkpointFile(ground), 'utf8')}\n`), true);
});

test('at each interval with new entries, and as a heartbeat when nothing came for ten of them, on a real clock', { timeout: 60_000 }, async (t) => {
  const ground = makeGround(t);
  ground.write('home/config.yaml', 'enterprise:\n  audit:\n    checkpoint_interval: 1s\n');
  const log = openRecord(ground.installation(), { keeps: true });
  const reasons = (): readonly unknown[] => told(ground).map(({ reason }) => reason);
  await log.record({ event: 'policy.allow', actor: 'agent:x', details: {} });
  await until('a first one', () => reasons().includes('interval'));
  const first = reasons().length;
  // Nothing new but the entry that tells of it: only age makes another one.
  const long = new Date(Date.now() - 11_000);
  utimesSync(checkpointFile(ground), long, long);
  await until('a heartbeat', () => reasons().includes('heartbeat'));
  assert.deepEqual(reasons().slice(first), ['heartbeat']);
  await log.record({ event: 'policy.allow', actor: 'agent:x', details: {} });
  await until('one over what came then', () => reasons().filter((reason) => reason === 'interval').length === 2);
  await log.close();
  assert.equal((await ground.loki(['audit', 'verify'])).exit, 0);
});

test('a second place that is not there is told once, and stands in nobody\'s way', async (t) => {
  const ground = makeGround(t);
  ground.write('home/config.yaml', `enterprise:\n  audit:\n    checkpoint_copy: ${JSON.stringify(join(ground.root, 'copies'))}\n`);
  for (let n = 0; n < 3; n += 1) {
    await recorded(ground, 2);
    assert.equal((await ground.loki(['audit', 'checkpoint'])).exit, 0);
  }
  assert.deepEqual(told(ground).map(({ failed }) => failed).filter((text) => text !== undefined).length, 1);
  mkdirSync(join(ground.root, 'copies'));
  await recorded(ground, 2);
  await ground.loki(['audit', 'checkpoint']);
  assert.equal(existsSync(join(ground.home, 'dashboard/tlog/copy-failed')), false);
});

test('a hook that ends when one is due leaves a process behind that makes it', async (t) => {
  const ground = makeGround(t);
  ground.write('home/config.yaml', 'enterprise:\n  audit:\n    checkpoint_every: 4\n');
  for (let n = 0; n < 4; n += 1) {
    const { exit, stderr } = await ground.loki(['hook', 'generic'], { input: '{"kind":"exec","command":"ls"}' });
    assert.equal(exit, 0, stderr);
  }
  await until('a checkpoint is made', () => existsSync(join(ground.home, 'dashboard/tlog/state.json')) && told(ground).length > 0);
  assert.deepEqual(told(ground).map(({ reason }) => reason), ['entries']);
  // What was left behind has ended, or is about to: it has its own lock no more.
  await until('it has ended', () => !existsSync(join(ground.home, 'run/audit.lock')));
});

test('a project\'s agent chain has a tree of its own, under a name of its own', async (t) => {
  const ground = makeGround(t);
  await ground.enrol();
  const here = ground.installation();
  const project = here.project ?? assert.fail();
  const log = openRecord(here);
  const chain = openProjectChain(here, project, log.record);
  for (let n = 0; n < 4; n += 1) await chain.append({ action: 'cli_invoke', agent: 'x', branch: null, details: { n } });
  await chain.close();
  await log.close();
  const { exit, stdout, stderr } = await ground.loki(['audit', 'checkpoint', '--chain', `agent:${project.id}`, '--json']);
  assert.equal(exit, 0, stderr);
  const document: JsonObject = JSON.parse(stdout);
  assert.deepEqual([document['chain'], document['size']], [`agent:${project.id}`, 4]);
  assert.equal(String(document['origin']).endsWith(`/loki/agent/${project.id}`), true);
  await ground.loki(['audit', 'prove', '3', '--chain', `agent:${project.id}`, '-o', 'agent.tlog-proof']);
  const proven = await ground.loki(['audit', 'verify-proof', 'agent.tlog-proof', '--vkey', String(document['vkey'])]);
  assert.deepEqual([proven.exit, proven.stderr], [0, '']);
  assert.deepEqual(told(ground).map((details) => details['chain']), [`agent:${project.id}`]);
});

test('a damaged tree is made anew when a proof is asked for', async (t) => {
  const ground = makeGround(t);
  await recorded(ground, 300);
  const here = ground.installation();
  await checkpointNow(here, async () => ({ seq: null, chain_hash: null }), { reason: 'request' });
  const tiles = join(ground.home, 'dashboard/tlog/tile-0');
  const bytes = readFileSync(tiles);
  bytes[40] = (bytes[40] ?? 0) ^ 1;
  writeFileSync(tiles, bytes);
  const checkpoints = openCheckpoints(here, async () => ({ seq: null, chain_hash: null }));
  const { seq, size } = await checkpoints.prove(1);
  assert.deepEqual([seq, size], [1, 301]);
  writeFileSync(tiles, '');
  assert.equal((await checkpoints.prove(17)).seq, 17);
  appendFileSync(tiles, 'garbage');
  assert.equal((await checkpoints.prove(301)).seq, 301);
});

test('statements are signed with the log\'s key, which is made for them if need be', async (t) => {
  const ground = makeGround(t);
  mkdirSync(ground.home);
  const note = await signStatement(ground.installation(), 'we say\n');
  assert.equal(openNote(note, keysOf(ground)).ok, true);
});
