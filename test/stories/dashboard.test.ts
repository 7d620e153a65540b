/** The control plane as a process: in the background, under load while it ends, killed, and never mistaken for another process. */
import assert from 'node:assert/strict';
import * as http from 'node:http';
import { createServer } from 'node:net';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isPlainObject, objectIn, type JsonObject } from '../../lib/base/json.ts';
import { streamApi } from '../../lib/host/api-client.ts';
import { facts } from '../../lib/host/facts.ts';
import { timers } from '../../lib/host/time.ts';
import { makeGround, until, type Ground } from '../support/ground.ts';

const unlimited = { LOKI_API_RATE_LIMIT: '0' };

async function background(here: Ground, ...args: readonly string[]): Promise<{ readonly url: string; readonly pid: number }> {
  const { exit, stdout, stderr } = await here.loki(['dashboard', 'start', '--detach', '--port', '0', '--json', ...args], { env: unlimited });
  assert.equal(exit, 0, stderr);
  return JSON.parse(stdout);
}

const objectOf = (text: string): JsonObject => objectIn(text) ?? assert.fail(text);

/** How one request went: whole, with what its answer says; `none` when there was no byte of an answer; `cut` when there was part of one. */
interface Outcome {
  readonly kind: 'whole' | 'none' | 'cut';
  readonly id?: string;
  readonly closes?: boolean;
}

function ask(url: string, agent: http.Agent | false): Promise<Outcome> {
  return new Promise((resolve) => {
    let answered = false;
    const request = http.get(`${url}/api/runs`, { agent }, (answer) => {
      answered = true;
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => { text += part; });
      answer.on('end', () => resolve({ kind: answer.complete && text === '[]' && answer.statusCode === 200 ? 'whole' : 'cut', id: String(answer.headers['x-request-id']), closes: answer.headers.connection === 'close' }));
      answer.on('error', () => resolve({ kind: 'cut' }));
    });
    request.on('error', () => { if (!answered) resolve({ kind: 'none' }); });
  });
}

/** Asks again and again until nobody answers. */
async function load(url: string, agent: http.Agent | false, outcomes: Outcome[]): Promise<void> {
  for (let misses = 0; misses < 5;) {
    const outcome = await ask(url, agent);
    outcomes.push(outcome);
    misses = outcome.kind === 'none' ? misses + 1 : 0;
    await timers.sleep(10);
  }
}

test('under load it ends in order: every request is answered whole or not at all, and what was answered is on record', async (t) => {
  const here = makeGround(t);
  here.write('home/config.yaml', 'enterprise: {server: {drain: 1s}}\n');
  t.after(() => here.loki(['dashboard', 'stop', '--force']));
  const { url, pid } = await background(here);
  const status = objectOf((await here.loki(['dashboard', 'status', '--json'])).stdout);
  assert.deepEqual([status['url'], status['pid'], status['ready'], status['authentication'], status['tls'], status['event_streams'], status['socket']], [url, pid, true, 'off', false, 0, join(here.home, 'run/loki.sock')]);
  assert.match((await here.loki(['dashboard', 'status'])).stdout, new RegExp(`runs at ${url}\n  process +${pid}\n  since +\\d{4}-.*\n  version +\\d`));
  assert.equal(statSync(join(here.home, 'run/dashboard.log')).mode & 0o777, 0o600);

  const lines: string[] = [];
  const reading = (async () => { for await (const line of await streamApi({ base: url, method: 'GET', path: '/api/events', timeoutMs: 5000 })) lines.push(line); })();
  const agents = Array.from({ length: 4 }, () => new http.Agent({ keepAlive: true, maxSockets: 1 }));
  const asked = [...agents, false as const, false as const].map((agent) => ({ agent, outcomes: [] as Outcome[] }));
  const asking = asked.map(({ agent, outcomes }) => load(url, agent, outcomes));
  await until('it is under load', () => asked.every(({ outcomes }) => outcomes.length > 5));
  const ended = here.loki(['dashboard', 'stop']);
  let told = 0;
  await until('it says that it will end', async () => {
    told = await fetch(`${url}/health/ready`, { headers: { connection: 'close' } }).then((answer) => answer.status, () => 0);
    return told !== 200;
  });
  assert.equal(told, 503, 'and still takes connections');
  await Promise.all(asking);
  const outcomes = asked.flatMap((one) => one.outcomes);
  assert.deepEqual([(await ended).exit, facts.startOf(pid)], [0, undefined]);
  for (const agent of agents) agent.destroy();
  assert.equal(outcomes.filter(({ kind }) => kind === 'cut').length, 0);
  const whole = outcomes.filter(({ kind }) => kind === 'whole');
  assert.ok(whole.length > 30, String(whole.length));
  assert.ok(asked.every(({ agent, outcomes: own }) => agent === false || (own[0]?.closes === false && own.some(({ closes }) => closes === true))), 'connections are kept, until it drains');
  // Each loop ends with five requests that nobody answered; one more each may have met the end itself.
  assert.ok(outcomes.length - whole.length <= 6 * 6, `${outcomes.length - whole.length} went unanswered`);
  await reading;
  assert.deepEqual(lines.slice(-3), ['event: bye', 'data: {}', '']);
  const recorded = new Set(here.entries().filter(({ event }) => event === 'api.request').map(({ details }) => (isPlainObject(details) ? details['request_id'] : undefined)));
  assert.deepEqual(whole.filter(({ id }) => !recorded.has(id ?? '')), []);
  assert.ok(here.entries().slice(-3).some(({ event }) => event === 'audit.close'));
});

