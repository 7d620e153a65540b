/**
 * docs/formats/audit.md is executed: its lines are what the program writes, its worked example holds, and fixtures/verify.py,
 * which was written from the page alone, judges logs as the program does.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { eventNames } from '../../lib/audit/events.ts';
import { openAuditLog } from '../../lib/entry/audit.ts';
import { root } from '../../lib/entry/merkle.ts';
import { directory, home, linesIn, logOn } from '../audit/support.ts';
import { createFaultFiles, faultDisk } from '../support/fault-files.ts';
import { createTestClock } from '../support/fakes.ts';
import { blocks, page } from '../support/page.ts';
import { python } from '../support/python.ts';
import { fixture } from '../support/root.ts';

const name = 'docs/formats/audit.md';

test('the lines at the top of the page are what the program writes', async (t) => {
  const text = page(t, name);
  if (text === undefined) return;
  const files = createFaultFiles();
  files.makeDirectory(home, 0o700);
  const disk = faultDisk(files);
  const clock = createTestClock();
  const log = logOn(disk, { clock, metadata: { hostname: 'dev-machine', pid: 12345, version: '0.1.0' } });
  await log.append({ event: 'session.start', actor: 'user:alice', resource: 'session:ses_01J8Z3T5C6D7E8F9G0H1J2K3M4', details: { prd: './prd.md', provider: 'claude' } });
  clock.advance(1500);
  await log.append({ event: 'policy.deny', actor: 'agent:claude', details: { action: { command: 'git push --force', kind: 'exec' }, decision: 'DENY', rule: 'no-force-push' } });
  assert.equal(blocks(text, 'jsonl')[0], `${linesIn(disk, 'audit-2026-02-15.jsonl', directory).join('\n')}\n`);
});

test('the worked example gives the hash it says, with as many bytes as it says', (t) => {
  const text = page(t, name);
  if (text === undefined) return;
  const [previous = '', body = '', hash = ''] = [...text.slice(text.indexOf('## The chain')).matchAll(/^ {4}([0-9a-f]{64}|\{"seq".*)$/gm)].map(([, value = '']) => value);
  assert.equal(createHash('sha256').update(previous + body).digest('hex'), hash);
  assert.match(text, new RegExp(`these ${body.length},`));
  assert.match(text, new RegExp(`the ${previous.length + body.length} bytes`));
  assert.ok(blocks(text, 'jsonl')[0]?.includes(`${body.slice(0, -1)},"chain_hash":"${hash}"}`));
});

test('every cause and verdict of the page is one of the program, and none is left out', async (t) => {
  const text = page(t, name);
  if (text === undefined) return;
  const source = fs.readFileSync(sourceOf('lib/audit/verify/causes'), 'utf8');
  const given = [...source.matchAll(/^ {2,4}'([a-z ]+)': '(tampered|incomplete|no_integrity)',$/gm)].map(([, cause, verdict]) => `${cause}: ${verdict}`).sort();
  const said = [...text.slice(text.indexOf('## Verifying')).matchAll(/^\| `([a-z ]+)` \|.*\| `(\w+)` \|$/gm)].map(([, cause, verdict]) => `${cause}: ${verdict}`).sort();
  assert.ok(given.length >= 9, String(given.length));
  assert.deepEqual(said, given);
  for (const [, event = ''] of text.matchAll(/`((?:audit|policy|session)\.[a-z_]+)`/g)) assert.ok(eventNames.includes(event) || event === 'audit.md', event);
});

/** Beside this file: the source when run unbuilt, its JavaScript when built. */
function sourceOf(module: string): string {
  const top = path.dirname(path.dirname(path.dirname(new URL(import.meta.url).pathname)));
  return path.join(decodeURIComponent(top), import.meta.url.endsWith('.ts') ? `${module}.ts` : `${module}.js`);
}

interface Verified { readonly exit: number | null; readonly said: string }

/** fixtures/verify.py on a path; undefined, said aloud, without python3. */
function verifyWithPython(t: TestContext, where: string, ...more: readonly string[]): Verified | undefined {
  if (python === undefined) {
    t.diagnostic('python3 cannot be started: fixtures/verify.py was not run');
    return undefined;
  }
  const { status, stdout, stderr } = spawnSync(python, ['-B', fixture('verify.py'), where, ...more], { encoding: 'utf8' });
  return { exit: status, said: stdout + stderr };
}

/** A log of a few entries on the real disk, in two files. */
async function withLog(work: (place: string, files: readonly string[]) => Promise<void>): Promise<void> {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'loki-verify-'));
  try {
    const place = path.join(root, 'audit');
    const log = openAuditLog({ dir: place, maxFileBytes: 1500 });
    for (let n = 0; n < 12; n += 1) await log.append({ event: 'policy.allow', actor: 'agent:generic', details: { n, text: 'schön "quoted" \u{1f600}' } });
    assert.equal((await log.verify()).verdict, 'ok');
    await log.close();
    const files = fs.readdirSync(place).sort((a, b) => part(a) - part(b)).map((file) => path.join(place, file));
    assert.ok(files.length > 2, 'the log must run over several files');
    await work(place, files);
  } finally {
    fs.rmSync(root, { recursive: true, force: true });
  }
}

const part = (file: string): number => Number(/\.(\d+)\.jsonl$/.exec(file)?.[1] ?? 0);

