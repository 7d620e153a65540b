/** The player, with a gate that answers as told. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Disk, Spawn, SpawnRequest } from '../../lib/ports.ts';
import { play } from '../../lib/runs/play.ts';
import { readScript, stepsFor } from '../../lib/runs/script.ts';
import { fixture } from '../support/root.ts';
import { memoryDisk } from '../support/run-bench.ts';

interface Played {
  readonly lines: string[];
  readonly asked: Record<string, unknown>[];
  readonly commands: string[];
  readonly disk: Disk;
}

type GateAnswer = { readonly text: string; readonly exit: number | null } | Error;

const yes: GateAnswer = { text: '{"decision":"ALLOW","allowed":true,"reason":"fine","audit_seq":7}\n', exit: 0 };

/** Plays ACT of one round. */
async function act(steps: readonly object[], gate: (action: Record<string, unknown>) => GateAnswer = () => yes, env: Record<string, string> = {}): Promise<Played> {
  const played: Played = { lines: [], asked: [], commands: [], disk: memoryDisk() };
  played.disk.replace('/p', '/p/a.txt', new TextEncoder().encode('one two two\n'), 0o644);
  const spawn: Spawn = {
    find: (program) => program,
    leave: () => undefined,
    endMarked: () => 0, endProcess: () => false,
    async run(request: SpawnRequest) {
      const end = { signal: null, timedOut: false, aborted: false, stderr: new Uint8Array(), stderrBytes: 0, durationMs: 1 };
      if (request.program !== 'gate') {
        played.commands.push(request.args[1] ?? '');
        return { ...end, exit: 3, stdout: new TextEncoder().encode('output\n'), stdoutBytes: 7 };
      }
      const action: Record<string, unknown> = JSON.parse(new TextDecoder().decode(request.input));
      played.asked.push(action);
      const answer = gate(action);
      if (answer instanceof Error) throw answer;
      return { ...end, exit: answer.exit, stdout: new TextEncoder().encode(answer.text), stdoutBytes: answer.text.length };
    },
  };
  await play({
    filename: 's.json', script: JSON.stringify({ version: 1, title: 't', rounds: [{ ACT: steps, VERIFY: { security: [{ verdict: 'approve' }] } }] }),
    env: { LOKI_HOOK: '["gate","--x"]', LOKI_PROJECT_DIR: '/p', LOKI_PHASE: 'ACT', LOKI_ROLE: 'agent', LOKI_ITERATION: '1', LOKI_SESSION_ID: 'ses_1', ...env },
    ports: { disk: played.disk, spawn, timers: { sleep: async () => undefined }, print: (line) => { played.lines.push(line); } },
  });
  return played;
}

function content(disk: Disk, path: string): string | undefined {
  const bytes = disk.read(path, 1000);
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}

test('an allowed write is asked with its content, done, and told without it', async () => {
  const { asked, disk, lines } = await act([{ write: 'dir/b.txt', content: ['first ', 'second'] }]);
  assert.deepEqual(asked, [
    { phase: 'pre', kind: 'fs.write', tool: 'write', file_path: 'dir/b.txt', content: 'first second', cwd: '/p', session_id: 'ses_1' },
    { phase: 'post', kind: 'fs.write', tool: 'write', file_path: 'dir/b.txt', ref: 7, outcome: { ok: true, bytes: 12 }, cwd: '/p', session_id: 'ses_1' },
  ]);
  assert.equal(content(disk, '/p/dir/b.txt'), 'first second');
  assert.deepEqual(JSON.parse(lines[0] ?? ''), { type: 'action', kind: 'fs.write', target: 'dir/b.txt', decision: 'ALLOW', reason: 'fine', ok: true, audit_seq: 7 });
});

const noes: readonly (readonly [string, GateAnswer, RegExp])[] = [
  ['denies', { text: '{"decision":"DENY","allowed":false,"reason":"no","audit_seq":1}', exit: 3 }, /^no$/],
  ['needs a person', { text: '{"decision":"REQUIRE_APPROVAL","allowed":false,"reason":"ask","audit_seq":1}', exit: 5 }, /^ask$/],
  ['says yes with a code that says no', { text: '{"decision":"ALLOW","allowed":true,"reason":"fine"}', exit: 3 }, /^fine$/],
  ['says no with a code that says yes', { text: '{"decision":"DENY","allowed":false,"reason":"no"}', exit: 0 }, /^no$/],
  ['says nothing', { text: '', exit: 0 }, /^the gate gave no verdict \(exit code 0\)$/],
  ['is killed', { text: '', exit: null }, /^the gate gave no verdict \(exit code none\)$/],
  ['answers with a list', { text: '[true]', exit: 0 }, /^the gate gave no verdict$/],
  ['answers with a word for true', { text: '{"allowed":"true","decision":"ALLOW"}', exit: 0 }, /^no reason given$/],
  ['cannot be started', new Error('ENOENT'), /^the gate could not be asked: ENOENT$/],
];
for (const [name, answer, reason] of noes) {
  test(`nothing happens when the gate ${name}`, async () => {
    const { commands, asked, lines, disk } = await act([{ run: 'rm -r everything' }, { delete: 'a.txt' }], () => answer);
    assert.deepEqual(commands, []);
    assert.equal(asked.length, 2, 'and nothing is told');
    assert.equal(content(disk, '/p/a.txt'), 'one two two\n');
    const said: { reason: string; ok: unknown } = JSON.parse(lines[0] ?? '');
    assert.match(said.reason, reason);
    assert.equal(said.ok, null);
  });
}

