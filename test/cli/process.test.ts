/** What only a real process shows: signals, pipes that close, large input. */
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, openSync, closeSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { test } from 'node:test';
import { lokiProgram } from '../support/story.ts';

const started: ReturnType<typeof start>[] = [];

function inHome(use: (home: string, env: Record<string, string>) => Promise<void>): () => Promise<void> {
  return async () => {
    const home = realpathSync(mkdtempSync(join(tmpdir(), 'loki-process-')));
    try {
      await use(home, { PATH: process.env['PATH'] ?? '', HOME: home, LOKI_HOME: join(home, 'records') });
    } finally {
      // A test that failed in the middle must not leave what keeps its own process alive.
      for (const child of started.splice(0)) child.kill('SIGKILL');
      rmSync(home, { recursive: true, force: true });
    }
  };
}

function start(env: Record<string, string>, cwd: string, ...args: string[]): ChildProcessByStdio<Writable, Readable, Readable> {
  const child = spawn(process.execPath, [...lokiProgram, ...args], { env, cwd, stdio: ['pipe', 'pipe', 'pipe'] });
  started.push(child);
  return child;
}

function ended(child: ReturnType<typeof start>): Promise<number | null> {
  return new Promise((resolve) => { child.once('exit', (code) => resolve(code)); });
}

function lineOf(child: ReturnType<typeof start>, wanted: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      if (wanted.test(text)) resolve();
    });
    child.stdout.once('end', () => reject(new Error(`the output ended without ${String(wanted)}: ${text}`)));
  });
}

function entry(seq: number): string {
  return `{"seq":${seq},"timestamp":"2026-02-15T14:30:00.000Z","event":"run.start","level":"info","actor":"user:a","details":{"pad":"${'x'.repeat(300)}"},"metadata":{},"chain_hash":"${'0'.repeat(64)}"}\n`;
}

function writeLog(env: Record<string, string>, entries: number): string {
  const directory = join(env['LOKI_HOME'] ?? '', 'dashboard/audit');
  mkdirSync(directory, { recursive: true });
  const file = join(directory, 'audit-2026-02-15.jsonl');
  writeFileSync(file, Array.from({ length: entries }, (_, at) => entry(at + 1)).join(''));
  return file;
}

test('following the log shows new entries, and Ctrl-C ends it with 130', inHome(async (home, env) => {
  const file = writeLog(env, 1);
  const child = start(env, home, 'enterprise', 'audit', 'tail', '--follow', '--json');
  await lineOf(child, /"seq":1,/);
  appendFileSync(file, entry(2));
  await lineOf(child, /"seq":2,/);
  child.kill('SIGINT');
  assert.equal(await ended(child), 130);
}));

test('a reader that goes away ends the output quietly', inHome(async (home, env) => {
  writeLog(env, 3000);
  const child = start(env, home, 'enterprise', 'audit', 'tail', '-n', '3000');
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => { stderr += chunk.toString('utf8'); });
  child.stdout.once('data', () => child.stdout.destroy());
  assert.equal(await ended(child), 0);
  assert.equal(stderr, '');
}));

test('a reader that goes away ends following', inHome(async (home, env) => {
  const file = writeLog(env, 1);
  const child = start(env, home, 'enterprise', 'audit', 'tail', '--follow');
  await lineOf(child, /run\.start/);
  child.stdout.destroy();
  appendFileSync(file, entry(2));
  assert.equal(await ended(child), 0);
}));

test('the dashboard serves until Ctrl-C, and then ends with 0', inHome(async (home, env) => {
  const child = start(env, home, 'dashboard', '--port', '0');
  await lineOf(child, /listens on http:\/\/127\.0\.0\.1:\d+\n/);
  child.kill('SIGINT');
  assert.equal(await ended(child), 0);
}));

test('a dashboard that was killed is told apart from one that runs, beside which there is no other', inHome(async (home, env) => {
  const status = (...args: string[]): { readonly status: number | null; readonly stderr: string } => spawnSync(process.execPath, [...lokiProgram, 'dashboard', ...args], { env, cwd: home, encoding: 'utf8' });
  const killed = start(env, home, 'dashboard', '--port', '0');
  await lineOf(killed, /listens on/);
  killed.kill('SIGKILL');
  await ended(killed);
  const silent = status('status');
  assert.deepEqual([silent.status, silent.stderr], [8, 'error: Cannot find the control plane: none runs that has written down its address\nhint: Start it with: loki dashboard\n']);
  const running = start(env, home, 'dashboard', '--port', '0');
  await lineOf(running, /listens on/);
  const second = status('--port', '0');
  assert.equal(second.status, 8);
  assert.match(second.stderr, /^error: .*: a control plane of this LOKI_HOME runs already at http:/);
  running.kill('SIGINT');
  assert.equal(await ended(running), 0);
}));

test('a result that cannot be written is a failure, and a verdict that cannot is a no', async (t) => {
  if (!existsSync('/dev/full')) return t.diagnostic('/dev/full is not here: it was not tested');
  await inHome(async (home, env) => {
    const full = openSync('/dev/full', 'w');
    try {
      const run = (...args: string[]): { readonly status: number | null; readonly stderr: string } =>
        spawnSync(process.execPath, [...lokiProgram, ...args], { env, cwd: home, input: '{"kind":"exec","command":"ls"}', stdio: ['pipe', full, 'pipe'], encoding: 'utf8' });
      for (const args of [['version'], ['--help'], ['enterprise', 'status', '--all']]) {
        const { status, stderr } = run(...args);
        assert.equal(status, 1, args.join(' '));
        assert.match(stderr, /^error: Cannot write the result to standard output: ENOSPC: .*\nhint: /);
      }
      const verdict = run('hook', 'generic');
      assert.equal(verdict.status, 2, verdict.stderr);
      assert.match(verdict.stderr, /error: Cannot write the result/);
      assert.equal(run('no-such-command').status, 2, 'a failure keeps its own exit code');
    } finally {
      closeSync(full);
    }
  })();
});

test('an action larger than its bound is a no', inHome(async (home, env) => {
  const input = JSON.stringify({ kind: 'fs.write', file_path: 'x', content: 'a'.repeat(17 * 1024 * 1024) });
  const { status, stdout } = spawnSync(process.execPath, [...lokiProgram, 'hook', 'generic'], { env, cwd: home, input, encoding: 'utf8' });
  assert.equal(status, 2);
  assert.equal(stdout, '{"decision":"DENY","allowed":false,"reason":"Cannot read the action: it is longer than 16777216 bytes","audit_seq":null}\n');
}));

test('bytes that are not UTF-8 are a no', inHome(async (home, env) => {
  const { status, stdout } = spawnSync(process.execPath, [...lokiProgram, 'hook', 'generic'], { env, cwd: home, input: Buffer.from([0x7b, 0xff, 0x7d]), encoding: 'utf8' });
  assert.equal(status, 2);
  assert.match(stdout, /"reason":"Cannot read the action: it is not UTF-8"/);
}));
