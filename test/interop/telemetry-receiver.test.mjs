/**
 * A receiver of OTLP that is none of ours, Genkit's, takes what real commands send, and shows it: a governed session, and an agent's hooks. It comes from
 * test/interop/telemetry; without it this is skipped, and says so.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const loki = join(here, '../../dist/cli/loki.cjs');
const skip = existsSync(join(here, 'telemetry/node_modules/@genkit-ai')) ? false : 'SKIPPED: Genkit\'s receiver is not installed; run: npm install --prefix test/interop/telemetry';
if (skip) console.error(skip);
const timeout = 180_000;

const script = {
  version: 1, title: 'seen by a receiver',
  rounds: [{ REASON: [{ task: 'Say it' }], ACT: [{ write: 'said.txt', lines: ['it'] }, { run: 'git push --force' }], VERIFY: { correctness: [{ verdict: 'approve', reason: 'It is said' }] } }],
};
const config = 'runs:\n  gates: [{name: said, command: "test -e said.txt", timeout: 10}]\n  council: {reviewers: [correctness], required: 1}\n  max_iterations: 1\n  branch_protection: false\n';
const policy = 'version: 1\npolicies:\n  pre_execution:\n    - name: no-force-push\n      when: \'command matches "*--force*"\'\n      action: deny\n';

async function until(what, isSo) {
  for (const end = performance.now() + 60_000; ;) {
    const found = await isSo().catch(() => undefined);
    if (found) return found;
    if (performance.now() > end) assert.fail(`not within a minute: ${what}`);
    await delay(100);
  }
}

/** `file`: the endpoint stands in the configuration, which is all that whoever hooks leave behind goes by. */
async function ground(t, file) {
  const work = realpathSync(mkdtempSync(join(tmpdir(), 'loki-receiver-')));
  t.after(() => rmSync(work, { recursive: true, force: true, maxRetries: 5 }));
  const port = await freePort();
  for (const folder of ['store', 'home', 'loki', 'project/.loki']) mkdirSync(join(work, folder), { recursive: true });
  const server = spawn(process.execPath, ['genkit.mjs', String(port), join(work, 'store')], { cwd: join(here, 'telemetry'), stdio: 'ignore', timeout });
  t.after(async () => {
    if (server.exitCode !== null) return;
    server.kill('SIGKILL');
    await once(server, 'exit');
  });
  const url = `http://127.0.0.1:${port}`;
  const get = async (path) => (await fetch(`${url}/api/${path}`)).json();
  await until('the receiver answers', async () => (await fetch(`${url}/api/__health`)).ok);
  writeFileSync(join(work, 'project/PRD.md'), '# Say it\n');
  writeFileSync(join(work, 'project/.loki/policies.yaml'), policy);
  const endpoint = `${url}/api/otlp`;
  writeFileSync(join(work, 'loki/config.yaml'), file ? `enterprise: {telemetry: {endpoint: '${endpoint}'}}\n` : config);
  writeFileSync(join(work, 'script.json'), JSON.stringify(script));
  const env = { PATH: process.env.PATH, HOME: join(work, 'home'), LOKI_HOME: join(work, 'loki'), NO_COLOR: '1', ...(file ? {} : { LOKI_OTEL_ENDPOINT: endpoint }) };
  const run = (args, input) => spawnSync(process.execPath, [loki, ...args], { cwd: join(work, 'project'), env, input, encoding: 'utf8', timeout: 60_000 });
  return { run, get, script: join(work, 'script.json'), project: join(work, 'project') };
}

/** The trace that has such a span at its root, with so many spans at least. The list shows roots alone. */
async function whole(get, root, count) {
  const { traceId } = await until(`${root} is listed`, async () => (await get('traces')).traces.find(({ spans }) => Object.values(spans).some(({ displayName }) => displayName === root)));
  return until('all of it is there', async () => {
    const all = await get(`traces/${traceId}`);
    return Object.keys(all.spans).length >= count && all;
  });
}

/** Names of a trace's spans, each below its parent. */
function tree({ spans }) {
  const all = Object.values(spans);
  const below = (parent) => all.filter(({ parentSpanId }) => (parentSpanId ?? '') === parent).sort((a, b) => a.startTime - b.startTime).map(({ displayName, spanId }) => [displayName, ...below(spanId)]);
  return below('');
}

test('a governed session is one trace, with its decisions', { skip, timeout }, async (t) => {
  const { run, get, script: path } = await ground(t, false);
  const { status, stdout, stderr } = run(['start', 'PRD.md', '--script', path]);
  assert.equal(status, 0, stdout + stderr);
  const trace = await whole(get, 'project', 20);
  const [[root, ...inside]] = tree(trace);
  assert.equal(root, 'project');
  t.diagnostic(JSON.stringify(tree(trace)));
  const names = JSON.stringify(inside);
  for (const name of ['task', 'rarv.reason', 'rarv.act', 'rarv.verify', 'quality_gate.said', 'council.correctness', 'policy.evaluate', 'audit.append']) assert.ok(names.includes(`"${name}"`), `${name} is among ${names}`);
  const denied = Object.values(trace.spans).find(({ attributes }) => attributes['error.type'] === 'denied');
  assert.deepEqual([denied.attributes['loki.policy.rule'], denied.attributes['loki.policy.decision'], denied.status.code], ['no-force-push', 'DENY', 2]);
  const logs = await until('its log records are listed', async () => {
    const { logs: found } = await get(`traces/${trace.traceId}/logs`);
    return found.some(({ body }) => body === 'policy.deny: no-force-push') && found;
  });
  assert.ok(logs.every(({ attributes }) => Number.isInteger(Number(attributes['loki.audit.seq']))));
});

test('hooks of one session are one trace, though nobody but they was there', { skip, timeout }, async (t) => {
  const { run, get, project } = await ground(t, true);
  assert.equal(run(['init', '--yes']).status, 0);
  const about = { session_id: 'session-of-interop', transcript_path: '/nowhere', cwd: project, permission_mode: 'default' };
  const hook = (event, more = {}) => run(['hook', 'claude'], JSON.stringify({ ...about, hook_event_name: event, ...more }));
  const call = (id, command) => ({ tool_name: 'Bash', tool_input: { command }, tool_use_id: id });
  hook('SessionStart', { source: 'startup' });
  hook('PreToolUse', call('toolu_1', 'ls'));
  hook('PostToolUse', { ...call('toolu_1', 'ls'), tool_response: { stdout: '', stderr: '' } });
  hook('PreToolUse', call('toolu_2', 'git push --force'));
  hook('SessionEnd', { reason: 'exit' });
  const trace = await whole(get, 'agent.claude.session', 7);
  t.diagnostic(JSON.stringify(tree(trace)));
  const [[root, ...calls]] = tree(trace);
  assert.equal(root, 'agent.claude.session');
  assert.deepEqual(calls.map(([name, ...inside]) => [name, inside.flat().sort()]), [['execute_tool Bash', ['audit.append', 'policy.evaluate']], ['execute_tool Bash', ['audit.append', 'policy.evaluate']]]);
});