test('a command runs when allowed, and its exit code and output are told', async () => {
  const { commands, asked, lines } = await act([{ run: ['make ', 'it'] }]);
  assert.deepEqual(commands, ['make it']);
  assert.deepEqual(asked[1]?.['outcome'], { ok: false, exit: 3, bytes: 7 });
  assert.equal(lines[1], 'output');
});

test('an edit changes the first place only, and takes the replacement as it is', async () => {
  const { disk, asked } = await act([{ edit: 'a.txt', find: 'two', replace: '$& $1' }]);
  assert.equal(content(disk, '/p/a.txt'), 'one $& $1 two\n');
  assert.equal(asked[0]?.['content'], 'one $& $1 two\n', 'the gate sees the whole file as it will be');
});

test('an edit that adds to what it finds is done once, however often it is played', async () => {
  const step = { edit: 'a.txt', find: 'two two', replace: 'two two three' };
  const { disk, asked, lines } = await act([step, step]);
  assert.equal(content(disk, '/p/a.txt'), 'one two two three\n');
  assert.deepEqual(asked.map(({ phase }) => phase), ['pre', 'post']);
  assert.equal(JSON.parse(lines[1] ?? '').message, 'a.txt has the change already');
});

test('an edit that is done already, or cannot be done, asks for nothing and goes on', async () => {
  const { asked, lines } = await act([{ edit: 'a.txt', find: 'three', replace: 'one' }, { edit: 'a.txt', find: 'three', replace: 'four' }, { edit: 'none.txt', find: 'x', replace: 'y' }, { say: 'end' }]);
  assert.deepEqual(asked, []);
  assert.deepEqual(lines.slice(0, 3).map((line): unknown => Reflect.get(JSON.parse(line), 'message')), [
    'a.txt has the change already', 'Cannot edit a.txt: the text to change is not there', 'Cannot edit none.txt: Cannot read "none.txt": there is no such file',
  ]);
  assert.equal(lines[3], 'end');
});

test('an action that fails is told as failed', async () => {
  const { asked } = await act([{ read: 'none.txt' }]);
  assert.deepEqual(asked[1]?.['outcome'], { ok: false });
});

test('a gate that cannot be told is reported, and the work goes on', async () => {
  const { lines } = await act([{ read: 'a.txt' }, { say: 'end' }], (action) => (action['phase'] === 'pre' ? yes : { text: '', exit: 2 }));
  assert.match(lines[0] ?? '', /The gate could not be told what came of it: exit code 2/);
  assert.equal(lines.at(-1), 'end');
});

test('once it is to end, the step at hand is ended and no further one is played', async () => {
  const controller = new AbortController();
  const printed: string[] = [];
  const spawn: Spawn = {
    find: (program) => program,
    leave: () => undefined,
    endMarked: () => 0, endProcess: () => false,
    run: (request) => new Promise((resolve) => {
      request.signal?.addEventListener('abort', () => resolve({ exit: null, signal: 'SIGTERM', timedOut: false, aborted: true, stdout: new Uint8Array(), stderr: new Uint8Array(), stdoutBytes: 0, stderrBytes: 0, durationMs: 1 }));
      controller.abort();
    }),
  };
  await play({
    filename: 's', script: '{"version":1,"title":"t","rounds":[{"ACT":[{"run":"sleep 60"},{"say":"never"}]}]}', signal: controller.signal,
    env: { LOKI_HOOK: '["gate"]', LOKI_PROJECT_DIR: '/p' }, ports: { disk: memoryDisk(), spawn, timers: { sleep: async () => undefined }, print: (line) => { printed.push(line); } },
  });
  assert.equal(printed.length, 1);
  assert.match(printed[0] ?? '', /the gate gave no verdict/);
});

test('a reviewer plays its own steps and repeats the id of the review', async () => {
  const { lines } = await act([{ say: 'not me' }], () => yes, { LOKI_PHASE: 'VERIFY', LOKI_ROLE: 'security', LOKI_REVIEW_ID: 'abc' });
  assert.deepEqual(lines.map((line): unknown => JSON.parse(line)), [{ type: 'verdict', review: 'abc', verdict: 'approve', reason: '' }]);
});