test('what one that was killed left behind stops nobody, and no other process is taken for it', async (t) => {
  const here = makeGround(t);
  here.write('home/config.yaml', 'enterprise: {server: {drain: 5m}}\n');
  t.after(() => here.loki(['dashboard', 'stop', '--force']));
  const first = await background(here);
  const again = await here.loki(['dashboard', 'start', '--detach']);
  assert.equal(again.exit, 8);
  assert.match(again.stderr, new RegExp(`one of this LOKI_HOME runs already at ${first.url} \\(process ${first.pid}\\)\nhint: .*loki dashboard stop`));
  process.kill(first.pid, 'SIGTERM');
  await until('it says that it will end', async () => (await fetch(`${first.url}/health/ready`)).status === 503);
  process.kill(first.pid, 'SIGTERM');
  await until('a second signal ends it at once', () => facts.startOf(first.pid) === undefined);
  assert.ok(existsSync(join(here.home, 'run/loki.sock')), 'as one that is killed leaves it');
  assert.equal((await here.loki(['dashboard', 'status'])).exit, 8);
  const second = await background(here);
  const file = join(here.home, 'run/dashboard.json');
  const written = readFileSync(file, 'utf8');
  for (const other of [{ pid: process.pid }, { pid: process.pid, start: '1' }, { pid: 1 }, { pid: -1, start: facts.startOf(second.pid) }, { pid: 'all' }]) {
    writeFileSync(file, JSON.stringify({ ...objectOf(written), ...other }));
    const { exit, stdout } = await here.loki(['dashboard', 'stop', '--force']);
    assert.deepEqual([exit, stdout], [0, 'No control plane runs.\n'], JSON.stringify(other));
  }
  writeFileSync(file, written);
  assert.notEqual(facts.startOf(second.pid), undefined);
  const { stdout } = await here.loki(['dashboard', 'stop', '--force', '--json']);
  assert.deepEqual([JSON.parse(stdout), facts.startOf(second.pid)], [{ stopped: true, pid: second.pid }, undefined]);
  assert.ok(!existsSync(file));
});

test('one in the background that does not come up says why', async (t) => {
  const here = makeGround(t);
  const server = createServer();
  t.after(() => server.close());
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const { exit, stderr } = await here.loki(['dashboard', 'start', '--detach', '--port', String(port)]);
  assert.equal(exit, 8);
  assert.match(stderr, new RegExp(`error: Cannot start the control plane: it ended: Cannot listen on 127.0.0.1:${port}: another program listens there\nhint: Read .*dashboard\\.log`));
  assert.equal((await here.loki(['dashboard', 'status', '--detach'])).exit, 2);
  assert.equal((await here.loki(['dashboard', '--force'])).exit, 2);
});
