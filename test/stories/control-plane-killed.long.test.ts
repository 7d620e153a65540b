/** A control plane that is killed while it writes: whatever it acknowledged is there when the next one serves, once, and the log and the store verify. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isPlainObject, objectIn } from '../../lib/base/json.ts';
import { askApi } from '../../lib/host/api-client.ts';
import { timers } from '../../lib/host/time.ts';
import { makeGround, type Ground } from '../support/ground.ts';

const rounds = 6;
const writers = 8;
const timeoutMs = 10_000;

interface Running {
  readonly url: string;
  readonly pid: number;
}

async function start(here: Ground): Promise<Running> {
  const { exit, stdout, stderr } = await here.process(['dashboard', 'start', '--detach', '--port', '0', '--json'], { env: { LOKI_API_RATE_LIMIT: '0' } });
  assert.equal(exit, 0, stderr);
  const told = objectIn(stdout) ?? assert.fail(stdout);
  return { url: String(told['url']), pid: Number(told['pid']) };
}

/** Titles that were acknowledged, with the ids they were given; and the one that each writer was at when nobody answered any more. */
interface Written {
  readonly acknowledged: Map<string, string>;
  readonly open: Set<string>;
}

async function write(base: string, headers: Readonly<Record<string, string>>, projectId: string, titles: Generator<string>, written: Written): Promise<void> {
  for (const title of titles) {
    written.open.add(title);
    const answer = await post(base, headers, projectId, title).catch(() => undefined);
    if (answer === undefined) return;
    assert.equal(answer.status, 201, answer.body);
    written.acknowledged.set(title, String(objectIn(answer.body)?.['id']));
    written.open.delete(title);
  }
}

function post(base: string, headers: Readonly<Record<string, string>>, projectId: string, title: string): ReturnType<typeof askApi> {
  return askApi({ base, method: 'POST', path: '/api/v2/tasks', headers: { ...headers, 'idempotency-key': title }, body: JSON.stringify({ project_id: projectId, title }), timeoutMs });
}

function* titlesOf(writer: string): Generator<string> {
  for (let at = 1; ; at += 1) yield `${writer}-${at}`;
}

async function everyTask(base: string, headers: Readonly<Record<string, string>>): Promise<readonly (readonly [title: string, id: string])[]> {
  const found: (readonly [string, string])[] = [];
  for (let cursor = ''; ;) {
    const page = objectIn((await askApi({ base, method: 'GET', path: `/api/v2/tasks?limit=1000${cursor}`, headers, timeoutMs })).body);
    const data = page?.['data'];
    assert.ok(Array.isArray(data));
    found.push(...data.map((task: unknown) => (isPlainObject(task) ? [String(task['title']), String(task['id'])] as const : assert.fail())));
    if (page?.['next_cursor'] === null) return found;
    cursor = `&cursor=${String(page?.['next_cursor'])}`;
  }
}

test('killed under load again and again, it loses nothing that it acknowledged, and does nothing twice', { timeout: 240_000 }, async (t) => {
  const here = makeGround(t);
  const written: Written = { acknowledged: new Map(), open: new Set() };
  let running = await start(here);
  t.after(() => { process.kill(running.pid, 'SIGKILL'); });
  const headers = { authorization: `Bearer ${readFileSync(join(here.home, 'run/token'), 'utf8').trim()}`, 'content-type': 'application/json' };
  const project = await askApi({ base: running.url, method: 'POST', path: '/api/v2/projects', headers, body: '{"name":"load"}', timeoutMs });
  const projectId = String(objectIn(project.body)?.['id']);
  for (let round = 1; round <= rounds; round += 1) {
    const before = written.acknowledged.size;
    const writing = Array.from({ length: writers }, (_, at) => write(running.url, headers, projectId, titlesOf(`r${round}w${at}`), written));
    await timers.sleep(150 + 130 * round);
    process.kill(running.pid, 'SIGKILL');
    await Promise.all(writing);
    assert.ok(written.acknowledged.size > before, 'it was under load');
    running = await start(here);
    // Whoever was not answered sends again under the same key: it was done then, or is done now.
    for (const title of written.open) {
      const answer = await post(running.url, headers, projectId, title);
      assert.equal(answer.status, 201, answer.body);
      written.acknowledged.set(title, String(objectIn(answer.body)?.['id']));
    }
    written.open.clear();
    const there = await everyTask(running.url, headers);
    assert.deepEqual(there.map(([title]) => title).sort(), [...written.acknowledged.keys()].sort(), 'each once, and no other');
    assert.deepEqual(there.filter(([title, id]) => written.acknowledged.get(title) !== id), []);
  }
  assert.equal((await here.process(['store', 'check'])).exit, 0);
  const verdict = await here.process(['audit', 'verify', '--full']);
  assert.ok([0, 7].includes(verdict.exit ?? -1), verdict.stdout);
});