test('without a gate to ask, or a project to work in, nothing is played', async () => {
  await assert.rejects(act([{ say: 'x' }], () => yes, { LOKI_HOOK: '' }), { code: 'usage', message: 'Cannot play a script: LOKI_HOOK is not JSON' });
  await assert.rejects(act([{ say: 'x' }], () => yes, { LOKI_HOOK: '[]' }), { code: 'usage', message: 'Cannot play a script: LOKI_HOOK is not a list of texts' });
  await assert.rejects(act([{ say: 'x' }], () => yes, { LOKI_PROJECT_DIR: 'relative' }), { code: 'usage', message: 'Cannot play a script: LOKI_PROJECT_DIR names no absolute directory' });
});

test('rounds beyond the last play the last again', () => {
  const script = readScript('{"version":1,"title":"t","rounds":[{"ACT":[{"say":"1"}]},{"ACT":[{"say":"2"}]}]}', 's');
  const said = [0, 1, 2, 3, Number.NaN].map((round) => stepsFor(script, round, 'ACT', 'agent')[0]);
  assert.deepEqual(said, ['1', '1', '2', '2', undefined].map((text) => (text === undefined ? undefined : { does: 'say', text })));
});

const mistakes: readonly (readonly [string, string])[] = [
  ['{', `Expected property name or '}' in JSON at position 1`],
  ['[]', 'in the script: it is not an object'],
  ['{"version":2,"title":"t","rounds":[]}', 'in the script: "version" is not 1'],
  ['{"version":1,"title":"t","rounds":[]}', 'in the script: it has no round'],
  ['{"version":1,"titel":"t","rounds":[]}', 'in the script: unknown member "titel" (did you mean "title"?)'],
  ['{"version":1,"title":"t","rounds":[{"ACTS":[]}]}', 'in the script rounds[0]: unknown member "ACTS" (did you mean "ACT"?)'],
  ['{"version":1,"title":"t","rounds":[{"ACT":[{"wirte":"x"}]}]}', 'in the script rounds[0] ACT [0]: it does none of say, task, usage, verdict, read, write, edit, delete, run, wait (did you mean "write"?)'],
  ['{"version":1,"title":"t","rounds":[{"ACT":[{"write":"x"}]}]}', 'in the script rounds[0] ACT [0]: "content" is not text'],
  ['{"version":1,"title":"t","rounds":[{"ACT":[{"write":"x","content":"","lines":[]}]}]}', 'in the script rounds[0] ACT [0]: "content" and "lines" exclude each other'],
  ['{"version":1,"title":"t","rounds":[{"ACT":[{"run":"x","say":"y"}]}]}', 'in the script rounds[0] ACT [0]: unknown member "say"'],
  ['{"version":1,"title":"t","rounds":[{"VERIFY":{"a":[{"verdict":"maybe"}]}}]}', 'in the script rounds[0] VERIFY.a [0]: "verdict" is none of approve, reject'],
  ['{"version":1,"title":"t","rounds":[{"ACT":[{"usage":{"input_tokens":-1,"output_tokens":0}}]}]}', 'in the script rounds[0] ACT [0]: "input_tokens" is not a whole number from 0'],
];
for (const [text, found] of mistakes) {
  test(`a script is refused with the place: ${found.slice(0, 60)}`, () => {
    assert.throws(() => readScript(text, 's.json'), (error: Error & { code?: string }) => error.code === 'usage' && error.message.startsWith(`Cannot read script "s.json": ${found}`));
  });
}

test('a script of any size is bounded', () => {
  assert.throws(() => readScript(' '.repeat(1024 * 1024 + 1), 's'), { code: 'usage' });
  const rounds = JSON.stringify(Array.from({ length: 101 }, () => ({})));
  assert.throws(() => readScript(`{"version":1,"title":"t","rounds":${rounds}}`, 's'), { message: 'Cannot read script "s": in the script: "rounds" has 101 entries, at most 100 are read' });
});

test('the walk-through that stands in for an agent is a script, and leaves nothing behind', () => {
  const script = readScript(readFileSync(fixture('scripted', 'walk-through.json'), 'utf8'), 'walk-through');
  const steps = stepsFor(script, 1, 'ACT', 'agent');
  const written = steps.flatMap((step) => (step.does === 'write' && !step.path.startsWith('.loki/') ? [step.path] : []));
  assert.deepEqual(written, steps.flatMap((step) => (step.does === 'delete' ? [step.path] : [])));
  assert.equal(stepsFor(script, 9, 'VERIFY', 'whoever').length, 2);
});
