/** Tenants, projects, tasks, runs and keys from the command line, against the real routes of a control plane in this process. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { main } from '../../cli/main.ts';
import { commandTable, groupTable } from '../../cli/table.ts';
import { listenHttp } from '../../lib/host/http-server.ts';
import { createKit, mint, projectId, type Kit } from '../support/api-kit.ts';
import { fakeTerminal, type FakeOptions, type FakeTerminal } from '../support/fake-terminal.ts';
import { makeGround, until, type Ground } from '../support/ground.ts';
import type { ApiOptions } from '../../lib/server/api.ts';

interface Said {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

interface Scene {
  readonly kit: Kit;
  readonly ground: Ground;
  readonly url: string;
  /** An administrator's. */
  readonly token: string;
  /** Runs `loki` as an administrator, unless the environment says otherwise. */
  loki(args: readonly string[], options?: FakeOptions): Promise<Said>;
  /** Begins a command that goes on. */
  begin(args: readonly string[], options?: FakeOptions): { readonly terminal: FakeTerminal; readonly exit: Promise<number> };
}

async function scene(t: TestContext, options: Partial<ApiOptions> = {}): Promise<Scene> {
  const kit = createKit({ authentication: true, ...options });
  const server = await listenHttp(kit.api, { host: '127.0.0.1', port: 0 });
  t.after(() => server.close(0));
  const ground = makeGround(t);
  const url = `http://127.0.0.1:${server.port}`;
  const { token } = await mint(kit, { name: 'root', tenant: null, role: 'admin' });
  const begin: Scene['begin'] = (args, given = {}) => {
    const terminal = { ...fakeTerminal({ cwd: ground.project, ...given, argv: args, env: { ...ground.env, LOKI_URL: url, LOKI_TOKEN: token, ...given.env } }), homeDirectory: ground.root };
    return { terminal, exit: main(terminal, commandTable, groupTable) };
  };
  return {
    kit, ground, url, token, begin,
    async loki(args, given) {
      const { terminal, exit } = begin(args, given);
      return { exit: await exit, out: terminal.printed.out, err: terminal.printed.err };
    },
  };
}

const project = async ({ kit: { store } }: Scene): Promise<void> => { await store.transact([], [{ key: `projects/${projectId}`, value: { id: projectId, name: 'shop', tenant_id: null, path: '/srv/shop', created_at: '2026-02-15T14:29:00.000Z' } }]); };

test('a tenant is made, shown, changed and removed; the id is all that stands on stdout', async (t) => {
  const { loki } = await scene(t);
  const made = await loki(['tenants', 'create', '--name', 'Payments', '--slug', 'payments']);
  assert.deepEqual([made.exit, /^tnt_[0-9A-Z]{26}\n$/.test(made.out)], [0, true], made.err);
  const id = made.out.trim();
  assert.match((await loki(['tenants', 'list'])).out, new RegExp(`^ID +SLUG +NAME +CREATED +DESCRIPTION\n${id} +payments +Payments `));
  assert.equal((await loki(['tenants', 'update', id, '--name', 'Payments EU'])).out, `Changed the tenant Payments EU (payments, ${id})\n`);
  const got = await loki(['tenants', 'get', id, '--json']);
  assert.deepEqual([JSON.parse(got.out).name, got.err], ['Payments EU', '']);
  assert.equal((await loki(['tenants', 'delete', id], { isTerminal: true, answers: ['n'] })).exit, 1);
  const asked = await loki(['tenants', 'delete', id], { isTerminal: true, answers: ['yes'] });
  assert.equal(asked.exit, 0);
  assert.match(asked.err, /name +Payments EU[\s\S]*Remove this tenant\?/, 'who is asked sees what about');
  const gone = await loki(['tenants', 'get', id]);
  assert.deepEqual([gone.exit, gone.out], [2, '']);
  assert.match(gone.err, /error: Cannot find the tenant: there is no tenant/);
});

