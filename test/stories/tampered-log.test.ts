/** A real log, changed by hand, and what `loki audit verify` says of it. */
import assert from 'node:assert/strict';
import { appendFileSync, cpSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, beforeEach, describe, test, after } from 'node:test';
import { checkpointNow } from '../../lib/app/audit/checkpoints.ts';
import type { ChildEnd } from '../support/child.ts';
import { makeGround, type Ground } from '../support/ground.ts';

describe('loki audit verify', () => {
  const undo: (() => void)[] = [];
  let here: Ground;
  let file = '';
  let whole = Buffer.alloc(0);

  before(async () => {
    here = makeGround({ after: (run) => undo.push(run) });
    here.write('project/.loki/policies.yaml', 'version: 1\npolicies: {}\n');
    await here.enrol();
    for (let n = 0; n < 3; n += 1) {
      const input = JSON.stringify({ kind: 'exec', command: `echo ${n}` });
      const { exit, stdout } = await here.loki(['hook', 'generic'], { input });
      assert.equal(exit, 0);
      const post = { phase: 'post', kind: 'exec', command: `echo ${n}`, ref: JSON.parse(stdout).audit_seq, outcome: { ok: true, exit: 0 } };
      assert.equal((await here.loki(['hook', 'generic'], { input: JSON.stringify(post) })).exit, 0);
    }
    const folder = join(here.home, 'dashboard/audit');
    file = join(folder, readdirSync(folder).at(-1) ?? '');
    whole = readFileSync(file);
    cpSync(here.home, join(here.root, 'saved'), { recursive: true });
  });
  beforeEach(restore);
  after(() => undo.forEach((run) => run()));

  /** Everything as it was: each verification is recorded, and may leave a checkpoint. */
  function restore(): void {
    rmSync(here.home, { recursive: true });
    cpSync(join(here.root, 'saved'), here.home, { recursive: true });
  }

  /** Lines of the log as they stand. */
  const lines = (): string[] => whole.toString().split('\n').slice(0, -1);

  /** Verifies the log with other bytes in it, in words and as JSON. */
  async function verify(bytes: string | Uint8Array): Promise<{ readonly words: ChildEnd; readonly document: { readonly verdict: string; readonly first_tampered_line: number | null; readonly first_bad: { readonly file: string; readonly line: number; readonly seq: number | null; readonly offset: number; readonly cause: string } | null } }> {
    restore();
    writeFileSync(file, bytes);
    const words = await here.loki(['audit', 'verify']);
    restore();
    writeFileSync(file, bytes);
    const json = await here.loki(['audit', 'verify', '--json']);
    assert.equal(words.exit, json.exit);
    return { words, document: JSON.parse(json.stdout) };
  }

  test('as it was written: ok, exit 0, each chain by name', async () => {
    const { words, document } = await verify(whole);
    assert.deepEqual([words.exit, words.stderr, document.verdict, document.first_bad], [0, '', 'ok', null]);
    assert.match(words.stdout, /^record +ok +8 entries, seq 1 to 8, in audit-.*\n {2}no checkpoint: its chain alone holds it\nagent:prj_\w+ +ok +3 entries, seq 1 to 3, in agent-audit\.jsonl\n {2}no checkpoint: .*\n\nNo change was found \(11 entries\)\.\nA chain has no secret: .*loki audit checkpoint.*--against\.\n$/);
  });

  test('one byte changed, anywhere: exit 6, file, line and seq', async () => {
    for (const [seq, from, to] of [[1, '"first_seq":1', '"first_seq":2'], [2, '"actor":"user', '"actor":"usfr'], [3, 'echo 0', 'echo 9'], [5, 'Z"', 'Y"'], [8, '"ok":true', '"ok":trud']] as const) {
      const text = lines();
      const at = text.slice(0, seq - 1).reduce((sum, line) => sum + line.length + 1, 0);
      assert.ok(text[seq - 1]?.includes(from), text[seq - 1]);
      text[seq - 1] = text[seq - 1]?.replace(from, to) ?? '';
      const { words, document } = await verify(`${text.join('\n')}\n`);
      assert.equal(words.exit, 6, words.stdout);
      assert.deepEqual([document.verdict, document.first_bad?.file, document.first_bad?.line, document.first_bad?.seq, document.first_bad?.offset, document.first_bad?.cause],
        ['tampered', file.slice(file.lastIndexOf('/') + 1), seq, seq, at, 'edited']);
      assert.match(words.stdout, new RegExp(`${file} line ${seq} \\(seq ${seq}, byte ${at}\\): edited: .+`));
      assert.match(words.stdout, /The records were TAMPERED WITH\.\n$/);
      assert.match(words.stderr, /hint: Keep the files as they are/);
    }
  });

  test('a line deleted: exit 6, which one is missing', async () => {
    const { words, document } = await verify(`${lines().filter((_, at) => at !== 3).join('\n')}\n`);
    assert.deepEqual([words.exit, document.first_bad?.line, document.first_bad?.cause, document.first_tampered_line], [6, 4, 'deleted', 4]);
    assert.match(words.stdout, /line 4 \(seq 5, .*deleted: seq 4 is missing before it/);
  });

  test('a line put in, and two exchanged: exit 6', async () => {
    const text = lines();
    const inserted = await verify(`${text.toSpliced(3, 0, text[2] ?? '').join('\n')}\n`);
    assert.deepEqual([inserted.words.exit, inserted.document.verdict], [6, 'tampered']);
    const swapped = await verify(`${[...text.slice(0, 3), text[4], text[3], ...text.slice(5)].join('\n')}\n`);
    assert.deepEqual([swapped.words.exit, swapped.document.first_bad?.cause], [6, 'reordered']);
  });

  test('a torn tail: exit 7, and the next entry sets it aside and goes on', async () => {
    const { words, document } = await verify(whole.subarray(0, whole.length - 40));
    assert.deepEqual([words.exit, document.verdict, document.first_bad?.cause, document.first_bad?.line, document.first_tampered_line], [7, 'incomplete', 'torn tail', 8, null], 'nothing was tampered with');
    assert.match(words.stdout, /line 8 \(byte \d+\): torn tail: \d+ bytes after the last line feed/);
    const agents = join(here.project, '.loki/logs/agent-audit.jsonl');
    const kept = readFileSync(agents, 'utf8');
    writeFileSync(agents, kept.replace('echo 1', 'echo 9'));
    const both = await verify(whole.subarray(0, whole.length - 40));
    writeFileSync(agents, kept);
    assert.deepEqual([both.words.exit, both.document.first_bad?.cause, both.document.first_tampered_line], [6, 'edited', 2], 'what was tampered with comes before what is missing');
    assert.match(words.stdout, /Nothing contradicts, but the records are not complete\.\n$/);
    restore();
    truncateSync(file, whole.length - 40);
    const next = await here.loki(['hook', 'generic'], { input: '{"kind":"other"}' });
    assert.deepEqual([next.exit, JSON.parse(next.stdout).audit_seq], [0, 9], 'the recovery is seq 8');
    assert.match(readFileSync(file, 'utf8').split('\n').at(-3) ?? '', /"event":"audit\.recovery"/);
    assert.equal(readdirSync(join(here.home, 'dashboard/torn')).length, 1);
    assert.equal((await here.loki(['audit', 'verify'])).exit, 0);
  });

  test('the whole log taken away: exit 7, because projects are enrolled', async () => {
    rmSync(file);
    for (let round = 0; round < 2; round += 1) assert.equal((await here.loki(['audit', 'verify'])).exit, 7, 'nor does looking begin a new one');
  });

  test('against a checkpoint kept elsewhere: what was cut and rewritten since, and that a verification is recorded', async () => {
    const kept = join(here.root, 'kept');
    await checkpointNow(here.installation(), () => Promise.resolve({ seq: null, chain_hash: null }), { reason: 'request', all: true });
    cpSync(join(here.home, 'dashboard/tlog/checkpoint'), kept);
    const good = await here.loki(['audit', 'verify', '--against', kept]);
    assert.deepEqual([good.exit, good.stderr], [0, ''], good.stdout);
    assert.match(good.stdout, /the checkpoint over 8 entries holds\n/);
    assert.match(good.stdout, /since the checkpoint in .*kept nothing of the first 8 entries was cut or rewritten\n/);
    assert.match(readFileSync(file, 'utf8').split('\n').at(-2) ?? '', /"event":"audit\.verify","level":"info","actor":"user:.*"verdict":"ok","entries":11/);
    writeFileSync(file, lines().slice(0, 7).map((line) => `${line}\n`).join(''));
    rmSync(join(here.home, 'dashboard/tlog'), { recursive: true });
    const cut = await here.loki(['audit', 'verify', '--against', '-'], { input: readFileSync(kept, 'utf8') });
    assert.equal(cut.exit, 6);
    assert.match(cut.stdout, /truncated: the checkpoint in "standard input" was signed over 8 entries, and the log ends at seq 7/);
    const nonsense = await here.loki(['audit', 'verify', '--against', file]);
    assert.deepEqual([nonsense.exit, nonsense.stdout], [2, '']);
    assert.match(nonsense.stderr, /holds no signed checkpoint|something else than signed checkpoints/);
  });

  test('an agent\'s chain is checked too: a line it put into it is named', async () => {
    const chain = join(here.project, '.loki/logs/agent-audit.jsonl');
    const kept = readFileSync(chain);
    appendFileSync(chain, '{"seq":4,"timestamp":"2026-02-15T14:30:00.000Z","action":"cli_invoke"}x\n');
    const { exit, stdout } = await here.loki(['audit', 'verify']);
    writeFileSync(chain, kept);
    assert.equal(exit, 6);
    assert.match(stdout, /agent-audit\.jsonl line 4 \(byte \d+\): not an entry/);
    assert.match(stdout, /^record +ok/m);
  });
});