test('verify.py agrees with the program on a good log, on one file of it, and on each kind of damage', async (t) => {
  await withLog(async (place, files) => {
    const good = verifyWithPython(t, place);
    if (good === undefined) return;
    assert.match(good.said, /^ok: \d+ entries/);
    assert.equal(good.exit, 0);
    const [, second = ''] = files;
    assert.equal(verifyWithPython(t, second)?.exit, 0, 'one file alone');
    const before = fs.readFileSync(second, 'utf8');
    const lines = before.split('\n').slice(0, -1);
    const cases: readonly (readonly [string, string, number, RegExp])[] = [
      ['edited', before.replace('"n":', '"n":1'), 6, /its bytes do not give the hash it carries/],
      ['deleted', [...lines.slice(0, 1), ...lines.slice(2), ''].join('\n'), 6, /seq \d+ where \d+ was expected/],
      ['inserted', [...lines.slice(0, 2), ...lines.slice(1), ''].join('\n'), 6, /seq \d+ where \d+ was expected/],
      ['reordered', [...lines.slice(1).reverse(), lines[0], ''].join('\n'), 6, /seq \d+ where \d+ was expected/],
      ['not an entry', `${lines.join('\n')}\n\n`, 6, /no sealed entry/],
    ];
    for (const [what, text, exit, said] of cases) {
      fs.writeFileSync(second, text);
      const found = verifyWithPython(t, place);
      assert.equal(found?.exit, exit, what);
      assert.match(found?.said ?? '', said, what);
      assert.equal((await openAuditLog({ dir: place }).verify()).verdict, 'tampered', what);
    }
    fs.writeFileSync(second, before);
    fs.appendFileSync(files.at(-1) ?? '', '{"seq":99,"time');
    assert.equal(verifyWithPython(t, place)?.exit, 7, 'a torn tail');
    assert.equal((await openAuditLog({ dir: place }).verify()).verdict, 'incomplete');
  });
});

test('verify.py reads compressed files, and finds against a checkpoint what a chain alone cannot show', async (t) => {
  await withLog(async (place, files) => {
    const lines = files.flatMap((file) => fs.readFileSync(file, 'utf8').split('\n').slice(0, -1));
    const checkpoint = path.join(path.dirname(place), 'checkpoint');
    for (let size = 1; size <= lines.length; size += 1) {
      const hash = Buffer.from(root(lines.slice(0, size).map((line) => Buffer.from(line)))).toString('base64');
      fs.writeFileSync(checkpoint, `dev-machine/loki/audit\n${size}\n${hash}\n\n\u2014 dev-machine/loki/audit c2ln\n`);
      const found = verifyWithPython(t, place, checkpoint);
      if (found === undefined) return;
      assert.equal(found.exit, 0, `${size}: ${found.said}`);
    }
    const [first = ''] = files;
    const packed = gzipSync(fs.readFileSync(first));
    fs.writeFileSync(`${first}.gz`, packed);
    fs.rmSync(first);
    assert.equal(verifyWithPython(t, place, checkpoint)?.exit, 0, 'compressed');
    fs.writeFileSync(`${first}.gz`, packed.map((byte, at) => (at === 200 ? byte ^ 1 : byte)));
    assert.equal(verifyWithPython(t, place, checkpoint)?.exit, 6, 'compressed and damaged');
    fs.writeFileSync(`${first}.gz`, packed);
    const last = files.at(-1) ?? '';
    const kept = fs.readFileSync(last, 'utf8');
    fs.writeFileSync(last, kept.split('\n').slice(0, -2).map((line) => `${line}\n`).join(''));
    assert.match(verifyWithPython(t, place, checkpoint)?.said ?? '', /tampered.*\n.*cut off/);
    fs.writeFileSync(last, kept);
    fs.writeFileSync(checkpoint, fs.readFileSync(checkpoint, 'utf8').replace(/\n[A-Za-z0-9+/]{4}/, '\nAAAA'));
    assert.match(verifyWithPython(t, place, checkpoint)?.said ?? '', /tampered.*\n.*others than it was signed over/);
  });
});

test('a whole rewrite and a clean cut at the end are not seen, as the page and the threat model say', async (t) => {
  await withLog(async (place, files) => {
    const last = files.at(-1) ?? '';
    const lines = fs.readFileSync(last, 'utf8').split('\n').slice(0, -1);
    fs.writeFileSync(last, `${lines.slice(0, -1).join('\n')}\n`);
    assert.equal((await openAuditLog({ dir: place }).verify()).verdict, 'ok', 'cut off cleanly');
    let previous = '0'.repeat(64);
    for (const file of files) {
      const rewritten = fs.readFileSync(file, 'utf8').split('\n').slice(0, -1).map((line) => {
        const body = `${line.slice(0, -81).replace('policy.allow', 'policy.deny').replace(/"previous_hash":"[0-9a-f]{64}"/, `"previous_hash":"${previous}"`)}}`;
        previous = createHash('sha256').update(previous + body).digest('hex');
        return `${body.slice(0, -1)},"chain_hash":"${previous}"}\n`;
      });
      fs.writeFileSync(file, rewritten.join(''));
    }
    assert.equal((await openAuditLog({ dir: place }).verify()).verdict, 'ok', 'rewritten');
    assert.equal(verifyWithPython(t, place)?.exit ?? 0, 0);
  });
});