test('tasks: a filter, pages, every mistake at once, a change of a state that is no more', async (t) => {
  const here = await scene(t);
  const { loki, kit } = here;
  await project(here);
  const ids: string[] = [];
  for (const title of ['one', 'two', 'three']) ids.push((await loki(['tasks', 'create', '--project-id', projectId, '--title', title, '--priority', 'high'])).out.trim());
  await loki(['tasks', 'update', ids[1] ?? '', '--status', 'completed']);
  assert.deepEqual(JSON.parse((await loki(['tasks', 'list', '--status', 'pending', '--json'])).out).map(({ title }: { title: string }) => title), ['one', 'three']);
  const two = await loki(['tasks', 'list', '--limit', '2', '--json']);
  assert.deepEqual([JSON.parse(two.out).length, two.err], [2, 'There are more tasks: --limit N, or --all.\n']);
  assert.equal(JSON.parse((await loki(['tasks', 'list', '--all', '--order', 'desc', '--json'])).out).length, 3);
  assert.deepEqual(await loki(['tasks', 'list', '--start', '2020-01-01', '--end', '2020-01-02', '--json']), { exit: 0, out: '[]\n', err: '' });
  const wrong = await loki(['tasks', 'create', '--project-id', projectId, '--title', 'x'.repeat(600), '--description', 'a\u0007b']);
  assert.equal(wrong.exit, 2);
  assert.match(wrong.err, /2 things are wrong\n {2}"title" must be .*\n {2}"description" holds a control character/);
  const { PATH: _path, ...env } = here.ground.env;
  assert.equal((await loki(['tasks', 'get', 'tsk_1'], { env: { ...env, LOKI_URL: 'http://127.0.0.1:1', LOKI_TOKEN: 'x' } })).exit, 2, 'an id that is none is told without asking');
  // Somebody else changes it between the look and the change.
  const { store } = kit.services;
  const [key = ''] = [`tasks/${ids[0]}`];
  const get = store.get.bind(store);
  let looks = 0;
  Object.assign(store, { get: async (wanted: string) => {
    const entry = await get(wanted);
    if (wanted === key && entry !== undefined && (looks += 1) === 1) await store.transact([], [{ key, value: { ...Object(entry.value), title: 'theirs' } }]);
    return entry;
  } });
  const stale = await loki(['tasks', 'update', ids[0] ?? '', '--title', 'mine']);
  assert.deepEqual([stale.exit, stale.out], [1, '']);
  assert.match(stale.err, /not in the state that If-Match names/);
  assert.equal(JSON.parse((await loki(['tasks', 'get', ids[0] ?? '', '--json'])).out).title, 'theirs');
  assert.equal((await loki(['tasks', 'delete', ids[0] ?? '', '--yes', '--json'])).out, `{"id":"${ids[0]}","removed":true}\n`);
});

test('wrong usage is told before anybody is asked, errors have the exit code of their kind', async (t) => {
  const { loki, kit } = await scene(t);
  const nowhere = { env: { LOKI_URL: 'http://127.0.0.1:1' } };
  const { token: viewer } = await mint(kit, { name: 'viewer', tenant: null, role: 'viewer' });
  const cases: readonly (readonly [readonly string[], FakeOptions, number, RegExp])[] = [
    [['tenants', 'create'], nowhere, 2, /--name and --slug are missing/], [['tasks', 'update', 'tsk_01J8Z3T5C6D7E8F9G0H1J2K3M4'], nowhere, 2, /nothing is to be changed[\s\S]*--title/],
    [['tasks', 'create', '--title', 'x', '--status', 'done'], nowhere, 2, /one of pending, in_progress/], [['keys', 'get', 'run_01J8Z3T5C6D7E8F9G0H1J2K3M4'], nowhere, 2, /is no id of a key/], [['tenants', 'lst'], nowhere, 2, /did you mean "loki tenants list"/],
    [['keys', 'create', '--name', 'a', '--expires-at', 'soon'], nowhere, 2, /no point in time/], [['runs', 'start'], nowhere, 2, /--project-id is missing/], [['runs', 'start', '--project-id', projectId, '--document', 'none.md'], nowhere, 2, /there is no such file/],
    [['runs', 'list'], nowhere, 8, /ECONNREFUSED/], [['runs', 'list'], { env: { LOKI_TOKEN: '' } }, 4, /loki login/], [['tenants', 'create', '--name', 'a', '--slug', 'a'], { env: { LOKI_TOKEN: viewer } }, 4, /needs the scope "admin"/],
    [['tasks', 'delete', 'tsk_01J8Z3T5C6D7E8F9G0H1J2K3M4', '--yes'], {}, 2, /there is no task/], [['runs', 'cancel', 'run_01J8Z3T5C6D7E8F9G0H1J2K3M4'], {}, 2, /there is no run/], [['runs', 'list', '--start', 'yesterday'], {}, 2, /start/],
  ];
  for (const [args, options, exit, words] of cases) {
    const said = await loki(args, options);
    assert.deepEqual([said.exit, said.out], [exit, ''], `${args.join(' ')}: ${said.err}`);
    assert.match(said.err, words, args.join(' '));
  }
  const json = await loki(['tenants', 'create', '--name', 'x', '--slug', 'NO', '--json']);
  const { error } = JSON.parse(json.err);
  assert.deepEqual([error.code, error.problems.length, error.problems[0].pointer], ['request.invalid', 1, '/slug']);
});

