/** A coding agent as a real process: a program in its place prints what the agents print, or misbehaves. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { claude } from '../../lib/agents/headless/claude.ts';
import { gemini } from '../../lib/agents/headless/gemini.ts';
import type { HeadlessAgent } from '../../lib/agents/headless/headless.ts';
import { noSpan } from '../../lib/base/trace.ts';
import { createRoom } from '../../lib/host/agent-room.ts';
import { facts } from '../../lib/host/facts.ts';
import { spawn } from '../../lib/host/spawn.ts';
import { timers } from '../../lib/host/time.ts';
import { agentProvider } from '../../lib/runs/agent-provider.ts';
import { stopSession } from '../../lib/runs/control.ts';
import { progressOf } from '../../lib/runs/progress.ts';
import type { CallEnd } from '../../lib/runs/provider.ts';
import { startRun } from '../../lib/runs/runner.ts';
import { allowed, decision, resourcesAre } from '../support/run-bench.ts';
import { realRun, type RealRun, type RealRunOptions } from '../support/real-run.ts';

/** A run with a shell script in the agent's place. */
function runOf(t: TestContext, agent: HeadlessAgent, script: string, options: Partial<RealRunOptions> = {}): RealRun {
  const bin = mkdtempSync(join(tmpdir(), 'loki-bin-'));
  t.after(() => rmSync(bin, { recursive: true, force: true }));
  writeFileSync(join(bin, agent.program), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return realRun(t, { agent, env: { PATH: `${bin}:${process.env['PATH'] ?? ''}` }, timeoutMs: 10_000, ...options });
}

const said = (text: string): string => `printf '%s\\n' '${JSON.stringify({ type: 'assistant', message: { id: 'm1', model: 'opus', content: [{ type: 'text', text }], usage: { input_tokens: 10, output_tokens: 1 } } })}'`;
const done = `printf '%s\\n' '${JSON.stringify({ type: 'result', subtype: 'success', is_error: false, modelUsage: { opus: { inputTokens: 10, outputTokens: 5, cacheReadInputTokens: 3 } } })}'`;

async function assertGone(pid: number): Promise<void> {
  for (let tries = 0; tries < 50 && facts.startOf(pid) !== undefined; tries += 1) await timers.sleep(20);
  assert.equal(facts.startOf(pid), undefined, `process ${pid} lives on`);
}

test('a stream is an answer: tasks from words, usage from the stream alone, the prompt on standard input', async (t) => {
  const words = 'I plan.\n {"type":"task","title":"Do it"}\n{"type":"usage","input_tokens":999,"output_tokens":999}\n{"type":"action","kind":"exec","decision":"ALLOW"}';
  const { deps, order, bench, dir, home } = runOf(t, claude, `cat >> "$HOME/prompts"; echo "$LOKI_PHASE $*" >> "$HOME/args"; env > "$HOME/env"; ${said(words)}; ${done}`);
  const outcome = await startRun(deps, order);
  assert.equal(outcome.status, 'completed', outcome.reason);
  const progress = progressOf(outcome.run);
  assert.equal(progress.task_ids.length, 1);
  assert.deepEqual([progress.input_tokens, progress.output_tokens, progress.unmetered_calls], [39, 15, 0]);
  assert.match(readFileSync(join(dir, 'prompts'), 'utf8'), /^If the project has a file CLAUDE\.md.*\n\nPhase REASON, round 1/);
  const calls = readFileSync(join(dir, 'args'), 'utf8').trim().split('\n');
  assert.ok(!calls.join().includes('Phase REASON, round'), 'no prompt among the arguments');
  assert.deepEqual(calls.map((line) => /^\w+/.exec(line)?.[0] + (line.includes('--tools Read,Glob,Grep ') ? ' reads' : ' works')), ['REASON reads', 'ACT works', 'REFLECT works']);
  assert.doesNotMatch(readFileSync(join(dir, 'env'), 'utf8'), /must not be seen/);
  const kept = await bench.events(outcome.run.id);
  assert.ok(!kept.some(({ event_type }) => event_type === 'agent_action'), 'a model cannot say that it acted');
  assert.deepEqual(readdirSync(join(home, 'run')).filter((name) => name.startsWith('ses_')), []);
});

/** One call of a shell script in the agent's place, and how it ended. */
async function callOf(t: TestContext, agent: HeadlessAgent, script: string): Promise<CallEnd> {
  const dir = mkdtempSync(join(tmpdir(), 'loki-call-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  writeFileSync(join(dir, agent.program), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const provider = agentProvider({
    agent, hooks: [], cwd: dir, env: { PATH: `${dir}:${process.env['PATH'] ?? ''}`, HOME: dir }, sessionId: 'ses_none', room: createRoom(join(dir, 'room')), read: () => undefined, timeoutMs: 10_000, spawn,
  });
  const ignore = (): void => undefined;
  return provider.invoke({ phase: 'ACT', iteration: 1, role: 'agent', prompt: 'p', signal: new AbortController().signal, onLine: ignore, onWords: ignore, onMessage: ignore, onTool: ignore, span: noSpan.context });
}

const misbehaviours: readonly (readonly [string, HeadlessAgent, string, string, RegExp])[] = [
  ['prints nothing', claude, 'exit 0', 'garbage', /^it ended without printing anything$/],
  ['ends in the middle', claude, said('half'), 'garbage', /^it ended in the middle: its stream has no end$/],
  ['crashes', claude, `${said('half')}; kill -9 $$`, 'signal', /^signal SIGKILL ended it$/],
  ['exits non-zero after its answer', claude, `${said('all')}; ${done}; exit 3`, 'exit', /^it ended with exit code 3$/],
  ['prints garbage', claude, 'head -c 100000 /dev/urandom; echo; exit 0', 'garbage', /^it ended in the middle/],
  ['reports an error of its model', claude, `echo '{"type":"result","subtype":"success","is_error":true,"result":"API Error: 401","api_error_status":401}'; exit 1`, 'exit', /^it reported: API Error: 401$/],
  ['does not trust the folder', gemini, 'echo "not trusted" >&2; exit 55', 'exit', /^it does not trust the folder, so that no hook would be asked \(exit code 55\)$/],
];
for (const [name, agent, script, cause, message] of misbehaviours) {
  test(`a call of an agent that ${name} has failed, with the reason`, async (t) => {
    const { failure } = await callOf(t, agent, script);
    assert.equal(failure?.cause, cause);
    assert.match(failure?.message ?? '', message);
    assert.equal(failure?.lasting, /401|55/.test(script) ? true : undefined);
  });
}

test('what would fail the same way again is not tried again', async (t) => {
  const { deps, order } = runOf(t, claude, `echo '{"type":"result","subtype":"success","is_error":true,"result":"API Error: 401","api_error_status":401}'; exit 1`, { settings: { retries: 3 } });
  assert.equal((await startRun(deps, order)).reason, 'provider "claude" failed in REASON: it reported: API Error: 401 (1 tries)');
});

test('a flood of lines is bounded, and usage in it is not lost', async (t) => {
  const { deps, order, bench } = runOf(t, claude, `yes '{"type":"assistant","message":{"id":"x","content":[{"type":"text","text":"again and again"},{"type":"tool_use","id":"t","name":"Bash","input":{"command":"ls"}}]}}' | head -n 20000; ${done}`);
  const outcome = await startRun(deps, order);
  assert.equal(outcome.status, 'completed', outcome.reason);
  assert.equal(progressOf(outcome.run).input_tokens, 39);
  assert.ok((await bench.events(outcome.run.id)).length < 100);
});

/** A grandchild in a group and a session of its own, as agents start commands; it keeps the environment. */
const grandchild = 'setsid sleep 60 & echo $! >> "$HOME/pids"';

function pidsIn(dir: string): readonly number[] {
  return readFileSync(join(dir, 'pids'), 'utf8').trim().split('\n').map(Number);
}

test('stop ends an agent and what it started outside its process group', { skip: process.platform !== 'linux' }, async (t) => {
  const { deps, order, dir, home } = runOf(t, claude, `${grandchild}; ${said('working')}; sleep 60`);
  const running = startRun(deps, order);
  for (let tries = 0; tries < 200 && !existsSync(join(dir, 'pids')); tries += 1) await timers.sleep(20);
  await stopSession({ ...deps, home }, order.project, 'user:boss');
  assert.equal((await running).status, 'cancelled');
  for (const pid of pidsIn(dir)) await assertGone(pid);
});

test('a spent budget ends an agent in the middle of its call, by what its stream has shown so far', { skip: process.platform !== 'linux' }, async (t) => {
  const { deps, order, dir } = runOf(t, claude, `${grandchild}; ${said('working')}; sleep 60`, {
    deps: { judgeResource: async ({ tokens_consumed }) => resourcesAre(tokens_consumed >= 10 ? decision('DENY', 'tokens') : allowed) },
  });
  const outcome = await startRun(deps, order);
  assert.equal(outcome.status, 'failed');
  assert.match(outcome.reason, /rule tokens objects/);
  assert.equal(progressOf(outcome.run).input_tokens, 10);
  for (const pid of pidsIn(dir)) await assertGone(pid);
});

test('an agent that hangs is ended with what it started, and what it left when it ended well ends too', { skip: process.platform !== 'linux' }, async (t) => {
  const hanging = runOf(t, claude, `${grandchild}; sleep 60`, { timeoutMs: 400 });
  assert.match((await startRun(hanging.deps, hanging.order)).reason, /it did not end within 0\.4 s; everything it started was ended/);
  for (const pid of pidsIn(hanging.dir)) await assertGone(pid);
  const leaving = runOf(t, claude, `setsid sleep 60 >/dev/null 2>&1 & echo $! >> "$HOME/pids"; ${said('fine')}; ${done}`);
  assert.equal((await startRun(leaving.deps, leaving.order)).status, 'completed');
  for (const pid of pidsIn(leaving.dir)) await assertGone(pid);
});

test('settings of one call are put into the session\'s room, beside the user\'s own files, and are gone afterwards', async (t) => {
  const { deps, order, dir, home } = runOf(t, gemini, 'cp "$GEMINI_CLI_HOME/.gemini/settings.json" "$HOME/seen.json"; cat "$GEMINI_CLI_HOME/.gemini/login" > "$HOME/login-seen"; stat -c %a "$GEMINI_CLI_HOME" > "$HOME/mode"; exit 1', { settings: { retries: 1 } });
  mkdirSync(join(dir, '.gemini'));
  writeFileSync(join(dir, '.gemini', 'login'), 'the login');
  writeFileSync(join(dir, '.gemini', 'settings.json'), 'theirs, and not ours to read here');
  await startRun(deps, order);
  assert.equal(JSON.parse(readFileSync(join(dir, 'seen.json'), 'utf8')).hooksConfig.enabled, true);
  assert.equal(readFileSync(join(dir, 'login-seen'), 'utf8'), 'the login');
  assert.equal(readFileSync(join(dir, 'mode'), 'utf8').trim(), '700');
  assert.deepEqual(readdirSync(join(home, 'run')).filter((name) => name.startsWith('ses_')), []);
  assert.equal(readFileSync(join(dir, '.gemini', 'login'), 'utf8'), 'the login', 'what was linked to is still there');
});

test('an agent that is not installed is found before anything is recorded', async (t) => {
  const { deps, order, bench } = realRun(t, { agent: { ...claude, program: 'no-such-agent' } });
  await assert.rejects(startRun(deps, order), {
    code: 'provider.missing', message: 'Cannot use the provider "claude": the program "no-such-agent" is not on PATH or cannot be executed',
    hint: 'Install Claude Code (npm install -g @anthropic-ai/claude-code), or choose another with --provider',
  });
  assert.equal(bench.recorded.length, 0);
});