test('--dry-run shows the request, sends none, and changes nothing', async (t) => {
  const here = await scene(t);
  const { loki, kit, ground } = here;
  await project(here);
  const before = kit.recorded.length;
  const shown = await loki(['tenants', 'create', '--name', 'A', '--slug', 'a', '--dry-run', '--json']);
  assert.deepEqual(JSON.parse(shown.out), { method: 'POST', path: '/api/v2/tenants', body: { name: 'A', slug: 'a' } });
  ground.write('project/prd.md', '# Build it\n');
  const run = await loki(['runs', 'start', '--project-id', projectId, '--document', 'prd.md', '--max-iterations', '3', '--dry-run', '--json']);
  assert.deepEqual(JSON.parse(run.out).body, { project_id: projectId, trigger: 'manual', document: '# Build it\n', config: { max_iterations: 3 } });
  const piped = await loki(['runs', 'start', '--project-id', projectId, '--document', '-', '--dry-run', '--json'], { input: 'from a pipe' });
  assert.equal(JSON.parse(piped.out).body.document, 'from a pipe');
  const removal = await loki(['projects', 'delete', projectId, '--dry-run']);
  assert.deepEqual([removal.exit, removal.out], [0, `DELETE /api/v2/projects/${projectId}\n`]);
  assert.deepEqual(kit.recorded.slice(before).filter(({ event }) => event !== 'auth.token.use').map(({ event, details }) => [event, details?.['method']]), [['api.request', 'GET']]);
});

test('keys: the token alone on stdout, once; rotated, limited, revoked; an admin key without an end is warned about', async (t) => {
  const { loki, kit } = await scene(t);
  const made = await loki(['keys', 'create', '--name', 'ci', '--role', 'operator', '--expires-at', '90d', '--cidrs', '127.0.0.1,10.0.0.0/8']);
  const token = made.out.trim();
  assert.match(made.out, /^loki_[0-9A-Za-z]{36}\n$/);
  assert.doesNotMatch(made.err, new RegExp(`${token}|warning`));
  assert.equal((await loki(['tasks', 'list'], { env: { LOKI_TOKEN: token } })).exit, 0);
  const [key] = JSON.parse((await loki(['keys', 'list', '--json'])).out).filter(({ name }: { name: string }) => name === 'ci');
  assert.deepEqual([key.cidrs, key.token, key.sha256], [['127.0.0.1', '10.0.0.0/8'], undefined, undefined]);
  assert.equal((await loki(['keys', 'update', key.id, '--cidrs', 'none', '--owner', 'user:alice'])).exit, 0);
  const rotated = await loki(['keys', 'rotate', key.id, '--grace-period-hours', '0', '--json']);
  const next = JSON.parse(rotated.out);
  assert.deepEqual([next.rotated_from, next.owner, next.cidrs, /^loki_/.test(next.token)], [key.id, 'user:alice', [], true]);
  assert.equal((await loki(['tasks', 'list'], { env: { LOKI_TOKEN: token } })).exit, 4);
  const revoked = await loki(['keys', 'revoke', next.id, '--yes']);
  assert.match(revoked.out, /^Revoked the key ci \(key_/);
  assert.equal((await loki(['tasks', 'list'], { env: { LOKI_TOKEN: next.token } })).exit, 4);
  assert.match((await loki(['keys', 'create', '--name', 'root2', '--role', 'admin'])).err, /warning: .*never expires/);
  const { token: operator } = await mint(kit, { name: 'op', tenant: null, role: 'operator', scopes: ['admin'] });
  assert.equal((await loki(['keys', 'create', '--name', 'ap', '--scopes', 'read,approve'], { env: { LOKI_TOKEN: operator } })).exit, 2, 'approve without an owner');
});

test('runs: ordered, watched to the end, cancelled; the run\'s own token is not printed', async (t) => {
  const here = await scene(t);
  const { loki, kit } = here;
  await project(here);
  const ordered = await loki(['runs', 'start', '--project-id', projectId, '--document', '-', '--json'], { input: '# Build it\n' });
  const run = JSON.parse(ordered.out);
  assert.deepEqual([ordered.exit, run.status, run.token, run.trigger], [0, 'pending', undefined, 'manual'], ordered.err);
  assert.ok(!(ordered.out + ordered.err).includes('lokirun_'));
  assert.match((await loki(['runs', 'list', '--status', 'pending'])).out, new RegExp(`${run.id} +pending +manual +${projectId}`));
  const cancelled = await loki(['runs', 'cancel', run.id]);
  assert.equal(cancelled.out, `The run ${run.id} is cancelled\n`, cancelled.err);
  assert.equal((await loki(['runs', 'cancel', run.id])).exit, 1);
  const watched = await loki(['runs', 'watch', run.id, '--json']);
  assert.equal(watched.exit, 1, watched.err);
  assert.equal(JSON.parse(watched.out.trim().split('\n').at(-1) ?? '').run.status, 'cancelled');
  const told = await loki(['runs', 'timeline', run.id, '--json']);
  assert.deepEqual(Object.keys(JSON.parse(told.out)), ['run_id', 'events', 'duration_seconds']);
  assert.equal(kit.recorded.filter(({ event }) => event === 'run.create').length, 1);
});

test('watching goes on until it is interrupted, with 130, in a process of its own too', async (t) => {
  const here = await scene(t);
  const { begin, loki, ground, url, token } = here;
  await project(here);
  const first = (await loki(['tasks', 'create', '--project-id', projectId, '--title', 'first'])).out.trim();
  const list = ground.start(['tasks', 'list', '--watch', '--json'], { env: { LOKI_URL: url, LOKI_TOKEN: token } });
  let out = '';
  list.stdout?.setEncoding('utf8').on('data', (text: string) => { out += text; });
  const exit = new Promise((resolve) => { list.once('exit', resolve); });
  await until('the list is shown', () => out.includes('"listed"'));
  await loki(['tasks', 'update', first, '--status', 'completed']);
  await loki(['tasks', 'create', '--project-id', projectId, '--title', 'second']);
  await until('what changed is told', () => out.split('\n').length >= 4);
  list.kill('SIGINT');
  assert.equal(await exit, 130);
  const changes = out.trim().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(changes.map(({ change, object }) => [change, object.title]).sort(), [['added', 'second'], ['changed', 'first'], ['listed', 'first']]);
  const ordered = await loki(['runs', 'start', '--project-id', projectId, '--document', '-'], { input: 'x' });
  const run = begin(['runs', 'watch', ordered.out.trim()], { isTerminal: true });
  run.terminal.stopping.abort('SIGINT');
  assert.equal(await run.exit, 130);
});

test('another tenant\'s objects are not found, and what they hold is not shown', async (t) => {
  const here = await scene(t);
  const { loki, kit } = here;
  await project(here);
  const tenant = (await loki(['tenants', 'create', '--name', 'B', '--slug', 'b'])).out.trim();
  const { token } = await mint(kit, { name: 'theirs', tenant, role: 'admin' });
  const theirs = { env: { LOKI_TOKEN: token } };
  for (const args of [['projects', 'get', projectId], ['projects', 'delete', projectId, '--yes'], ['tasks', 'create', '--project-id', projectId, '--title', 'x'], ['runs', 'start', '--project-id', projectId]]) {
    const said = await loki(args, theirs);
    assert.deepEqual([said.exit, said.out], [2, ''], args.join(' '));
    assert.match(said.err, /there is no project/);
  }
  assert.equal((await loki(['projects', 'list', '--json'], theirs)).out, '[]\n');
});
